"""One class per gesture on the canvas."""
