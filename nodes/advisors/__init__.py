"""Entry and exit signals."""
