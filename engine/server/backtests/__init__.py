"""Backtests that the API runs, one after the other, each in a process of its own."""
