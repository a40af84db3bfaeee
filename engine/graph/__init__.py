"""From references to a typed, ordered plan, and its evaluation."""
