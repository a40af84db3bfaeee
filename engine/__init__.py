"""Runs a strategy; knows nothing of Qt and nothing of the concrete nodes."""
