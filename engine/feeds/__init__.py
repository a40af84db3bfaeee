"""Feeds that come with the program: bars of a running strategy as they close."""
