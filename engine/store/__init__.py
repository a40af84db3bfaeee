"""Strategies from a database: rows, the databases that hold them, and what is pushed with a strategy."""
