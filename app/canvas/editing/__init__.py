"""Edits of the graph: names, wires, clipboard, commands."""
