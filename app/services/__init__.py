"""What several parts of the desktop use: translations, settings, theme, files."""
