"""The filter line of a table: words that must occur, and conditions such as `pnl<0` or `side=long`. No Qt."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from quantcrafter.app.panes.results.columns import ShownTable, word
from quantcrafter.app.services.i18n import tr

Mask = npt.NDArray[np.bool_]
_CONDITION = re.compile(r"^([A-Za-z_]+)(<=|>=|!=|=|<|>)(.+)$")
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "!=": operator.ne,
}


class FilterError(ValueError):
    """A filter that cannot be understood; its text says why."""


def rows_that_match(sheet: ShownTable, text: str) -> Mask:
    """Return which rows pass the filter, shape (rows,); an empty filter lets all pass.

    Every part, divided by spaces, must hold. A part is a condition on a column, or a text that occurs in any column of
    words.

    Raises:
        FilterError: a condition names no column, or compares with what is not a number.
    """
    keep = np.ones(len(sheet.values), np.bool_)
    for part in text.split():
        found = _CONDITION.match(part)
        keep &= _condition(sheet, *found.groups()) if found else _words(sheet, part)
    return keep


def _condition(sheet: ShownTable, name: str, sign: str, wanted: str) -> Mask:
    column = next((each for each in sheet.shown if name.lower() in (each.name.lower(), each.title.lower())), None)
    if column is None:
        names = ", ".join(each.name for each in sheet.shown)
        raise FilterError(tr("There is no column “{name}”. Available columns: {names}.", name=name, names=names))
    values = sheet.values[column.name]
    if column.kind == "time":
        return np.asarray(_COMPARE[sign](sheet.wall_times(column.name), _moment(wanted)))
    if column.numeric:
        return np.asarray(_COMPARE[sign](values.astype(np.float64), _number(wanted)))
    if sign not in ("=", "!="):
        raise FilterError(tr("“{name}” contains text. Compare it with = or !=.", name=name))
    same = _texts(values, translated=column.kind == "word", wanted=wanted.lower())
    return same if sign == "=" else ~same


def _number(text: str) -> float:
    try:
        return float(text.replace(",", "").rstrip("%"))
    except ValueError:
        raise FilterError(tr("“{text}” is not a number.", text=text)) from None


def _moment(text: str) -> int:
    try:
        return int(np.datetime64(text, "ns").astype(np.int64))
    except ValueError:
        raise FilterError(tr("“{text}” is not a date such as 2024-01-31.", text=text)) from None


def _words(sheet: ShownTable, part: str) -> Mask:
    keep = np.zeros(len(sheet.values), np.bool_)
    for column in sheet.shown:
        if not column.numeric:
            keep |= _texts(sheet.values[column.name], translated=column.kind == "word", wanted=part.lower())
    return keep


def _texts(values: npt.NDArray[Any], *, translated: bool, wanted: str) -> Mask:
    """Return where the text occurs, in the file's word or in the one on the screen; looked for once a word."""
    distinct, place = np.unique(values.astype(np.str_), return_inverse=True)
    found = [wanted in text.lower() or (translated and wanted in word(text).lower()) for text in distinct.tolist()]
    return np.asarray(found, np.bool_)[place] if found else np.zeros(len(values), np.bool_)
