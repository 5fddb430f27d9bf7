"""The public API: one verb a file."""
