"""Numbers for every bar."""
