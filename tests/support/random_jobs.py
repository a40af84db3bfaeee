"""Hypothesis strategies for engine jobs: random bars, signals, rules and settings."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from engine.api.bars import Bars
from engine.api.engine import EngineJob
from engine.api.rules import OnOpposite, ProtectiveKind, ProtectiveRule, SizeKind, SizeRule
from tests.support.jobs import Setup, make_bars, make_job

SIZES = st.sampled_from(
    [
        SizeRule(SizeKind.QUANTITY, 7.0),
        SizeRule(SizeKind.QUANTITY, 0.3),
        SizeRule(SizeKind.CASH, 5_000.0),
        SizeRule(SizeKind.EQUITY_PERCENT, 100.0),
        SizeRule(SizeKind.EQUITY_PERCENT, 40.0),
        SizeRule(SizeKind.RISK_PERCENT, 2.0),
    ]
)
RULES = st.lists(
    st.sampled_from(
        [
            ProtectiveRule(ProtectiveKind.STOP_LOSS, percent=1.0),
            ProtectiveRule(ProtectiveKind.STOP_LOSS, multiple=1.5, column="atr"),
            ProtectiveRule(ProtectiveKind.TAKE_PROFIT, percent=1.5),
            ProtectiveRule(ProtectiveKind.TAKE_PROFIT, multiple=2.0, column="atr"),
        ]
    ),
    unique=True,
    max_size=4,
).map(tuple)


@st.composite
def run_settings(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a `run:` section."""
    return {
        "cash": draw(st.sampled_from([1_000.0, 10_000.0, 1_000_000.0])),
        "commission": {
            "percent": draw(st.sampled_from([0.0, 0.1])),
            "per_unit": draw(st.sampled_from([0.0, 0.01])),
            "per_order": draw(st.sampled_from([0.0, 1.0])),
            "minimum": draw(st.sampled_from([0.0, 5.0])),
        },
        "slippage": {"bps": draw(st.sampled_from([0.0, 3.0])), "ticks": draw(st.sampled_from([0.0, 1.0]))},
        "fills": {"arm": draw(st.sampled_from(["entry_bar", "next_bar"]))},
        "insufficient_cash": draw(st.sampled_from(["reduce", "reject"])),
        "end_of_data": draw(st.sampled_from(["leave", "close_last"])),
    }


def random_bars(seed: int, symbol: str, days: np.ndarray[Any, np.dtype[np.int64]]) -> Bars:
    """Return a random walk with gaps, prices in cents, one bar for each of the days."""
    rng = np.random.default_rng(seed)
    n = len(days)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, n)))
    open_ = np.concatenate([[100.0], close[:-1]]) * np.exp(rng.normal(0.0, 0.004, n))
    high = np.maximum(open_, close) * (1.0 + rng.exponential(0.004, n))
    low = np.minimum(open_, close) * (1.0 - rng.exponential(0.004, n))
    open_, close = open_.round(2), close.round(2)
    high, low = np.maximum(high.round(2), np.maximum(open_, close)), np.minimum(low.round(2), np.minimum(open_, close))
    return make_bars(np.column_stack([open_, high, low, close]), symbol, days)


def random_setup(seed: int, n: int, protection: tuple[ProtectiveRule, ...], lot_size: float) -> Setup:
    """Return random signals, filters and rule columns, some of whose values are missing."""
    rng = np.random.default_rng(seed + 1)
    flags = np.where(rng.random(n) < 0.3, rng.integers(0, 16, n), 0)
    atr = np.where(rng.random(n) < 0.1, np.nan, rng.uniform(0.2, 2.0, n))
    columns = tuple(atr if rule.column else None for rule in protection)
    return Setup(list(flags), list(rng.random(n) < 0.8), int(rng.integers(0, 5)), 0.01, lot_size, columns)


@st.composite
def jobs(draw: st.DrawFn, max_bars: int = 60, max_instruments: int = 3, **fixed: Any) -> EngineJob:
    """Draw a job; `fixed` settings override the drawn ones."""
    protection = draw(RULES)
    lot_size = draw(st.sampled_from([1.0, 0.1, 0.25, 5.0]))
    pairs = []
    for k in range(draw(st.integers(1, max_instruments))):
        seed = draw(st.integers(0, 2**32 - 1))
        length = draw(st.integers(1, max_bars))
        days = np.flatnonzero(np.random.default_rng(seed).random(length) < (1.0 if k == 0 else 0.7))
        days = days if len(days) else np.array([0])
        pairs.append((random_bars(seed, f"S{k}", days), random_setup(seed, len(days), protection, lot_size)))
    return make_job(
        *pairs,
        size=draw(SIZES),
        protection=protection,
        on_opposite=draw(st.sampled_from(list(OnOpposite))),
        settings={**draw(run_settings()), **fixed},
    )
