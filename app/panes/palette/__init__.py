"""The palette: every building block that is installed, to search, drag and add."""

from quantcrafter.app.panes.palette.palette import MIME, Palette

__all__ = ["MIME", "Palette"]
