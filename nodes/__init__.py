"""The built-in building blocks, registered through the same hooks as any plugin."""
