"""Continuous series of futures: contracts found, rolls decided, bars joined."""
