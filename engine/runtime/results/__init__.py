"""A finished run: what it shows to all who read it."""
