"""The graph on the canvas: scene, items, gestures."""
