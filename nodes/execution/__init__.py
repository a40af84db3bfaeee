"""From signals to orders."""
