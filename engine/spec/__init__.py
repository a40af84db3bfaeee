"""The strategy file: parsing, problems, edits, blocks, JSON Schema."""
