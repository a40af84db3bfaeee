"""What draws the chart: batches of shapes straight from numpy, by kind."""
