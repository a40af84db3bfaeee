"""From signals to orders."""

from nodes.execution.market import Market

COMPONENTS = (Market,)
