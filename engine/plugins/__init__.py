"""The plugin manager and the registry of what plugins brought."""
