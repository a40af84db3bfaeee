"""`feed`: the bars of another instrument."""

from __future__ import annotations

from quantcrafter.engine.api import FeedNode


class OtherBars(FeedNode):
    """The bars of another instrument, such as an index to compare with; it is not traded.

    Options of the data provider are set next to the others, such as `path` for `csv`. Each bar of the feed is visible
    once it has closed.
    """

    name = "feed"
    category = "Data"
