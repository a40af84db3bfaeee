"""Arithmetic and conditions."""
