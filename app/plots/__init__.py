"""Small plots on pyqtgraph, in the application's look: zoom and pan by mouse and keyboard, values under the pointer."""

from quantcrafter.app.plots.plot import Plot
from quantcrafter.app.plots.reading import ReadingPlot

__all__ = ["Plot", "ReadingPlot"]
