"""What the canvas shows of a run: values, the path to a decision, firings, and a wire's recent course."""
