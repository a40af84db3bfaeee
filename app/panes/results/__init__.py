"""What a run came to: figures, trades, orders, blocked signals, months and distributions."""

from quantcrafter.app.panes.results.results import ResultsPane

__all__ = ["ResultsPane"]
