"""Further feeds."""
