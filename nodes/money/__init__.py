"""Size of entries."""
