"""Brokers that come with the program: who fills the orders of a running strategy."""
