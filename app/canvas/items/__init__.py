"""What the scene draws: nodes, wires, frames; one graphics item each, painted by itself."""
