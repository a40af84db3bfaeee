"""Quick-add: search for a component and add it to the canvas."""
