"""Icons, themes and example strategies; no code."""
