"""The `quantcrafter` command."""
