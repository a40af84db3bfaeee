"""Labels of bars: the trading day, or the open time."""

from __future__ import annotations

import numpy as np

from quantcrafter.engine.api import Session, Timeframe
from quantcrafter.engine.trading_calendar.trading_days import trading_days
from quantcrafter.engine.trading_calendar.zones import MINUTE_NS


def bar_label(ts_ns: int, timeframe: Timeframe, session: Session) -> str:
    """Return `2024-05-31` for bars of a day or longer (the session's own day), `2024-05-31 14:30` (UTC) for others."""
    if not timeframe.is_intraday:
        day = trading_days(np.array([ts_ns], np.int64), session)[0]
        return str(np.datetime64(int(day), "D"))
    unit = "m" if ts_ns % MINUTE_NS == 0 else "s"
    return str(np.datetime64(ts_ns, "ns").astype(f"datetime64[{unit}]")).replace("T", " ")
