"""The graph on screen: scene, items, gestures."""
