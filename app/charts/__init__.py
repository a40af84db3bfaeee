"""The chart of a run: prices, the graph's own lines, trades and equity over the bars."""
