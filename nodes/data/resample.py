"""`resample`: the instrument's own bars in a longer timeframe."""

from __future__ import annotations

from quantcrafter.engine.api import ResampleNode


class Resample(ResampleNode):
    """The instrument's own bars in a longer timeframe, such as weekly bars in addition to daily ones.

    Each longer bar is visible once it has closed, never before: on Wednesday, the last weekly bar is last week's.
    """

    name = "resample"
    category = "Data"
