"""The open strategy as an editable graph: no Qt, typed edits, each with its exact inverse."""
