"""Generated daily prices of a stock with the limits of a main board of China; the file of an example.

A seeded walk with heavy tails, cut at a tenth above and below the last close, rounded to cents as the exchanges do. A
day whose whole range is the limit is locked. `python -m tests.support.limit_up_data` writes the file.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np

from quantcrafter.engine.api.bars import Session
from quantcrafter.engine.trading_calendar.trading_days import is_session_day

FILE = Path(__file__).parents[2] / "resources" / "examples" / "files" / "limit_up.csv"
SEED, DAYS = 20190101, 1500
SHANGHAI = Session("Asia/Shanghai", 570, 900, (0, 1, 2, 3, 4), "XSHG")


def rows() -> list[str]:
    """Return the lines of the file."""
    rng = np.random.default_rng(SEED)
    first, day, last, heat = date(2016, 1, 4), 0, 20.0, 0.0
    lines = ["date,open,high,low,close,volume"]
    while len(lines) <= DAYS:
        today = first + timedelta(days=day)
        day += 1
        if not is_session_day(np.array([(today - date(1970, 1, 1)).days]), SHANGHAI)[0]:
            continue
        top, bottom = (np.floor(last * (100 + sign * 10) + 0.5 + 1e-7) / 100 for sign in (1, -1))
        spread = 0.02 * (1.0 + heat)
        gap, move = rng.standard_t(3, 2) * spread * (0.3, 0.8)
        ends = last * (1 + gap), last * (1 + gap + move + 0.0025)
        opened, close = (float(np.clip(round(end, 2), bottom, top)) for end in ends)
        high = float(np.clip(round(max(opened, close) * (1 + abs(rng.normal()) * spread * 0.4), 2), bottom, top))
        low = float(np.clip(round(min(opened, close) * (1 - abs(rng.normal()) * spread * 0.4), 2), bottom, top))
        surprise = abs(close / last - 1) / 0.016
        volume = int(2e6 * (0.6 + 0.5 * surprise) * rng.lognormal(0, 0.25)) // 100 * 100
        heat = 0.8 * heat + 0.06 * surprise
        lines.append(f"{today},{opened:.2f},{high:.2f},{low:.2f},{close:.2f},{volume}")
        last = close
    return lines


if __name__ == "__main__":
    FILE.write_text("\n".join(rows()) + "\n", encoding="utf-8")
