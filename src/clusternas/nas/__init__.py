"""The NAS as a whole: its description, checks across files, actual state, plans."""
