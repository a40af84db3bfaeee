"""Conditions on the instrument itself: its symbol, and what the file says of it."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from pydantic import model_validator

from quantcrafter.engine.api import (
    BoolColumn,
    Logic,
    Message,
    Output,
    PortType,
    Question,
    Reason,
    Said,
    Universe,
    param,
)
from quantcrafter.engine.api.universe import UniverseNode
from quantcrafter.nodes.logic.universe import CATEGORY_UNIVERSE


class InstrumentIs(UniverseNode, Logic):
    """Hold for some instruments: those with one of the `symbols`, or whose `value` is one of `values`.

    The values of an instrument are what the file says of it by names of its own, such as its sector. Numbers are
    compared as they are written. Known at every bar, no warm-up.
    """

    name = "instrument_is"
    category = CATEGORY_UNIVERSE
    outputs = (Output("value", PortType.CONDITION, "Whether it is one of them."),)

    symbols: tuple[str, ...] = param("Symbols.", default=())
    value: str = param("The name of a value of the instruments, such as sector.", default="")
    values: tuple[str, ...] = param("What it may be.", default=())

    @model_validator(mode="after")
    def _something_to_compare(self) -> Self:
        if bool(self.value) != bool(self.values):
            raise ValueError(Message("'value' and 'values' belong together"))
        if not self.symbols and not self.values:
            raise ValueError(Message("there is nothing to compare with: give symbols, or a value and values"))
        return self

    def names(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return self.symbols, (self.value,) if self.value else ()

    def across(self, universe: Universe, **inputs: Any) -> BoolColumn:  # noqa: ARG002 - it has none
        said = universe.values.get(self.value, ("",) * len(universe.symbols))
        held = [self._is_meant(*each) for each in zip(universe.symbols, said, strict=True)]
        return np.broadcast_to(np.array(held, np.bool_), universe.counts.shape).copy()

    def _is_meant(self, symbol: str, said: str) -> bool:
        return symbol in self.symbols or (bool(self.values) and said in self.values)

    def explain(self, question: Question) -> Reason:
        said = question.said(self.value) if self.value else ""
        now = f"{question.symbol}, {said}" if said else question.symbol
        return Said(self._is_meant(question.symbol, said), now, ", ".join((*self.symbols, *self.values)))
