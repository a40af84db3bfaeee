"""The look of the interface: colours by meaning, icons drawn from strokes, one palette and one style sheet."""

from quantcrafter.app.theme.colors import DARK, FAMILIES, LIGHT, Theme, family_of
from quantcrafter.app.theme.theme_in_use import Themes, apply, current, themes

changed = themes.changed

__all__ = ["DARK", "FAMILIES", "LIGHT", "Theme", "Themes", "apply", "changed", "current", "family_of", "themes"]
