"""The open strategies and their tabs."""
