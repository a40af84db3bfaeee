"""The pane that says why the strategy traded at a bar, or why it did not."""

from quantcrafter.app.panes.why.pane import WhyPane

__all__ = ["WhyPane"]
