"""Strategy classes that were written for other engines."""
