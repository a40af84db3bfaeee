"""Strategies in the files of other programs, and back. No Qt."""
