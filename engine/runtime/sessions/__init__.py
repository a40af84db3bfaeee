"""Strategies that receive their bars as they close."""
