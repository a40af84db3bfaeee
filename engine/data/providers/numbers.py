"""Numbers as people and spreadsheets write them: the decimal sign is decided once for a file.

1. What only one reading allows, decides: `1,234.5`, `988,25`, `1,234,567`. Cells that contradict this are refused.
2. Where all cells allow both readings, such as `38,101`, the file's separator decides (a comma between columns is no
   decimal sign), then the prices around it (`1,012` after `988`), then the language of the header.
3. What is still open is refused with both readings; the parameter `decimal` says which one is meant.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from quantcrafter.engine.api import DataError, FloatColumn
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.wording import shown_cell
from quantcrafter.engine.data.providers.languages import Dress

if TYPE_CHECKING:
    import polars as pl

Decimal = Literal[".", ","]

_BLANKS = r"[ '\x{2019}`\x{a0}\x{202f}\x{2009}]"
_GROUPED_BY_BLANKS = rf"^[+-]?\d{{1,3}}(?:{_BLANKS}\d{{3}})+(?:[.,]\d*)?\s?[KMBT]?$"
_CURRENCY = "$€£¥₹₽ \t\r\n\u00a0\u202f"
_CODES = "USD|EUR|GBP|GBX|GBp|JPY|CHF|CAD|AUD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|TRY|ZAR|BRL|MXN|INR|CNY|HKD|SGD|KRW|RUB|USDT"
_CODE = rf"^(?:{_CODES})\s|\s(?:{_CODES})$"
_NOTHING = ("", "null", "na", "n/a", "#n/a", "nan", "none", "-", "--", "\u2013", "\u2014")
_SUFFIXES = {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12, "万": 1e4, "萬": 1e4, "亿": 1e8, "億": 1e8}
_LETTERS = "KMBTkmbt万萬亿億"
_LONG_SUFFIXES = ((r"\s?(?:Tsd|tys)\.?$", "K"), (r"\s?(?:Mio|mln)\.?$", "M"), (r"\s?(?:Mrd|Bln|mld|mlrd)\.?$", "B"))
_COMPACT = re.compile(r"\d{8}(?:[ ;T]\d{4,6})?$")
_JUMP = 100.0
_SAMPLE = 1000


class Style(NamedTuple):
    """What a file shows of the way it is written: its separator, its header's language, and what the user says."""

    separator: str = ","
    dress: Dress | None = None
    decimal: Literal["auto", ".", ","] = "auto"
    dates: str | None = None
    """The first time, as it is written."""


class Cells(NamedTuple):
    """Text columns of a table that hold numbers, and the row that each of their cells stands in."""

    prices: Sequence[pl.Series]
    others: Sequence[pl.Series]
    rows: pl.Series


class Decided(NamedTuple):
    """The decimal sign of a file, and what is to be said of the choice."""

    decimal: Decimal
    notes: tuple[str, ...] = ()


def decide(cells: Cells, style: Style, subject: str) -> Decided:
    """Return the decimal sign of a file's numbers.

    Raises:
        DataError: cells contradict one another, or could all be read in two ways.
    """
    import polars as pl

    if style.decimal != "auto":
        return Decided(style.decimal)
    texts = [*cells.prices, *cells.others]
    plain = all(column.cast(pl.Float64, strict=False).null_count() == column.null_count() for column in texts)
    if plain and style.separator in ("", ","):
        return Decided(".")
    texts = [_bare(column) for column in texts if column.str.contains("[.,]").any()]
    point, comma = (_first(texts, _certain(sign), cells.rows) for sign in (".", ","))
    if point is not None and comma is not None:
        raise DataError(
            Message(
                "{subject}: row {point} has {point_2} with a decimal point, row {comma} {comma_2} with a decimal "
                "comma. Numbers of a file must be written alike. Correct it.",
                subject=subject,
                point=point[0],
                point_2=shown_cell(point[1]),
                comma=comma[0],
                comma_2=shown_cell(comma[1]),
            ),
            field="decimal",
        )
    if point is not None or comma is not None:
        return Decided("." if point is not None else ",")
    open_point, open_comma = (_first(texts, _uncertain(sign), cells.rows) for sign in (".", ","))
    found = open_comma or open_point
    if found is None:
        return Decided(".")
    if open_point is not None and open_comma is not None:
        raise _ask(found, subject)
    return _by_surroundings(cells, style, found, "," if open_comma is not None else ".", subject)


def _by_surroundings(cells: Cells, style: Style, found: tuple[int, str], sign: Decimal, subject: str) -> Decided:
    """Return what a sign means that might be the decimal one or separate thousands."""
    other: Decimal = "." if sign == "," else ","
    comma_dress = style.dress is not None and style.dress.comma_decimal
    if sign == style.separator == "," and not comma_dress:
        return Decided(".")
    smooth = [_is_smooth(cells.prices, decimal) for decimal in (sign, other)]
    if smooth[0] != smooth[1]:
        decimal = sign if smooth[0] else other
        meant = found[1] if decimal == sign else found[1].replace(sign, "")
        return Decided(
            decimal,
            (
                Message(
                    "{found} is read as {meant}, as the prices around it show. Set 'decimal' if this is wrong.",
                    found=shown_cell(found[1]),
                    meant=meant,
                ),
            ),
        )
    if sign == ",":
        if style.dress is None or style.separator == ",":
            raise _ask(found, subject)
        return Decided("," if style.dress.comma_decimal else ".")
    dotted_dates = style.separator == "\t" and style.dates is not None and _is_dotted(style.dates)
    if comma_dress or (style.separator == ";" and not _is_compact(style.dates)) or dotted_dates:
        raise _ask(found, subject)
    return Decided(".")


def _is_compact(text: str | None) -> bool:
    """Return whether a time is written as by trading programs, `20240102 170000`, which write decimal points."""
    return text is not None and _COMPACT.match(text) is not None


def _is_dotted(text: str) -> bool:
    parts = text.split(" ", maxsplit=1)[0].split(".")
    return len(parts) == 3 and len(parts[0]) <= 2 and all(part.isdigit() for part in parts)  # noqa: PLR2004 - d.m.y


def _ask(found: tuple[int, str], subject: str) -> DataError:
    row, text = found
    whole = text.replace(",", "").replace(".", "")
    return DataError(
        Message(
            "{subject}: row {row} has {text}, which may be {value} or {whole}, and nothing in the file shows which. "
            "Set 'decimal' to '.' or ','.",
            subject=subject,
            row=row,
            text=shown_cell(text),
            value=text.replace(",", "."),
            whole=whole,
        ),
        field="decimal",
    )


def values(
    column: pl.Series, rows: pl.Series, role: str, decimal: Decimal, subject: str
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return a column as float64, with NaN for cells that are empty or say so.

    Raises:
        DataError: a cell holds something else, or not as the file's decimal sign wants it.
    """
    import polars as pl

    if not (column.dtype.is_numeric() or column.dtype in (pl.String, pl.Null)):
        raise DataError(
            Message(
                "{subject}: '{role}' must be a number, column '{name}' holds {dtype}. Name the right column with "
                "'columns'.",
                subject=subject,
                role=role,
                name=column.name,
                dtype=column.dtype,
            ),
            field="columns",
        )
    result = column.cast(pl.Float64, strict=False)
    if column.dtype == pl.String and (decimal == "," or result.null_count() > column.null_count()):
        result = _parsed(column, decimal, with_suffix=role == "volume")
        bad = (result.is_null() & column.is_not_null()).arg_true()
        if len(bad):
            raise DataError(
                Message(
                    "{subject}: '{role}' must be a number, row {rows} has {column} (rows like it: {count:,}; the "
                    "decimal sign is '{decimal}'). Correct the file, name the right column with 'columns', or "
                    "set 'decimal'.",
                    subject=subject,
                    role=role,
                    rows=rows[bad[0]],
                    column=shown_cell(column[bad[0]]),
                    count=len(bad),
                    decimal=decimal,
                ),
                field="columns",
            )
    return result.fill_null(float("nan")).to_numpy()


def decimals_in(columns: Sequence[pl.Series], decimal: Decimal) -> int | None:
    """Return with how many decimals all prices are written; None if the text doesn't show it.

    It doesn't where the cells have different numbers of decimals, or none of them ends with a zero: then a program may
    have cut them off. Nor does a single decimal, which programs write for whole numbers.
    """
    import polars as pl

    point, _comma = _signs(decimal)
    found: set[int] = set()
    has_zero = False
    for column in columns:
        if column.dtype != pl.String:
            return None
        text = _bare(column)
        parts = text.str.extract(rf"^[+-]?\d[^eE]*{point}(\d+)$").fill_null("").filter(text.str.contains(r"\d"))
        found |= set(parts.str.len_chars().unique().to_list())
        has_zero = has_zero or bool(parts.str.ends_with("0").any())
    decimals = found.pop() if len(found) == 1 else None
    return decimals if decimals == 0 or (decimals != 1 and has_zero) else None


def _parsed(column: pl.Series, decimal: Decimal, *, with_suffix: bool) -> pl.Series:
    """Return numbers, null for what is none when written with that decimal sign."""
    import polars as pl

    text = _bare(column)
    factor: pl.Series | float = 1.0
    if with_suffix:
        letter = text.str.extract(rf"\d\s?([{_LETTERS}])$").str.to_uppercase()
        if letter.null_count() < len(letter):
            factor = letter.replace_strict(_SUFFIXES, default=1.0, return_dtype=pl.Float64)
            text = text.str.replace(rf"(\d)\s?[{_LETTERS}]$", "${1}")
    good = text.str.contains(_whole(decimal))
    thousands = "," if decimal == "." else "."
    number = text.str.replace_all(thousands, "", literal=True).str.replace(decimal, ".", literal=True)
    nothing = text.is_in(["NaN"])
    return (number.set(~(good | nothing).fill_null(value=False), None).cast(pl.Float64, strict=False)) * factor


def _bare(column: pl.Series) -> pl.Series:
    """Return texts without currency signs and blanks between thousands; NaN for words that mean nothing."""
    text = column.str.strip_chars(_CURRENCY).str.replace("\u2212", "-", literal=True)
    text = text.str.replace(r"^([+-])[$€£¥₹₽]", "${1}")
    if text.str.contains("[A-Za-z]").any():
        text = text.str.replace(_CODE, "").str.strip_chars(_CURRENCY)
        for pattern, letter in _LONG_SUFFIXES:
            text = text.str.replace(rf"(\d){pattern}", "${1}" + letter)
    grouped = text.str.contains(_GROUPED_BY_BLANKS).fill_null(value=False)
    if grouped.any():
        text = text.str.replace_all(_BLANKS, "").zip_with(grouped, text)
    nothing = text.str.to_lowercase().is_in(list(_NOTHING))
    return text.set(nothing.fill_null(value=False), "NaN") if nothing.any() else text


def _whole(decimal: str) -> str:
    """Return the pattern of a number with that decimal sign."""
    point, comma = _signs(decimal)
    grouped = rf"[1-9]\d{{0,2}}(?:{comma}\d{{3}})+|\d{{1,2}}(?:{comma}\d{{2}})+{comma}\d{{3}}"  # the latter in India
    return rf"^[+-]?(?:(?:{grouped}|\d+)(?:{point}\d*)?|{point}\d+)(?:[eE][+-]?\d+)?$"


def _certain(decimal: str) -> str:
    """Return the pattern of numbers that only that decimal sign allows."""
    point, comma = _signs(decimal)
    return (
        rf"^[+-]?(?:\d[\d{comma}]*{comma}\d{{3}}{point}\d*"  # 1,234.5
        rf"|\d+{point}(?:\d{{0,2}}|\d{{4,}})|{point}\d+"  # 12.5
        rf"|(?:\d{{4,}}|0\d*){point}\d{{3}}"  # 0.125
        rf"|\d{{1,3}}(?:{comma}\d{{2,3}})+{comma}\d{{3}}"  # 1,234,567
        rf"|\d+(?:{point}\d+)[eE][+-]?\d+)$"
    )


def _uncertain(sign: str) -> str:
    """Return the pattern of numbers in which the sign may be the decimal one or separate thousands."""
    point, _comma = _signs(sign)
    return rf"^[+-]?[1-9]\d{{0,2}}{point}\d{{3}}[KMBT]?$"


def _signs(decimal: str) -> tuple[str, str]:
    return (r"\.", ",") if decimal == "." else (",", r"\.")


def _first(columns: Sequence[pl.Series], pattern: str, rows: pl.Series) -> tuple[int, str] | None:
    """Return the row and the text of the first cell of that pattern in the first column that has one."""
    for column in columns:
        for part in (column.head(_SAMPLE), column):
            hits = part.str.contains(pattern).arg_true()
            if len(hits):
                return int(rows[hits[0]]), str(part[hits[0]])
    return None


def _is_smooth(prices: Sequence[pl.Series], decimal: Decimal) -> bool:
    """Return whether prices that are read with that decimal sign stay near one another.

    Prices a hundred times apart are not near.
    """
    columns: list[FloatColumn] = [_parsed(column, decimal, with_suffix=False).to_numpy() for column in prices]
    table = np.abs(np.column_stack(columns)) if columns else np.ones((0, 1))
    table = table[np.isfinite(table).all(axis=1) & (table > 0.0).all(axis=1)]
    between = table[1:, -1] / table[:-1, -1]
    ratios = (
        np.concatenate((table.max(axis=1) / table.min(axis=1), between, 1.0 / between)) if len(table) else np.ones(1)
    )
    return bool(ratios.max() < _JUMP)
