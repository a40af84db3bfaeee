"""Two runs side by side."""

from quantcrafter.app.dialogs.comparison.dialog import ComparisonDialog

__all__ = ["ComparisonDialog"]
