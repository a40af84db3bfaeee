"""The main window: tabs of strategies, docks of panes, and their connections."""
