"""Prices of Treasury futures as the exchange writes them: points, an apostrophe, and 32nds of a point.

`110'16` is 110 + 16/32. A third digit is a part of a 32nd, cut to one digit: 1, 2, 3, 5, 6, 7 and 8 are the eighths
from .125 to .875, so `110'165` is 110 + 16.5/32 and `110'167` is 110 + 16.75/32 (CME Group, Treasury futures quotes).
A plus is half of a 32nd: `110'16+`. Some vendors write a hyphen for the apostrophe: `110-165`.
"""

from __future__ import annotations

import re

import polars as pl

from quantcrafter.engine.api import Contract, DataError, Market
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.wording import shown_cell
from quantcrafter.engine.data.providers.table import PRICES, FileTable

_POINT = 1000
_TREASURIES = Market(
    name="us_treasury_futures",
    description="Futures on notes and bonds of the United States, and their codes at data vendors.",
    calendar="CMES",
    contracts=tuple(
        Contract(root=root, tick_size=1 / 256, multiplier=_POINT)
        for root in (
            *("ZT", "ZF", "ZN", "TN", "ZB", "UB"),  # of the exchange
            *("TU", "FV", "TY", "US", "UXY", "WN", "UL"),  # of the floor and of Bloomberg
            *("TUA", "FVA", "TYA", "USA", "ULA", "TNA"),  # of CQG
        )
    ),
)
_APOSTROPHES = r"['\x{2019}`]"
_QUOTED = rf"^\s*\d{{2,3}}(?:{_APOSTROPHES}|-)(?:\d{{2,3}}|\d\d\+)\s*$"
_NO_THOUSANDS = rf"^\s*\d{{2,3}}(?:{_APOSTROPHES}\d\d\+?|-\d{{2,3}}\+?)\s*$"
"""What is no number, whatever the instrument is: thousands have three digits."""
_NO_TREASURY = re.compile(r"US\d{2,}")
"""Indexes such as US30, not bonds."""
_ENOUGH = 8
"""From how many different prices on all of them being 32nds, quarters of them included, is no chance."""
_MOST = 31
_EIGHTHS = {0: 0, 1: 1, 2: 2, 3: 3, 5: 4, 6: 5, 7: 6, 8: 7}


def in_points(table: FileTable, symbol: str, subject: str) -> FileTable:
    """Return the table with prices of a Treasury future in points, where they are written in 32nds.

    Raises:
        DataError: the digits behind an apostrophe are no 32nds, or the symbol is not known to be a Treasury future.
    """
    if _TREASURIES.contract(symbol) is None or _NO_TREASURY.fullmatch(symbol.upper()):
        _refuse_other(table, symbol, subject)
        return table
    sign = "," if table.style.decimal == "," else "."
    said = ""
    for place in sorted({table.columns[role] for role in PRICES if role in table.columns}):
        column = table.frame.to_series(place)
        if column.dtype != pl.String:
            continue
        quoted = column.str.contains(_QUOTED).fill_null(value=False)
        if not quoted.any():
            continue
        texts = column.filter(quoted).unique(maintain_order=True).to_list()
        points = {}
        for text in texts:
            value = _points(text.strip())
            if value is None:
                row = int(table.rows[(column == text).fill_null(value=False).arg_true()[0]])
                raise _no_price(text, row, subject)
            points[text] = f"{value:.8f}".replace(".", sign)
        said = said or f"{texts[0].strip()} = {points[texts[0]].rstrip('0').rstrip(sign)}"
        table = table._replace(
            frame=table.frame.with_columns(column.replace(points).alias(table.frame.columns[place])),
        )
    return table.noting(Message("Prices are read as points and 32nds: {example}.", example=said)) if said else table


def _refuse_other(table: FileTable, symbol: str, subject: str) -> None:
    """Refuse prices in 32nds of what isn't known to be a Treasury future: an apostrophe would separate thousands.

    Raises:
        DataError: there are such prices.
    """
    columns = [table.frame.to_series(table.columns[role]) for role in PRICES if role in table.columns]
    texts = [column.drop_nulls() for column in columns if column.dtype == pl.String]
    for column in texts:
        certain = column.str.contains(_NO_THOUSANDS)
        if certain.any():
            raise _unknown(column.filter(certain)[0], symbol, subject)
    if not texts or not all(column.str.contains(_QUOTED).all() for column in texts):
        return
    different = {str(text).strip() for column in texts for text in column.unique().to_list()}
    if len(different) >= _ENOUGH and all(_is_usual(text) for text in different):
        raise _unknown(min(different), symbol, subject)


def _is_usual(text: str) -> bool:
    """Return whether a text is a price in 32nds or quarters of them, which most Treasury futures have."""
    return _points(text) is not None and text[-1] in "0257"


def _unknown(text: str, symbol: str, subject: str) -> DataError:
    return DataError(
        Message(
            "{subject}: prices such as {text} are written in points and 32nds, as those of Treasury futures are, and "
            "{symbol} isn't known to be one. Name it by its code at the exchange, such as ZN or ZNH24, or write prices "
            "as decimal numbers.",
            subject=subject,
            text=shown_cell(text),
            symbol=symbol,
        ),
        field="symbol",
    )


def _points(text: str) -> float | None:
    """Return a quoted price in points; None if there is no such price."""
    whole, parts = re.split(r"['\u2019`-]", text, maxsplit=1)
    half = parts.endswith("+")
    parts = parts.rstrip("+")
    thirty_seconds, eighths = int(parts[:2]), 4 if half else _EIGHTHS.get(int(parts[2:] or 0))
    if thirty_seconds > _MOST or eighths is None:
        return None
    return int(whole) + (thirty_seconds + eighths / 8) / 32


def _no_price(text: str, row: int, subject: str) -> DataError:
    return DataError(
        Message(
            "{subject}: row {row} has {text}, which is no price of a Treasury future in 32nds: from 00 to 31, then "
            "0, 2, 5 or 7 for a part of one (or 1, 3, 6, 8). Write prices as decimal numbers, or correct 'symbol'.",
            subject=subject,
            row=row,
            text=shown_cell(text),
        ),
        field="path",
    )
