"""Strategy classes written for another engine: importing them, and books from what their engine filled."""
