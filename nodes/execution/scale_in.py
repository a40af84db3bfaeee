"""Further entries in the direction held."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, Self

from pydantic import model_validator

from quantcrafter.engine.api import (
    MOST_ENTRIES,
    ExecutionRule,
    Message,
    Offset,
    OnOpposite,
    OrderKind,
    ScaleInRule,
    param,
)
from quantcrafter.nodes.execution.base import NEEDS_ATR, WaitingExecution

_LARGEST = 1000.0
"""The largest size of an entry, in sizes of the first."""

_FIRST = {"market": OrderKind.MARKET, "limit": OrderKind.LIMIT, "stop": OrderKind.STOP}


class ScaleIn(WaitingExecution):
    """Enter, and enlarge the position in steps: pyramiding with it, averaging down against it.

    The first entry is a market order or, as `first` says, a limit or stop order with the price, the offsets and the
    time in force of the nodes limit and stop_entry. Further entries are the spacing away from the price of the one
    before, in favour of the position or against it. The spacing is the sum of the four.

    With `further: market`, one is ordered at a close that is at least that far from the last entry's fill price; with
    `on_signal` only on a bar with an entry signal of its side. With `further: resting`, all that are left wait at their
    prices at the same time: stop orders in favour, limit orders against. They are created at the first close after an
    entry, with the range as it is then, each one spacing from the one before, and replaced when one has filled, counted
    from its fill price. They end with the position, or with an exit signal.

    The second entry has the first one's size times `size_factor`, the third that again times the factor; or give the
    size of each, in sizes of the first, as `sizes`. No more than `max_entries` are made. An exit closes all of it.
    Filters and halts also block further entries.

    Stops and targets belong to the whole position: with each entry they are replaced by orders for all of it, at their
    distance from its average price, or with `scope: last_entry` from the latest fill. Those with `scope: unit` belong
    to one entry each, and stay at their distance from its fill price. Source: pyramiding after Faith, The Original
    Turtle Trading Rules (2003): by half an ATR in favour.
    """

    name = "scale_in"
    category = "Position building"

    max_entries: int = param("Entries in all, the first included.", default=4, ge=2, le=MOST_ENTRIES)
    direction: Literal["favour", "against"] = param("Whether to add to winners or to losers.", default="favour")
    spacing_percent: float = param("Distance of entries, in percent.", default=0.0, unit="%", ge=0, lt=100)
    spacing_ticks: float = param("Distance of entries, in ticks.", default=0.0, unit="ticks", ge=0, le=1e6)
    spacing_pips: float = param("Distance of entries, in pips.", default=0.0, unit="pips", ge=0, le=1e6)
    spacing_atr: float = param("Distance of entries, in average true ranges.", default=0.0, ge=0, le=1000)
    size_factor: float = param("Size of an entry, in sizes of the one before.", default=1.0, gt=0, le=10)
    sizes: tuple[float, ...] = param(
        "Size of each entry, in sizes of the first, such as [1, 2, 3, 4]; instead of the factor.", default=()
    )
    on_signal: bool = param("Add only on a bar with an entry signal.", default=False)
    first: Literal["market", "limit", "stop"] = param("The order of the first entry.", default="market")
    further: Literal["market", "resting"] = param(
        "Further entries: market orders after a close beyond the price, or orders that wait at it.", default="market"
    )

    @model_validator(mode="after")
    def _spacing_is_known(self) -> Self:
        if self.spacing_atr and self.atr is None:
            raise ValueError(NEEDS_ATR)
        spaced = self.spacing_percent or self.spacing_ticks or self.spacing_pips or self.spacing_atr
        if not (spaced or (self.on_signal and self.further == "market")):
            wish = Message("set spacing_percent, spacing_ticks, spacing_pips or spacing_atr")
            raise ValueError(Message("entries need a distance, or on_signal: {wish}", wish=wish))
        if self.on_signal and self.further == "resting":
            raise ValueError(Message("entries that wait at a price can't wait for a signal: leave out on_signal"))
        return self

    @model_validator(mode="after")
    def _sizes_fit(self) -> Self:
        if not self.sizes:
            return self
        if self.size_factor != 1.0:
            raise ValueError(Message("sizes and size_factor exclude each other: leave one out"))
        count = len(self.sizes)
        if count != self.max_entries:
            raise ValueError(
                Message(
                    "sizes has {count} numbers, and max_entries is {most}: set max_entries to {count}",
                    count=count,
                    most=self.max_entries,
                )
            )
        if self.sizes[0] != 1.0 or not all(0.0 < size <= _LARGEST for size in self.sizes):
            raise ValueError(
                Message(
                    "sizes begin with 1, the size that the money manager gives, and are above 0, were {sizes}",
                    sizes=list(self.sizes),
                )
            )
        return self

    @model_validator(mode="after")
    def _first_uses_its_price(self) -> Self:
        waiting = (self.line, self.short_line, self.offset_percent, self.offset_ticks, self.offset_pips)
        if self.on_opposite == "reverse_at_price":
            raise ValueError(
                Message("a position that grows can't be reversed at a price: set on_opposite to reverse or close")
            )
        if self.first == "market" and (
            self.two_sided or any(waiting) or self.offset_atr or self.follow or self.time_in_force != "gtc"
        ):
            raise ValueError(Message("a market order has no line, offset or time in force: set first to limit or stop"))
        return self

    def rule(self) -> ExecutionRule:
        spacing = Offset(self.spacing_percent, self.spacing_ticks, self.spacing_atr, self.spacing_pips)
        scale = ScaleInRule(
            self.max_entries,
            spacing,
            self.direction == "favour",
            self.size_factor,
            self.on_signal,
            self.further == "resting",
            self.sizes,
        )
        if self.first == "market":
            return ExecutionRule(OnOpposite[self.on_opposite.upper()], self.combine, scale_in=scale)
        return replace(self.entry(_FIRST[self.first]), scale_in=scale)
