"""The built-in sources of bars."""
