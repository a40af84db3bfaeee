"""Runs: preparation, backtest, trace, history, look-ahead check."""
