"""What the chart computes, apart from Qt: levels of detail, axes, marks, places."""
