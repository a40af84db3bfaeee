"""Prices that were adjusted after they were stored: told from bars that are downloaded again, and put right."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from quantcrafter.engine.api import Bars, DataError, FloatColumn
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.data.findings import clock

_SAME = 5e-6
"""Relative difference of one price: a server's rounding explains less, the smallest dividends are more."""
_EVEN = 1e-3
_LARGEST_PART = 1000


def common_closes(old: Bars, new: Bars) -> tuple[FloatColumn, FloatColumn]:
    """Return the closes of bars that are in both; that of the newest old bar, which may have been corrected, is not."""
    _, mine, its = np.intersect1d(old.open_ns[:-1], new.open_ns, assume_unique=True, return_indices=True)
    return old.close[mine], new.close[its]


def were_adjusted(old: Bars, new: Bars) -> bool:
    """Return whether the same bars have other prices now."""
    before, now = common_closes(old, new)
    return bool((np.abs(now / before - 1.0) > _SAME).any())


def readjusted(old: Bars, anew: Bars) -> Bars:
    """Return bars downloaded anew, with the old ones before them at the same scale.

    The server may not reach back as far as what is stored. The factor of the older bars is that of the bars that are in
    both; volumes are divided by it where it is a split's, a ratio of small whole numbers.

    Raises:
        DataError: no bar is in both, or their prices differ by more than a factor.
    """
    before = int(np.searchsorted(old.open_ns, anew.open_ns[0]))
    if not before:
        return anew
    was, now = common_closes(old, anew)
    factors = now / was
    first = factors[:1]
    if not len(first) or float(np.abs(factors / first[0] - 1.0).max()) > _EVEN:
        raise DataError(
            Message(
                "{symbol} {timeframe}: the server has bars since {time} only, and their prices differ from the stored "
                "ones by more than a factor, so that older bars can't be adjusted. Download it under another name with "
                "'--as', or delete the stored series first.",
                symbol=old.symbol,
                timeframe=old.timeframe,
                time=clock(int(anew.open_ns[0])),
            )
        )
    factor, units = _factor(float(np.median(factors)))
    names = ("open", "high", "low", "close")
    values: dict[str, Any] = {
        name: np.concatenate((getattr(old, name)[:before] * factor, getattr(anew, name))) for name in names
    }
    missing = np.full(before, np.nan)
    extra = {name: np.concatenate((missing, column)) for name, column in anew.extra.items()}
    return replace(
        anew,
        extra=extra,
        open_ns=np.concatenate((old.open_ns[:before], anew.open_ns)),
        close_ns=np.concatenate((old.close_ns[:before], anew.close_ns)),
        volume=np.concatenate((old.volume[:before] * units, anew.volume)),
        **values,
    )


def _factor(measured: float) -> tuple[float, float]:
    """Return the factor of prices and that of volumes: exact for a split, and volumes as they are for a dividend."""
    ratio = (
        Fraction(measured).limit_denominator(_LARGEST_PART)
        if measured < 1.0
        else (1 / Fraction(1.0 / measured).limit_denominator(_LARGEST_PART))
    )
    parts = (ratio.numerator, ratio.denominator)
    is_split = ratio != 1 and min(parts) <= 20 and abs(float(ratio) / measured - 1.0) < 1e-5  # noqa: PLR2004
    return (float(ratio), 1.0 / float(ratio)) if is_split else (measured, 1.0)
