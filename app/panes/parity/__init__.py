"""The comparison of engines: who agrees with whom, and where they part."""

from quantcrafter.app.panes.parity.pane import ParityPane

__all__ = ["ParityPane"]
