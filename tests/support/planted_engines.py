"""Engines with a fault each, as a plugin: what a comparison must find and name."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np

from quantcrafter import (
    BAR_STANDARD,
    Capability,
    EngineAdapter,
    EngineJob,
    Ledger,
    Phase,
    RunError,
    WorkingOrder,
    hookimpl,
    match_job,
)


class Right:
    """Matches after the bar standard."""

    def match(self, order: WorkingOrder) -> float | None:
        buying = order.side > 0
        if order.phase == Phase.OPEN:
            return order.open
        if order.phase == Phase.STOP:
            touched = order.high >= order.price if buying else order.low <= order.price
            return (max if buying else min)(order.price, order.open) if touched else None
        touched = order.low <= order.price if buying else order.high >= order.price
        return (min if buying else max)(order.price, order.open) if touched else None


class GaplessMatcher(Right):
    """Fills stops at their trigger even when the bar opens beyond it."""

    def match(self, order: WorkingOrder) -> float | None:
        price = super().match(order)
        return order.price if order.phase == Phase.STOP and price is not None else price


class DeafMatcher(Right):
    """Never fills limit orders."""

    def match(self, order: WorkingOrder) -> float | None:
        return None if order.phase == Phase.LIMIT else super().match(order)


class RoughMatcher(Right):
    """Is off by less than a tick where a limit fills."""

    def match(self, order: WorkingOrder) -> float | None:
        price = super().match(order)
        return price + 0.004 if price is not None and order.phase == Phase.LIMIT else price


class Planted(EngineAdapter):
    """Does as the bar standard says."""

    name = "right"
    capabilities = BAR_STANDARD
    matcher: ClassVar[type[Right]] = Right

    def run(self, job: EngineJob) -> Ledger:
        return match_job(job, self.matcher())


class Gapless(Planted):
    """Has a wrong fill rule for stops."""

    name = "gapless"
    matcher = GaplessMatcher


class Deaf(Planted):
    """Has a wrong fill rule for limits."""

    name = "deaf"
    matcher = DeafMatcher


class Rough(Planted):
    """Rounds wrongly."""

    name = "rough"
    matcher = RoughMatcher


class Late(Planted):
    """Sees every signal one bar late."""

    name = "late"

    def run(self, job: EngineJob) -> Ledger:
        def later(flags: np.ndarray) -> np.ndarray:
            return np.append(np.zeros(1, flags.dtype), flags[:-1])

        instruments = tuple(replace(each, flags=later(each.flags)) for each in job.instruments)
        return match_job(replace(job, instruments=instruments), Right())


class Dear(Planted):
    """Charges one unit of currency more than it should."""

    name = "dear"

    def run(self, job: EngineJob) -> Ledger:
        commission = job.settings.commission.model_copy(update={"per_order": job.settings.commission.per_order + 1})
        return match_job(replace(job, settings=job.settings.model_copy(update={"commission": commission})), Right())


class Poor(Planted):
    """Has no limit orders."""

    name = "poor"
    capabilities = BAR_STANDARD - {Capability.LIMIT_ORDERS}


class Sick(Planted):
    """Fails on the way."""

    name = "sick"

    def run(self, job: EngineJob) -> Ledger:  # noqa: ARG002 - it looks at nothing
        raise RunError("Prices above 100 make it dizzy.")


@hookimpl
def register_engines() -> list[type[EngineAdapter]]:
    """Return all of them."""
    return [Planted, Gapless, Deaf, Rough, Late, Dear, Poor, Sick]
