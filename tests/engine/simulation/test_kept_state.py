"""States that earlier releases wrote still open, and go on to the same books.

`python -m tests.engine.simulation.test_kept_state` writes the file again: for a new version of states, beside the old.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quantcrafter.engine.api.bars import NEW_YORK_STOCKS, Bars
from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.entries import EntryRule, Offset, OrderLife
from quantcrafter.engine.api.ledger import OrderKind
from quantcrafter.engine.api.ports import ENTER_LONG, ENTER_SHORT
from quantcrafter.engine.api.rules import (
    ExecutionRule,
    GuardKind,
    GuardRule,
    HaltAction,
    OnOpposite,
    ProtectiveKind,
    ProtectiveRule,
    SizeKind,
    SizeRule,
)
from quantcrafter.engine.api.timeframe import Timeframe
from quantcrafter.engine.simulation.arrays import holdings_of, portfolio_of
from quantcrafter.engine.simulation.closed_bar import closed_bars
from quantcrafter.engine.simulation.driver import simulate
from quantcrafter.engine.simulation.identity import Identity
from quantcrafter.engine.simulation.session import SimulationSession
from quantcrafter.engine.simulation.session_state import HOLDING_STATE, PORTFOLIO_STATE, SessionState
from tests.support.jobs import Setup, make_job

FOLDER = Path(__file__).parents[2] / "golden" / "session_states"
STATES = sorted(FOLDER.glob("*.json"))
WHO = Identity("0f3c", ("atr_stop", "trailing", "target", "time_stop", "daily_loss", "cool_down"), "w1", 7)
STOP_AT = 61
HOURS = 7
HOUR_NS = 3_600_000_000_000
OPENING_NS = 1_704_205_800_000_000_000  # 2 January 2024, 09:30 in New York


def bars_of(symbol: str, phase: float, first: int) -> Bars:
    """Return hourly bars of a price that swings, some hours missing."""
    number = np.array([k for k in range(first, 140) if (k * 7 + first) % 11])
    close = (100.0 + 8.0 * np.sin(number / 9.0 + phase) + 2.0 * np.sin(number * 1.7)).round(2)
    open_ = np.append(close[0], close[:-1]) + 0.05
    high, low = np.maximum(open_, close) + 0.4, np.minimum(open_, close) - 0.35
    open_ns = OPENING_NS + number // HOURS * 24 * HOUR_NS + number % HOURS * HOUR_NS
    close_ns = open_ns + np.where(number % HOURS == HOURS - 1, HOUR_NS // 2, HOUR_NS)
    volume = 1_000.0 + number
    return Bars(symbol, Timeframe(1, "h"), open_ns, close_ns, open_, high, low, close, volume, NEW_YORK_STOCKS)


def job() -> EngineJob:
    """Return a job of two instruments with most that a state may hold."""
    protection = (
        ProtectiveRule(ProtectiveKind.STOP_LOSS, multiple=3.0, column="atr"),
        ProtectiveRule(ProtectiveKind.TRAILING_STOP, percent=4.0),
        ProtectiveRule(ProtectiveKind.TAKE_PROFIT, percent=3.0, share=50.0),
    )
    guards = (
        GuardRule(GuardKind.TIME_STOP, 30.0),
        GuardRule(GuardKind.DAILY_LOSS, 3.0, HaltAction.NO_NEW_TRADES),
        GuardRule(GuardKind.COOL_DOWN, 3.0),
    )
    pairs = []
    for symbol, phase, first in (("AAA", 0.0, 0), ("BBB", 2.0, 25)):
        bars = bars_of(symbol, phase, first)
        n = np.arange(len(bars))
        atr = 0.6 + 0.2 * np.cos(n / 5.0)
        flags = np.where(n % 8 == 3, ENTER_LONG, np.where(n % 8 == 7, ENTER_SHORT, 0))
        more = {"borrow_percent": 5.0, "rate_open": 1.1 + n / 1e4, "rate_close": 1.1005 + n / 1e4, "currency": "EUR"}
        split = np.where(n == 40, 2.0, 1.0)
        more |= {"split": split, "dividend": np.where(n == 50, 0.25, 0.0)}
        columns = (atr, None, None)
        pairs.append((bars, Setup(list(flags), None, 2, 0.01, 0.1, columns, {"atr": atr}, more)))
    entry = EntryRule(OrderKind.LIMIT, Offset(multiple=0.5), life=OrderLife.DAY)
    return make_job(
        *pairs,
        size=SizeRule(SizeKind.KELLY, 0.5, least=5.0, most=60.0, window=20, trades=4, start=25.0),
        protection=protection,
        guards=guards,
        execution=ExecutionRule(OnOpposite.REVERSE, entry=entry),
        settings={"cash": 50_000, "commission": {"percent": 0.05, "minimum": 1.0}, "slippage": {"bps": 2}},
    )


def first_part() -> SimulationSession:
    """Return the session that leaves the state."""
    session = SimulationSession.open(job(), identity=WHO)
    for _, bars in zip(range(STOP_AT), closed_bars(job()), strict=False):
        session.append(bars)
        session.close_step()
    return session


@pytest.mark.parametrize("path", STATES, ids=lambda path: path.stem)
def test_a_kept_state_opens_and_goes_on_to_the_same_books(path: Path) -> None:
    state = SessionState.from_json(path.read_text(encoding="utf-8"))
    session = SimulationSession.open(job(), state, identity=WHO)
    before = first_part().ledger()
    for bars in list(closed_bars(job()))[STOP_AT:]:
        session.append(bars)
        session.step()
    found, whole = session.ledger(), simulate(job())
    assert len(before.fills) > 4
    assert len(found.fills) > 4
    if "part_profit" not in path.read_text(encoding="utf-8"):
        # Its history has each closing fill, not each trade: sizes by history are those of the trades as counted then.
        working = [order["id"] for each in state.instruments.values() for order in each.orders]
        assert found.fills[0]["order_id"] in working
        assert found.equity[0] == pytest.approx(state.equity, rel=0.02)
        return
    assert np.array_equal(np.append(before.fills, found.fills), whole.fills)
    assert np.array_equal(np.append(before.equity, found.equity), whole.equity)


def test_the_kept_state_holds_a_position_orders_and_the_columns_they_need() -> None:
    values = SessionState.from_json(STATES[0].read_text(encoding="utf-8"))
    kept = values.instruments.values()
    assert any(each.holding.get("lots") for each in kept)
    assert any(each.rows for each in kept)
    assert {order["kind"] for each in kept for order in each.orders} >= {OrderKind.STOP, OrderKind.LIMIT}
    assert values.account["closed"] > 4


def test_this_release_writes_what_it_reads() -> None:
    text = first_part().state().to_json()
    assert SessionState.from_json(text).to_json() == text


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    kept_state = first_part().state()
    (FOLDER / f"version_{kept_state.version}_of_trades.json").write_text(kept_state.to_json() + "\n", encoding="utf-8")


def test_no_term_of_a_job_is_part_of_a_state() -> None:
    first, other = job(), make_job((bars_of("CCC", 1.0, 3), Setup(tick_size=0.5, lot_size=5.0)), settings={"cash": 7.0})
    for name in PORTFOLIO_STATE:
        if name not in {"cash", "peak", "last_equity", "day_equity", "highest_equity"}:
            assert portfolio_of(first, 1)[0][name].tobytes() == portfolio_of(other, 1)[0][name].tobytes(), name
    for name in HOLDING_STATE:
        assert holdings_of(first)[0][name].tobytes() == holdings_of(other)[0][name].tobytes(), name
