"""Strategy files: opened, saved, migrated."""
