"""Which column is which in a table without a header: by its place, and by which order makes possible bars."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from quantcrafter.engine.api.message import Message
from quantcrafter.engine.data.providers.column_roles import ColumnRole
from quantcrafter.engine.data.providers.time_text import is_time

_PRICES: tuple[ColumnRole, ...] = ("open", "high", "low", "close")
_ORDERS: tuple[tuple[ColumnRole, ...], ...] = (
    _PRICES,
    ("low", "high", "open", "close"),  # Coinbase
    ("open", "close", "high", "low"),  # Bitfinex
)
_WITH_CLOCK = 7
_WITH_AVERAGE = 8
_FEWEST = 3


class Positions(NamedTuple):
    """The place of each role's column, from 0, and what is to be said where their order is not the usual one."""

    roles: dict[ColumnRole, int]
    note: str = ""


def positional_columns(rows: Sequence[Sequence[str]]) -> Positions:
    """Return the columns of a table by its first rows: date (and time), open, high, low, close, volume in this order.

    A symbol may stand before them. Where this order makes an impossible bar, those of Coinbase and Bitfinex are tried;
    where a price comes between close and volume, as in tables of Kraken, it is an average.
    """
    cells = rows[0]
    start = _start(cells)
    roles: dict[ColumnRole, int] = {"symbol": 0} if start else {}
    if _has_clock(rows, start):
        roles["date"] = start
        start += 1
    order = next((order for order in _ORDERS if _are_bars(rows, start + 1, order)), _PRICES)
    places: list[ColumnRole | None] = ["time", *order, "volume"]
    if _has_average(rows, start, roles):
        places.insert(-1, None)
    roles |= {role: start + place for place, role in enumerate(places) if role and start + place < len(cells)}
    if order == _PRICES and None not in places:
        return Positions(roles)
    found = ", ".join(role or "vwap" for role in places)
    return Positions(
        roles,
        Message(
            "Without a header, columns are taken as {found}, as their numbers show. Name them with 'columns' if this "
            "is wrong.",
            found=found,
        ),
    )


def _start(cells: Sequence[str]) -> int:
    """Return where the times stand: behind a symbol, if the table begins with one."""
    if is_time(cells[0]) or not any(sign.isalpha() for sign in cells[0]):
        return 0
    return next((place for place in (1, 2) if place < len(cells) and is_time(cells[place])), 0)


def _has_clock(rows: Sequence[Sequence[str]], start: int) -> bool:
    """Return whether the time of day has a column of its own behind the date."""
    cells = rows[0][start:]
    second = cells[1] if len(cells) > 1 else ""
    if ":" in second:
        return True
    if not (re.fullmatch(r"\d{8}", cells[0]) and re.fullmatch(r"\d{1,4}|\d{6}", second) and len(cells) >= _WITH_CLOCK):
        return False
    if _are_bars(rows, start + 2, _PRICES):
        return not _are_bars(rows, start + 1, _PRICES) or len(second) != 3  # noqa: PLR2004 - 930 may be a price
    return bool(re.fullmatch(r"\d{4}|\d{6}", second)) and not _are_bars(rows, start + 1, _PRICES)


def _has_average(rows: Sequence[Sequence[str]], start: int, roles: dict[ColumnRole, int]) -> bool:
    if len(rows[0]) - start != _WITH_AVERAGE or len(rows) < _FEWEST or roles:
        return False
    bars = [_numbers(row[start + 1 : start + 6]) for row in rows]
    return all(len(bar) == 5 and bar[2] <= bar[4] <= bar[1] for bar in bars)  # noqa: PLR2004 - prices and the average


def _are_bars(rows: Sequence[Sequence[str]], start: int, order: Sequence[ColumnRole]) -> bool:
    """Return whether the columns from `start` on, taken in that order, are possible bars in every row."""
    for row in rows:
        numbers = _numbers(row[start : start + 4])
        if len(numbers) != len(order):
            return False
        bar = dict(zip(order, numbers, strict=True))
        if bar["high"] < max(numbers) or bar["low"] > min(numbers):
            return False
    return True


def _numbers(cells: Sequence[str]) -> list[float]:
    """Return cells as numbers, whatever the sign between whole and part: it is the same in all of them."""
    try:
        return [float(cell.replace(",", ".")) for cell in cells]
    except ValueError:
        return []
