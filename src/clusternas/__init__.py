"""The typed, lossless, safe library for a clustered NAS."""
