"""The look of the interface: colours by meaning, icons drawn from strokes, one palette and one style sheet."""

from quantcrafter.app.theme.themes import Themes, apply, current, themes
from quantcrafter.app.theme.tokens import DARK, FAMILIES, LIGHT, Theme, family_of

changed = themes.changed

__all__ = ["DARK", "FAMILIES", "LIGHT", "Theme", "Themes", "apply", "changed", "current", "family_of", "themes"]
