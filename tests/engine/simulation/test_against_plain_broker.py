"""The engine against a plain broker that was written from the page on bars alone, on prices that often meet exactly."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quantcrafter.engine.api.entries import EntryRule, Offset, OrderLife
from quantcrafter.engine.api.ledger import OrderKind, Reason
from quantcrafter.engine.api.ports import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT
from quantcrafter.engine.api.rules import ExecutionRule, OnOpposite, ProtectiveKind, ProtectiveRule, SizeKind, SizeRule
from quantcrafter.engine.simulation.driver import simulate
from quantcrafter.engine.simulation.kernel_forms import INTERPRETED
from tests.support.counts import sample
from tests.support.jobs import Setup, make_bars, make_job
from tests.support.plain_broker import PlainBroker, Terms, as_rows

FLAGS = {"enter_long": ENTER_LONG, "exit_long": EXIT_LONG, "enter_short": ENTER_SHORT, "exit_short": EXIT_SHORT, "": 0}
FLAGS["both"] = ENTER_LONG | ENTER_SHORT
KINDS = {"limit": OrderKind.LIMIT, "stop": OrderKind.STOP, "stop_limit": OrderKind.STOP_LIMIT}


@st.composite
def terms(draw: st.DrawFn) -> Terms:
    """Draw what is traded, by whole prices."""
    stop, trailing = draw(st.sampled_from([(0, 0), (1, 0), (2, 0), (3, 0), (0, 1), (0, 2), (0, 3)]))
    entry = draw(st.sampled_from(["market", "limit", "limit", "stop", "stop", "stop_limit"]))
    at_price = entry in {"limit", "stop"}
    return Terms(
        entry=entry,
        offset=draw(st.integers(0, 3)),
        limit=draw(st.integers(0, 2)),
        stop=stop,
        trailing=trailing,
        target=draw(st.integers(0, 4)),
        on_opposite=draw(st.sampled_from(["close", "reverse", "ignore", *["reverse_at_price"] * (2 * at_price)])),
        two_sided=at_price and draw(st.booleans()),
        arm=draw(st.sampled_from(["entry_bar", "entry_bar", "next_bar"])),
    )


def rules_of(given: Terms) -> tuple[ProtectiveRule, ...]:
    """Return the protective rules of the terms."""
    drawn = (
        (ProtectiveKind.STOP_LOSS, given.stop),
        (ProtectiveKind.TRAILING_STOP, given.trailing),
        (ProtectiveKind.TAKE_PROFIT, given.target),
    )
    return tuple(ProtectiveRule(kind, ticks=float(ticks)) for kind, ticks in drawn if ticks)


def execution_of(given: Terms) -> ExecutionRule:
    """Return the execution rule of the terms."""
    opposite = OnOpposite[given.on_opposite.upper()]
    if given.entry == "market":
        return ExecutionRule(opposite)
    offset, limit = Offset(ticks=float(given.offset)), Offset(ticks=float(given.limit))
    entry = EntryRule(KINDS[given.entry], offset, limit, OrderLife.GTC, 1, False, given.two_sided)
    return ExecutionRule(opposite, entry=entry)


@settings(
    max_examples=sample(300, of=20_000),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(terms(), st.integers(0, 2**32 - 1), st.integers(2, 40))
def test_the_engine_and_a_plain_broker_fill_alike(given: Terms, seed: int, length: int) -> None:
    rng = np.random.default_rng(seed)
    open_, close = rng.integers(96, 105, (2, length))
    high = np.maximum(open_, close) + rng.integers(0, 4, length)
    low = np.minimum(open_, close) - rng.integers(0, 4, length)
    table = np.column_stack([open_, high, low, close]).astype(np.float64)
    signals = rng.choice(list(FLAGS), length, p=[0.15, 0.1, 0.15, 0.1, 0.35, 0.15]).tolist()
    broker = PlainBroker(given).run(as_rows(table), signals)
    setup = Setup(flags=[FLAGS[signal] for signal in signals], tick_size=1.0)
    job = make_job(
        (make_bars(table), setup),
        size=SizeRule(SizeKind.QUANTITY, 10.0),
        protection=rules_of(given),
        execution=execution_of(given),
        settings={"cash": 1e9, "fills": {"arm": given.arm}},
    )
    ledger = simulate(job, kernel=INTERPRETED)
    fills = [(int(f["bar"]), int(f["side"]), float(f["price"]), Reason(f["reason"]).name.lower()) for f in ledger.fills]
    assert fills == broker.fills
    trades = [(int(t["entry_bar"]), int(t["exit_bar"]), float(t["mae"]), float(t["mfe"])) for t in ledger.trades]
    assert trades == broker.trades
