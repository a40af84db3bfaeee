"""The comparison of engines: which engines agree, and where they first differ."""

from quantcrafter.app.panes.parity.pane import ParityPane

__all__ = ["ParityPane"]
