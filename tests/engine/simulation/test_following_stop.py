"""A stop that follows the price while nothing else happens: its moves and the books are those of bars run in full."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.ports import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT
from quantcrafter.engine.api.rules import OnOpposite, ProtectiveKind, ProtectiveRule, SizeKind, SizeRule
from quantcrafter.engine.simulation.driver import Pace, simulate, simulate_stepwise
from quantcrafter.engine.simulation.kernel_forms import INTERPRETED, compiled
from tests.support.counts import seed
from tests.support.jobs import Setup, make_bars, make_job
from tests.support.ledger_checks import assert_same_bits

BARS = 3_000
FLAGS = [ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT]
TRAILING = ProtectiveRule(ProtectiveKind.TRAILING_STOP, percent=1.5)
RULES = {
    "trailing": (TRAILING,),
    "in ticks": (ProtectiveRule(ProtectiveKind.TRAILING_STOP, ticks=90.0),),
    "close behind the price": (ProtectiveRule(ProtectiveKind.TRAILING_STOP, ticks=15.0),),
    "wider than the first stop": (ProtectiveRule(ProtectiveKind.STOP_LOSS, percent=0.5), TRAILING),
    "of two widths": (TRAILING, ProtectiveRule(ProtectiveKind.TRAILING_STOP, offset=1.2)),
    "with a target": (TRAILING, ProtectiveRule(ProtectiveKind.TAKE_PROFIT, percent=4.0)),
    "breaking even": (
        ProtectiveRule(ProtectiveKind.STOP_LOSS, percent=2.0),
        ProtectiveRule(ProtectiveKind.BREAK_EVEN, percent=1.0, lock_percent=0.2),
    ),
    "two that follow": (TRAILING, ProtectiveRule(ProtectiveKind.BREAK_EVEN, percent=1.0)),
}
SETTINGS: dict[str, dict[str, Any]] = {
    "enough cash": {"cash": 1e6, "commission": {"percent": 0.05}},
    "bid and ask": {"cash": 1e6, "commission": {"percent": 0.05}},
    "an account that is lost": {"cash": 1.2e3, "commission": {"percent": 0.5}, "margin": {"initial_percent": 20}},
    "slippage by range": {"cash": 1e6, "slippage": {"range_percent": 5}},
}


def job(rules: tuple[ProtectiveRule, ...], settings: dict[str, Any], between: float) -> EngineJob:
    rng = np.random.default_rng(seed("a following stop"))
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.004, BARS)))
    open_ = close * np.exp(rng.normal(0.0, 0.001, BARS))
    spread = np.exp(np.abs(rng.normal(0.0, 0.002, BARS)))
    rows = np.column_stack([open_, np.maximum(open_, close) * spread, np.minimum(open_, close) / spread, close])
    flags = np.where(rng.random(BARS) < 0.05, rng.choice(FLAGS, BARS), 0)
    setup = Setup(flags=flags.tolist(), more={"spread": between})
    size = SizeRule(SizeKind.QUANTITY, 10.0)
    return make_job(
        (make_bars(rows), setup), size=size, protection=rules, on_opposite=OnOpposite.REVERSE, settings=settings
    )


@pytest.mark.parametrize("settings", list(SETTINGS))
@pytest.mark.parametrize("rules", list(RULES))
def test_books_are_those_of_bars_run_one_by_one(rules: str, settings: str) -> None:
    followed = job(RULES[rules], SETTINGS[settings], between=0.07 if settings == "bid and ask" else 0.0)
    stepped = simulate_stepwise(followed, None, compiled())
    assert len(stepped.interventions) > 5
    for kernel in (compiled(), INTERPRETED):
        assert_same_bits(simulate(followed, kernel=kernel), stepped)
        # So few rows that the tables are emptied between two moves of a stop.
        assert_same_bits(simulate(followed, Pace(chunk_bars=700, table_rows=1), kernel), stepped)
