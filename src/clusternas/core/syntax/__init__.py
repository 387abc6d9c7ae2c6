"""Text to a tree of spans: grammar, not meaning."""
