"""The display of a run on the canvas: values, the path to a decision, firings, and a wire's recent values."""
