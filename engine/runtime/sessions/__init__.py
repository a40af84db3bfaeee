"""Strategies that are given their bars as they close."""
