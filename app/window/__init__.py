"""The main window: tabs of strategies, docks of panes, and what ties them together."""
