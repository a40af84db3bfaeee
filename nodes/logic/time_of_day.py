"""Time as a series: time_of_day, weekday."""

from __future__ import annotations

import numpy as np

from quantcrafter.engine.api import Bars, BarsInput, FloatColumn, port
from quantcrafter.nodes import local_time
from quantcrafter.nodes.logic.base import CATEGORY_TIME, SeriesLogic


class TimeOfDay(SeriesLogic):
    """Give the minutes after local midnight at which the bar closes: 585 for 09:45, 0 for midnight.

    Local means the time zone of the instrument's session. Known at the bar's close, no warm-up.
    """

    name = "time_of_day"
    category = CATEGORY_TIME
    by_bar = True

    bars: BarsInput = port("The bars.", default="bars")

    def compute(self, bars: Bars) -> FloatColumn:
        return local_time.time_of_day_ns(bars.close_ns, bars.session.timezone) / local_time.MINUTE_NS


class Weekday(SeriesLogic):
    """Give the weekday on which the bar closes: 0 for Monday to 6 for Sunday.

    Local means the time zone of the instrument's session. A bar that closes at midnight belongs to the day that
    begins. Known at the bar's close, no warm-up.
    """

    name = "weekday"
    category = CATEGORY_TIME
    by_bar = True

    bars: BarsInput = port("The bars.", default="bars")

    def compute(self, bars: Bars) -> FloatColumn:
        return local_time.weekday(bars.close_ns, bars.session.timezone).astype(np.float64)
