"""Strategies that keep running: inputs on disk, the fold of them, and workers that feed it."""
