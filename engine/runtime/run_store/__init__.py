"""Stored runs: run folders, the history, comparison, disk space."""
