"""Instruments that close together: their books are those of the general way through the events of a step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.ports import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT
from quantcrafter.engine.api.rules import OnOpposite, ProtectiveKind, ProtectiveRule, SizeKind, SizeRule
from quantcrafter.engine.simulation import arrays
from quantcrafter.engine.simulation.driver import simulate, simulate_stepwise
from quantcrafter.engine.simulation.kernel_forms import INTERPRETED, compiled
from tests.support.counts import seed
from tests.support.jobs import Setup, make_bars, make_job
from tests.support.ledger_checks import assert_same_bits

BARS = 1_000
FLAGS = [0, ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT]
RULES = {
    "signals alone": (),
    "stop and target": (
        ProtectiveRule(ProtectiveKind.STOP_LOSS, percent=2.0),
        ProtectiveRule(ProtectiveKind.TAKE_PROFIT, percent=3.0),
    ),
    "trailing stop": (ProtectiveRule(ProtectiveKind.TRAILING_STOP, percent=1.5),),
}
SETTINGS: dict[str, dict[str, Any]] = {
    "enough cash": {"cash": 1e6, "commission": {"percent": 0.05}},
    "an account that is lost": {"cash": 3e3, "commission": {"percent": 0.5}},
    "a borrow fee": {"cash": 1e6},
}


def job(rules: tuple[ProtectiveRule, ...], settings: dict[str, Any], borrowed: float) -> EngineJob:
    rng = np.random.default_rng(seed("side by side"))
    pairs = []
    for k in range(4):
        close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, BARS)))
        open_ = close * np.exp(rng.normal(0.0, 0.003, BARS))
        spread = np.exp(np.abs(rng.normal(0.0, 0.005, BARS)))
        rows = np.column_stack([open_, np.maximum(open_, close) * spread, np.minimum(open_, close) / spread, close])
        # Some instruments hardly ever act, so that others' steps are passed by them.
        often = 0.02 if k % 2 else 0.3
        flags = np.where(rng.random(BARS) < often, rng.choice(FLAGS, BARS), 0)
        pairs.append((make_bars(rows, f"S{k}"), Setup(flags=flags.tolist(), more={"borrow_percent": borrowed})))
    size = SizeRule(SizeKind.QUANTITY, 10.0)
    return make_job(*pairs, size=size, protection=rules, on_opposite=OnOpposite.REVERSE, settings=settings)


@pytest.mark.parametrize("settings", list(SETTINGS))
@pytest.mark.parametrize("rules", list(RULES))
def test_books_do_not_depend_on_how_steps_are_gone_through(
    rules: str, settings: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = job(RULES[rules], SETTINGS[settings], 5.0 if settings == "a borrow fee" else 0.0)
    assert arrays.are_side_by_side(together)
    ledger = simulate(together, kernel=compiled())
    assert len(ledger.fills) > 20
    assert_same_bits(ledger, simulate(together, kernel=INTERPRETED))
    monkeypatch.setattr(arrays, "are_side_by_side", lambda _: False)
    assert_same_bits(ledger, simulate(together, kernel=compiled()))
    assert_same_bits(ledger, simulate_stepwise(together, None, compiled()))
