"""Public names for plugin authors and scripts; nothing else lives here."""
