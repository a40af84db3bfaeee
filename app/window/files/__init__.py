"""Strategy files: opened, saved, recovered, migrated."""
