"""Protection of positions."""
