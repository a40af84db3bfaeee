"""What plugins add to the window: their actions and panes, and what they see of it."""
