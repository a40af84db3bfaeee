"""The panes around the canvas."""
