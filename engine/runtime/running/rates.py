"""Rates of exchange for an instrument's bars: what one unit of its currency was worth in the account's."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from quantcrafter.engine.api import Bars, FloatColumn
from quantcrafter.engine.data.align import align, as_of
from quantcrafter.engine.graph import feed_of_rate


def rate_columns(bars: Bars, feeds: Mapping[str, Bars], written: str) -> tuple[FloatColumn, FloatColumn, int]:
    """Return the rates as known at the opens and at the closes of the bars, and the first bar that has both.

    The rate is the close of the feed's last bar that has closed by then. Before the feed's first bar there is none: the
    columns hold 0 there, and no decision may be taken.
    """
    name, inverse = feed_of_rate(written)
    feed = feeds[name]
    value = 1.0 / feed.close if inverse else feed.close
    at_open, at_close = (align(value, as_of(feed.close_ns, times)) for times in (bars.open_ns, bars.close_ns))
    known = np.flatnonzero(~np.isnan(at_close))
    first = int(known[0]) if len(known) else len(bars)
    return np.nan_to_num(at_open), np.nan_to_num(at_close), first
