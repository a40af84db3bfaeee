"""The log pane: what runs had to say, line by line."""

from quantcrafter.app.panes.log.pane import LogPane

__all__ = ["LogPane"]
