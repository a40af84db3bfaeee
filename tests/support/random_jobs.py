"""Hypothesis strategies for engine jobs: random bars, signals, rules and settings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from quantcrafter.engine.api.bars import Bars
from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.entries import EntryRule, GridRule, Offset, OrderLife, RebalanceRule, ScaleInRule
from quantcrafter.engine.api.ledger import OrderKind
from quantcrafter.engine.api.rules import ExecutionRule, OnOpposite, ProtectiveKind, ProtectiveRule, SizeKind, SizeRule
from quantcrafter.engine.api.unit_rules import unit_fault
from tests.support.jobs import Setup, make_bars, make_job
from tests.support.random_account import (
    ADAPTIVE_SIZES,
    MOVING_RULES,
    PIP,
    account_settings,
    guards,
    lines,
    random_contract,
    random_dated,
    random_financing,
    random_venue,
)
from tests.support.random_executions import with_executions

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

PARTS = (
    ProtectiveRule(ProtectiveKind.TAKE_PROFIT, percent=0.5, share=40.0),
    ProtectiveRule(ProtectiveKind.TAKE_PROFIT, multiple=0.8, column="atr", share=60.0),
)


def by_last_entry(rules: tuple[ProtectiveRule, ...]) -> tuple[ProtectiveRule, ...]:
    """Return fixed stops and targets that follow the latest entry; the others as they are."""
    fixed = (ProtectiveKind.STOP_LOSS, ProtectiveKind.TAKE_PROFIT)
    return tuple(replace(rule, scope="last_entry") if rule.kind in fixed else rule for rule in rules)


def for_each_unit(rules: tuple[ProtectiveRule, ...], execution: ExecutionRule) -> tuple[ProtectiveRule, ...]:
    """Return stops and targets that each unit has for its own, without the stops that move, where that can be done."""
    fixed = (ProtectiveKind.STOP_LOSS, ProtectiveKind.TAKE_PROFIT)
    own = tuple(replace(rule, scope="unit") for rule in rules if rule.kind in fixed)
    return rules if unit_fault(execution, own) else own


@st.composite
def offsets(draw: st.DrawFn) -> Offset:
    """Draw a distance of an order from its line."""
    choices = [Offset(), Offset(percent=0.4), Offset(ticks=30.0), Offset(multiple=0.5), Offset(0.2, 10.0, 0.3)]
    choices += [Offset(pips=3.0), Offset(percent=0.1, pips=2.0)]
    return draw(st.sampled_from(choices))


@st.composite
def executions(draw: st.DrawFn) -> ExecutionRule:
    """Draw an execution rule of any kind."""
    opposite = draw(st.sampled_from(list(OnOpposite)[:3]))
    kind = draw(st.sampled_from(["market", "at_close", "waiting", "waiting", "scale_in", "grid", "rebalance"]))
    if kind == "waiting":
        order = draw(st.sampled_from([OrderKind.LIMIT, OrderKind.STOP, OrderKind.STOP_LIMIT]))
        life = draw(st.sampled_from(list(OrderLife)))
        entry = EntryRule(
            order,
            draw(offsets()),
            draw(offsets()),
            life,
            draw(st.integers(1, 5)),
            draw(st.booleans()),
            draw(st.booleans()),
        )
        return ExecutionRule(draw(st.sampled_from([opposite, OnOpposite.REVERSE_AT_PRICE])), entry=entry)
    spacing = draw(offsets().filter(lambda offset: offset != Offset()))
    if kind == "scale_in":
        factor, count = draw(st.sampled_from([0.5, 1.0, 1.7])), draw(st.integers(2, 4))
        sizes = draw(st.sampled_from([(), (1.0, 2.0, 3.0, 4.0)[:count], (1.0, 0.5, 2.5, 0.1)[:count]]))
        resting = draw(st.booleans())
        scale = ScaleInRule(count, spacing, draw(st.booleans()), factor, draw(st.booleans()), resting, sizes)
        first = draw(st.sampled_from([OrderKind.MARKET, OrderKind.MARKET, OrderKind.LIMIT, OrderKind.STOP]))
        both = first is not OrderKind.MARKET and draw(st.booleans())
        return ExecutionRule(opposite, entry=EntryRule(first, draw(offsets()), two_sided=both), scale_in=scale)
    if kind == "grid":
        return ExecutionRule(
            opposite, grid=GridRule(draw(st.integers(1, 6)), spacing, draw(st.sampled_from([50.0, 200.0])))
        )
    if kind == "rebalance":
        every, drift = draw(st.sampled_from([(3, 0.0), (0, 5.0), (7, 20.0)]))
        return ExecutionRule(rebalance=RebalanceRule(every, draw(st.booleans()), drift))
    return ExecutionRule(opposite, entry=EntryRule(OrderKind.AT_CLOSE if kind == "at_close" else OrderKind.MARKET))


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
        "fills": {
            "arm": draw(st.sampled_from(["entry_bar", "next_bar"])),
            "close": draw(st.sampled_from(["next_bar", "auction"])),
        },
        "insufficient_cash": draw(st.sampled_from(["reduce", "reject"])),
        "end_of_data": draw(st.sampled_from(["leave", "close_last"])),
    }


def random_bars(seed: int, symbol: str, days: np.ndarray[Any, np.dtype[np.int64]], shift: float = 0.0) -> Bars:
    """Return a random walk with gaps, prices in cents, one bar for each of the days; it begins near 100 + `shift`."""
    rng = np.random.default_rng(seed)
    n = len(days)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, n)))
    open_ = np.concatenate([[100.0], close[:-1]]) * np.exp(rng.normal(0.0, 0.004, n))
    high = np.maximum(open_, close) * (1.0 + rng.exponential(0.004, n))
    low = np.minimum(open_, close) * (1.0 - rng.exponential(0.004, n))
    open_, close = open_.round(2), close.round(2)
    high, low = np.maximum(high.round(2), np.maximum(open_, close)), np.minimum(low.round(2), np.minimum(open_, close))
    return make_bars((np.column_stack([open_, high, low, close]) + shift).round(2), symbol, days)


def random_setup(
    seed: int,
    bars: Bars,
    protection: tuple[ProtectiveRule, ...],
    lot_size: float,
    execution: ExecutionRule,
    *,
    ranked: bool = False,
) -> Setup:
    """Return random signals, filters and columns, some of whose values are missing."""
    n = len(bars)
    rng = np.random.default_rng(seed + 1)
    flags = np.where(rng.random(n) < 0.3, rng.integers(0, 16, n), 0)
    atr = np.where(rng.random(n) < 0.1, np.nan, rng.uniform(0.2, 2.0, n))
    given = {"atr": atr, **lines(seed, bars)}
    columns = tuple(given[rule.column] if rule.column else None for rule in protection)
    allowed, first_bar = list(rng.random(n) < 0.8), int(rng.integers(0, 5))
    execution_columns = {"atr": atr}
    if ranked:
        execution_columns["rank"] = np.where(rng.random(n) < 0.2, np.nan, rng.integers(0, 4, n).astype(np.float64))
    if execution.rebalance is not None:
        execution_columns["weight"] = np.where(rng.random(n) < 0.2, np.nan, rng.uniform(-0.5, 0.8, n).round(1))
    elif rng.random() < 0.5:
        line = bars.close * rng.uniform(0.99, 1.01, n)
        execution_columns["line"] = np.where(rng.random(n) < 0.1, np.nan, line)
    more: dict[str, Any] = {"pip_size": PIP, "values": {"half": str(n % 2)}}
    return Setup(list(flags), allowed, first_bar, 0.01, lot_size, columns, execution_columns, more)


@st.composite
def jobs(
    draw: st.DrawFn,
    /,
    max_bars: int = 60,
    max_instruments: int = 3,
    *,
    account: bool = False,
    below_zero: bool | None = None,
    units: bool | None = None,
    several: bool | None = None,
    **fixed: Any,
) -> EngineJob:
    """Draw a job; `fixed` settings override the drawn ones. With `account` its rules are drawn as well.

    Then some instruments are contracts, and some of these have prices around zero: all with `below_zero`, none where it
    is False. With `units` they grow by further entries, and stops and targets are those of each unit; never where it is
    False. With `several` there is more than one execution, unless the first brings positions to weights; some jobs have
    that in any case, and none where it is False.
    """
    account = account and (below_zero or draw(st.booleans()))
    protection = draw(RULES) + draw(st.sampled_from([(), (), PARTS])) + (draw(MOVING_RULES) if account else ())
    execution = draw(executions().filter(lambda rule: rule.scale_in is not None) if units else executions())
    if units or (units is None and draw(st.booleans())):
        protection = for_each_unit(protection, execution)
    elif draw(st.integers(0, 3)) == 0:
        protection = by_last_entry(protection)
    lot_size = draw(st.sampled_from([1.0, 0.1, 0.25, 5.0]))
    ranked = account and draw(st.booleans())
    currency, actions = account and draw(st.booleans()), account and draw(st.booleans())
    pairs = []
    for k in range(draw(st.integers(1, max_instruments))):
        seed = draw(st.integers(0, 2**32 - 1))
        length = draw(st.one_of(st.integers(1, max_bars), st.integers(max_bars // 2, max_bars)))
        days = np.flatnonzero(np.random.default_rng(seed).random(length) < (1.0 if k == 0 else 0.7))
        days = days if len(days) else np.array([0])
        contract = account and (below_zero or draw(st.booleans()))
        around_zero = draw(st.integers(0, 3)) == 0 if below_zero is None else below_zero
        shift = -100.0 if contract and around_zero else 0.0
        bars = random_bars(seed, f"S{k}", days, shift)
        setup = random_setup(seed, bars, protection, lot_size, execution, ranked=ranked)
        if account:
            setup.more |= random_financing(seed, bars, currency=currency, actions=actions) | random_venue(seed)
        if contract:
            setup.more |= random_contract(seed)
            setup.more |= random_dated(seed, bars)
            setup.more["expiry_day"] = draw(st.sampled_from([None, None, int(days[-1]), int(days[-1]) + 3]))
        pairs.append((bars, setup))
    if len({frozenset(setup.execution_columns) for _, setup in pairs}) > 1:
        for _, setup in pairs:
            setup.execution_columns.pop("line", None)
    job = make_job(
        *pairs,
        size=draw(st.one_of(SIZES, ADAPTIVE_SIZES) if account else SIZES),
        protection=protection,
        guards=draw(guards()) if account else (),
        execution=execution,
        settings={**draw(run_settings()), **(draw(account_settings()) if account else {}), **fixed},
    )
    more = several or (several is None and draw(st.integers(0, 3)) == 0)
    return with_executions(job, draw(st.integers(0, 2**32 - 1))) if more else job
