"""The finished runs: to look at again, to compare, to go back to."""

from quantcrafter.app.panes.history.history import HistoryPane

__all__ = ["HistoryPane"]
