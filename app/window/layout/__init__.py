"""Docks, panes and the window's place on the screen."""
