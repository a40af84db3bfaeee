"""Two runs side by side."""

from app.dialogs.comparison.dialog import ComparisonDialog

__all__ = ["ComparisonDialog"]
