"""Further entries that wait at their prices, against a few lines of plain Python that were written from the page."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.entries import Offset, ScaleInRule
from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.ledger import Ledger, OrderStatus, Reason
from quantcrafter.engine.api.ports import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT
from quantcrafter.engine.api.rules import (
    ExecutionRule,
    GuardKind,
    GuardRule,
    HaltAction,
    ProtectiveKind,
    ProtectiveRule,
    SizeKind,
    SizeRule,
)
from quantcrafter.engine.simulation.driver import simulate
from quantcrafter.engine.simulation.kernel_forms import INTERPRETED
from tests.support.counts import sample
from tests.support.jobs import Setup, make_bars, make_job

Row = tuple[int, int, int, int]


@dataclass
class Pyramid:
    """A long position in whole prices; a short one is traded on prices with their signs changed."""

    spacing: int
    stop_distance: int
    sizes: tuple[int, ...]
    against: bool
    fills: list[tuple[int, int, int]] = field(default_factory=list)
    lots: int = 0
    entries: int = 0
    last: int = 0
    stop: int = 0
    levels: list[int] = field(default_factory=list)

    def run(self, rows: list[Row], enter: list[bool], leave: list[bool]) -> Pyramid:
        """Trade all bars: open, high, low, close."""
        entering = leaving = False
        for bar, (open_, high, low, close) in enumerate(rows):
            if leaving and self.lots:
                self._out(bar, open_)
            if entering:
                self._add(bar, open_)
            self._at_open(bar, open_)
            self._inside(bar, high, low, close)
            entering = enter[bar] and self.lots == 0 and not leave[bar]
            leaving = leave[bar] and self.lots > 0
            self.levels = [] if leaving or not self.lots else self._next_levels()
        return self

    def _next_levels(self) -> list[int]:
        away = -self.spacing if self.against else self.spacing
        return [self.last + away * n for n in range(1, len(self.sizes) - self.entries + 1)]

    def _add(self, bar: int, price: int) -> None:
        size = self.sizes[self.entries]
        self.fills.append((bar, size, price))
        self.lots, self.entries, self.last, self.stop = (
            self.lots + size,
            self.entries + 1,
            price,
            price - self.stop_distance,
        )

    def _out(self, bar: int, price: int) -> None:
        self.fills.append((bar, -self.lots, price))
        self.lots, self.entries, self.levels = 0, 0, []

    def _at_open(self, bar: int, open_: int) -> None:
        if self.lots and open_ <= self.stop:
            self._out(bar, open_)
        while self.levels and (open_ <= self.levels[0] if self.against else open_ >= self.levels[0]):
            self.levels.pop(0)
            self._add(bar, open_)

    def _inside(self, bar: int, high: int, low: int, close: int) -> None:
        if not self.lots:
            return
        stopped, grown = low <= self.stop, False
        while self.levels and (
            low <= self.levels[0] and self.levels[0] > self.stop if self.against else high >= self.levels[0]
        ):
            self._add(bar, self.levels.pop(0))
            grown = True
        # What the price fell to afterwards is known of a limit order, and assumed where the stop was reached anyway.
        lowest = close if grown and not self.against and not stopped else low
        if lowest <= self.stop:
            self._out(bar, self.stop)


def job_of(given_: Pyramid, rows: list[Row], flags: list[int], side: int) -> EngineJob:
    """Return the job of a pyramid; prices lie around 500, so that none is below zero."""
    table = np.array([[500 + side * price for price in row] for row in rows], np.float64)
    if side < 0:
        table = table[:, [0, 2, 1, 3]]
    scale = ScaleInRule(
        len(given_.sizes),
        Offset(ticks=float(given_.spacing)),
        in_favour=not given_.against,
        resting=True,
        sizes=tuple(map(float, given_.sizes)),
    )
    stop = ProtectiveRule(ProtectiveKind.STOP_LOSS, ticks=float(given_.stop_distance), scope="last_entry")
    return make_job(
        (make_bars(table), Setup(flags=flags, tick_size=1.0)),
        size=SizeRule(SizeKind.QUANTITY, 1.0),
        protection=(stop,),
        execution=ExecutionRule(scale_in=scale),
        settings={"cash": 1e9},
    )


@settings(max_examples=sample(300, of=20_000), deadline=None)
@given(
    st.integers(1, 3),
    st.integers(1, 6),
    st.sampled_from([(1, 1), (1, 2, 3, 4), (1, 1, 1, 1), (1, 5, 2)]),
    st.sampled_from(["favour", "against"]),
    st.sampled_from([1, -1]),
    st.integers(0, 2**32 - 1),
    st.integers(2, 40),
)
def test_further_entries_fill_as_in_a_plain_program(
    spacing: int, distance: int, sizes: tuple[int, ...], direction: str, side: int, seed: int, length: int
) -> None:
    rng = np.random.default_rng(seed)
    open_, close = rng.integers(-5, 6, (2, length))
    high = np.maximum(open_, close) + rng.integers(0, 4, length)
    low = np.minimum(open_, close) - rng.integers(0, 4, length)
    rows: list[Row] = [tuple(map(int, row)) for row in np.column_stack([open_, high, low, close])]  # type: ignore[misc]
    enter, leave = rng.random(length) < 0.5, rng.random(length) < 0.15
    enter &= ~leave
    plain = Pyramid(spacing, distance, sizes, direction == "against").run(rows, enter.tolist(), leave.tolist())
    enters, exits = (ENTER_LONG, EXIT_LONG) if side > 0 else (ENTER_SHORT, EXIT_SHORT)
    flags = [int(enters) * bool(e) + int(exits) * bool(x) for e, x in zip(enter, leave, strict=True)]
    ledger = simulate(job_of(plain, rows, flags, side), kernel=INTERPRETED)
    fills = [
        (int(f["bar"]), side * int(f["side"] * f["lots"]), side * round(float(f["price"]) - 500)) for f in ledger.fills
    ]
    assert fills == plain.fills


def resting(ledger: Ledger) -> list[tuple[int, int, float, str]]:
    """Return when each further entry was placed and when it ended, its price, and how."""
    return [
        (int(o["created_bar"]), int(o["closed_bar"]), float(o["price"]), OrderStatus(o["status"]).name.lower())
        for o in ledger.orders
        if o["reason"] == Reason.SCALE_IN
    ]


CALM: Row = (0, 1, -1, 0)


def test_an_exit_signal_ends_what_waits() -> None:
    given_ = Pyramid(spacing=3, stop_distance=9, sizes=(1, 1, 1), against=False)
    ledger = simulate(job_of(given_, [CALM] * 5, [int(ENTER_LONG), 0, 0, int(EXIT_LONG), 0], 1), kernel=INTERPRETED)
    assert resting(ledger) == [(1, 3, 503.0, "cancelled"), (1, 3, 506.0, "cancelled")]


def test_what_a_halt_has_cancelled_is_placed_again_when_it_ends() -> None:
    given_ = Pyramid(spacing=5, stop_distance=20, sizes=(1, 1), against=True)
    rows: list[Row] = [CALM, CALM, (0, 0, -4, -4), CALM, CALM]
    job = job_of(given_, rows, [int(ENTER_LONG), 0, 0, 0, 0], 1)
    guard = GuardRule(GuardKind.DAILY_LOSS, 4e-7, HaltAction.NO_NEW_TRADES)
    ledger = simulate(make_guarded(job, guard), kernel=INTERPRETED)
    assert resting(ledger) == [(1, 2, 495.0, "cancelled"), (3, 4, 495.0, "cancelled")]


def make_guarded(job: EngineJob, guard: GuardRule) -> EngineJob:
    """Return the job with a guard."""
    return replace(job, guards=(guard,))


def test_sizes_that_do_not_fit_are_refused() -> None:
    given_ = Pyramid(spacing=5, stop_distance=20, sizes=(1, 1), against=True)
    job = job_of(given_, [CALM] * 2, [0, 0], 1)
    for sizes in ((1.0,), (2.0, 1.0), (1.0, 0.0), (1.0, float("nan"))):
        scale = ScaleInRule(2, Offset(ticks=1.0), sizes=sizes)
        with pytest.raises(RunError, match="Sizes are 2 numbers above 0, the first of them 1"):
            simulate(with_rule(job, ExecutionRule(scale_in=scale)), kernel=INTERPRETED)


def with_rule(job: EngineJob, rule: ExecutionRule) -> EngineJob:
    """Return the job with another execution rule."""
    return replace(job, executions=(replace(job.executions[0], rule=rule),))
