"""Take-profit in parts."""

from __future__ import annotations

from dataclasses import replace
from typing import Self

from pydantic import model_validator

from quantcrafter.engine.api import (
    Message,
    ProtectiveKind,
    ProtectiveRule,
    RiskManager,
    Scope,
    SeriesInput,
    param,
    port,
)
from quantcrafter.nodes.risk.protective import SCOPE


class PartialTarget(RiskManager):
    """Take the profit of a part of the position when it has gained a distance; several can be combined.

    A limit order for `share` percent of the position, at the entry's average price plus (for a short: less) the sum of
    the three distances, rounded to the tick. Partial targets are active at the same time, the nearest first; their
    shares are added up before they are rounded down to lots, so that shares of 100 % together close all of it. The rest
    stays protected by the stop-loss, which is reduced to it.
    """

    name = "partial_target"
    category = "Take-profit"

    share: float = param("Part of the position.", default=50.0, unit="%", gt=0, lt=100)
    percent: float = param("Distance in percent of the entry price.", default=0.0, unit="%", ge=0, le=10_000)
    pips: float = param("Distance in pips.", default=0.0, unit="pips", ge=0, le=1e6)
    multiple: float = param("Distance in average true ranges.", default=0.0, ge=0, le=1000)
    atr: SeriesInput | None = port("The average true range, such as a node of ta.ATR.", default=None)
    scope: Scope = param(SCOPE, default="position")

    @model_validator(mode="after")
    def _distance_is_known(self) -> Self:
        if self.multiple and self.atr is None:
            raise ValueError(Message("a distance in average true ranges needs the range: wire 'atr'"))
        if not (self.percent or self.pips or self.multiple):
            raise ValueError(Message("a target needs a distance: set percent, pips or multiple"))
        return self

    def rule(self) -> ProtectiveRule:
        column = "atr" if self.multiple else None
        distance = ProtectiveRule(ProtectiveKind.TAKE_PROFIT, self.percent, self.multiple, column, pips=self.pips)
        return replace(distance, share=self.share, scope=self.scope)
