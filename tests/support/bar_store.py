"""Bars to put into a store, and what a plain table of bars would hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from quantcrafter.engine.api import ROUND_THE_CLOCK, Bars, Timeframe

MINUTE = Timeframe(1, "m")
_MINUTE_NS = 60_000_000_000
_START = 1_700_000_000_000_000_000 // _MINUTE_NS * _MINUTE_NS
Row = tuple[int, int, float]


def bars_of(rows: list[Row], **changes: Any) -> Bars:
    """Return bars of (open minute, length in minutes, price)."""
    opens = np.array([_START + row[0] * _MINUTE_NS for row in rows], np.int64)
    closes = opens + np.array([row[1] * _MINUTE_NS for row in rows], np.int64)
    price = np.array([row[2] for row in rows], np.float64)
    made = Bars(
        "SPY", MINUTE, opens, closes, price, price + 1, price - 0.5, price, price * 0 + 7, ROUND_THE_CLOCK, "test.csv"
    )
    return replace(made, **changes)


def rows_of(bars: Bars) -> list[Row]:
    """Return bars as (open minute, length in minutes, price)."""
    opens, closes = ((column - _START) // _MINUTE_NS for column in (bars.open_ns, bars.close_ns))
    return [(int(o), int(c - o), float(p)) for o, c, p in zip(opens, closes, bars.close, strict=True)]


def run_of_rows(first: int, count: int, price: float = 100.0) -> list[Row]:
    """Return `count` bars of a minute, one after the other."""
    return [(first + n, 1, price) for n in range(count)]


@st.composite
def some_rows(draw: st.DrawFn) -> list[Row]:
    """Draw bars that do not overlap, of uneven length and with gaps."""
    rows, at = [], draw(st.integers(0, 20))
    for length, gap in draw(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 4)), min_size=1, max_size=12)):
        rows.append((at, length, float(draw(st.integers(900, 1000)))))
        at += length + gap
    return rows


def merged_by_hand(stored: list[Row], new: list[Row], *, keep: bool) -> list[Row]:
    """Return what a store should hold: pair by pair, as the rule is written."""

    def touch(one: Row, other: Row) -> bool:
        return one[0] < other[0] + other[1] and other[0] < one[0] + one[1]

    first, second = (stored, new) if keep else (new, stored)
    return sorted([*first, *(row for row in second if not any(touch(row, other) for other in first))])


def write_csv(path: Path, lines: list[str], head: str = "Date,Open,High,Low,Close,Volume") -> Path:
    """Write a CSV file and return its path."""
    path.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    return path


def workdays(first: str, count: int, skip: range = range(0)) -> list[str]:
    """Return CSV lines of daily bars from Monday to Friday, without some of them."""
    days = np.busday_offset(first, np.arange(count), roll="forward")
    return [f"{day},{100 + n},{102 + n},{99 + n},{101 + n},1000" for n, day in enumerate(days) if n not in skip]
