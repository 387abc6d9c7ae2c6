"""Where commands run: this machine, over ssh, many nodes at once, or nowhere at all."""
