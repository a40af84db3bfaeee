"""Running strategies from the window: the actions, where each run is, and what is out of date."""
