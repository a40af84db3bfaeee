"""The contracts of a continuous series in a history: which one each bar is of, and at what prices it was rolled."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from quantcrafter.engine.api import Bar, FloatColumn, HeldContract, Rolls, TimeColumn
from quantcrafter.engine.api.message import Message


class HistoryRolls:
    """The contracts of a history.

    Args:
        rolls: those of the bars with which it begins, at real prices: sessions compute columns on these.
    """

    def __init__(self, rolls: Rolls) -> None:
        count = int(rolls.contract[-1]) + 1 if len(rolls.contract) else 0
        self._names, self._expiries = list(rolls.names[:count]), list[int | None]([None] * count)
        if count and count == len(rolls.names):
            self._expiries[-1] = rolls.expiries[-1]

    def fault(self, bar: Bar) -> str:
        """Return what is wrong with the contract that the next bar names."""
        held = bar.contract
        if held is None:
            return Message("must name its 'contract', as its instrument is a continuous series.")
        is_new = bool(self._names) and held.name != self._names[-1]
        if is_new and (held.roll is None or not math.isfinite(held.roll)):
            return Message(
                "must say in 'contract' at which price '{old}' was rolled into '{new}'.",
                old=self._names[-1],
                new=held.name,
            )
        if not is_new and held.roll is not None:
            return Message("has a roll, but is of the same contract as the last one, or the first of all.")
        return ""

    def take(self, bar: Bar) -> tuple[float, int]:
        """Take the contract of the next bar, and return the price of its roll (NaN for none) and its number."""
        held = bar.contract
        if held is None:  # pragma: no cover - `fault` has told it
            return math.nan, len(self._names) - 1
        if not self._names or held.name != self._names[-1]:
            self._names.append(held.name)
            self._expiries.append(held.expiry_day)
        self._expiries[-1] = held.expiry_day
        return math.nan if held.roll is None else held.roll, len(self._names) - 1

    def rolls(self, price: FloatColumn, contract: TimeColumn) -> Rolls:
        """Return the rolls of some bars."""
        n = len(price)
        return Rolls(price, contract, np.ones(n), np.zeros(n), tuple(self._names), tuple(self._expiries))


def contract_at(rolls: Rolls | None, index: int) -> Mapping[str, HeldContract]:
    """Return the contract of one of several bars, if they are of a continuous series."""
    if rolls is None:
        return {}
    number, roll = int(rolls.contract[index]), float(rolls.price[index])
    is_last = number == len(rolls.names) - 1
    held = HeldContract(
        rolls.names[number],
        None if math.isnan(roll) or index == 0 else roll,
        rolls.expiries[number] if is_last else None,
    )
    return {"contract": held}
