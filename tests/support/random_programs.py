"""Random programs of steps for random jobs: every operation, over prices and everything known of the position."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np

from quantcrafter.engine.api import (
    ENTER_LONG,
    ENTER_SHORT,
    EXIT_LONG,
    EXIT_SHORT,
    EngineJob,
    Given,
    Known,
    StepForm,
    StepValue,
)
from quantcrafter.engine.api.steps import Tape

LEGS = (ENTER_LONG, EXIT_LONG, ENTER_SHORT, EXIT_SHORT)


def with_program(job: EngineJob, seed: int) -> EngineJob:
    """Return a job whose signals, and sometimes its filter, come from a program of the seed as well."""
    rng = random.Random(seed)  # noqa: S311 - cases of a test, no secrets
    tape = Tape()
    made = _Program(StepForm(tape, {}), tape, rng)
    for _ in range(rng.randint(4, 25)):
        made.grow()
    flags = made.form.join_flags(tape.input("flags"), made.signal()) if rng.random() < 0.8 else None
    allowed = tape.input("allowed") & made.condition() if rng.random() < 0.5 else None
    program = tape.program([*made.series, *made.conditions], [(flags, allowed)])
    heads = ((program.flags, -1), (-1, program.allowed), (program.flags, program.allowed), (-1, -1))
    program = replace(program, further=tuple(rng.choice(heads) for _ in job.executions[1:]))
    instruments = []
    for each in job.instruments:
        bars = each.bars
        given = {
            "close": bars.close,
            "high": np.where(np.arange(len(bars)) % 7 == 3, np.nan, bars.high),
            "flags": each.flags,
            "allowed": each.allowed,
            Given.DAY: bars.close_ns // 172_800_000_000_000,
            Given.PRICE_SCALE: np.ones(len(bars)),
            Given.PRICE_OFFSET: np.zeros(len(bars)),
        }
        columns = tuple(np.asarray(given[source], np.float64) for source in tape.sources)
        instruments.append(replace(each, step_columns=columns))
    return replace(job, instruments=tuple(instruments), steps=program)


class _Program:
    """A program as it grows: series and conditions to make further ones of."""

    def __init__(self, form: StepForm, tape: Tape, rng: random.Random) -> None:
        self.form = form
        self.rng = rng
        self.series = [tape.input("close"), tape.input("high"), *map(form.known, rng.sample(list(Known), 6))]
        self.conditions = [form.known(Known.SIDE).equal(0.0), tape.input("close") > form.known(Known.ENTRY_PRICE)]
        self.day = form.given(Given.DAY)

    def grow(self) -> None:
        """Add one operation of any kind."""
        form, rng = self.form, self.rng
        a = rng.choice(self.series)
        b: StepValue | float = rng.choice(self.series) if rng.random() < 0.8 else rng.choice((0.0, 1.0, 2.5, 100.0))
        held, other = rng.choice(self.conditions), rng.choice(self.conditions)
        bars = rng.choice((1, 2, 3, 9))
        series = (
            lambda: a + b,
            lambda: a - b,
            lambda: a * b,
            lambda: form.finite(a / b),
            lambda: abs(a),
            lambda: form.least(a, b),
            lambda: form.most(a, b),
            lambda: form.lag(a, bars),
            lambda: form.age(held, other),
            lambda: form.count(held, bars),
            lambda: form.highest_since(a, held),
            lambda: form.growth(form.known(Known.ENTRIES_MADE), self.day),
            lambda: form.rank(a, bars + 1),
            lambda: form.zscore(a, bars + 1),
            lambda: form.volatility(a, bars + 1, 252.0),
            lambda: form.stance(self.signal()),
        )
        conditions = (
            lambda: a > b,
            lambda: a >= b,
            lambda: a.equal(b),
            lambda: a.differs(b),
            lambda: held & other,
            lambda: held | other,
            lambda: ~held,
            lambda: form.has_value(a),
            lambda: form.cross(a, b, rng.choice((2, 1000)), above=1),
        )
        if rng.random() < 0.6:
            self.series.append(rng.choice(series)())
        else:
            self.conditions.append(rng.choice(conditions)())

    def condition(self) -> StepValue:
        """Return one of the conditions so far."""
        return self.rng.choice(self.conditions)

    def signal(self) -> StepValue:
        """Return a signal of some legs."""
        return self.form.flags({leg: self.condition() for leg in LEGS if self.rng.random() < 0.7})
