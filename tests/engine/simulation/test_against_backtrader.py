"""An independent oracle: the same market orders by backtrader, whose broker was written by somebody else."""

from typing import Any

import numpy as np
import pytest

from quantcrafter.engine.api.bars import Bars
from quantcrafter.engine.api.entries import EntryRule, Offset
from quantcrafter.engine.api.ledger import OrderKind
from quantcrafter.engine.api.ports import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT
from quantcrafter.engine.api.rules import ExecutionRule, OnOpposite, ProtectiveKind, ProtectiveRule
from quantcrafter.engine.simulation.driver import simulate
from tests.support.jobs import Setup, make_job
from tests.support.random_jobs import random_bars

BARS = 250
CASH = 1_000_000.0
PERCENT = 0.1


def run_backtrader(bars: Bars, strategy: type[Any]) -> tuple[list[tuple[int, float, float]], float]:
    """Return fills (bar, signed size, price) and the final cash."""
    import backtrader as bt
    import pandas as pd

    frame = pd.DataFrame(
        {name: bars.column(name) for name in ("open", "high", "low", "close", "volume")},
        index=pd.to_datetime(bars.open_ns),
    )
    cerebro = bt.Cerebro()
    cerebro.adddata(bt.feeds.PandasData(dataname=frame))
    cerebro.broker.setcash(CASH)
    cerebro.broker.setcommission(commission=PERCENT / 100)
    cerebro.addstrategy(strategy)
    (done,) = cerebro.run()
    return done.fills, cerebro.broker.getcash()


def recorder() -> type[Any]:
    """Return a strategy class that only records its fills."""
    import backtrader as bt

    class Recorder(bt.Strategy):  # type: ignore[misc]
        def __init__(self) -> None:
            self.fills: list[tuple[int, float, float]] = []

        def notify_order(self, order: Any) -> None:
            assert order.status not in (order.Margin, order.Rejected)
            if order.status == order.Completed:
                self.fills.append((len(self) - 1, order.executed.size, order.executed.price))

    return Recorder


def native(bars: Bars, flags: Any, **terms: Any) -> tuple[list[tuple[int, float, float]], float]:
    settings = {"cash": CASH, "commission": {"percent": PERCENT}, "insufficient_cash": "reject"}
    ledger = simulate(make_job((bars, Setup(flags=list(flags))), settings=settings, **terms))
    return [(int(f["bar"]), float(f["side"] * f["lots"]), float(f["price"])) for f in ledger.fills], ledger.cash[-1]


@pytest.mark.parametrize("seed", range(4))
def test_market_orders_fill_as_in_backtrader_bar_for_bar(seed: int) -> None:
    bars = random_bars(seed, "TEST", np.arange(BARS))
    rng = np.random.default_rng(seed)
    legs = np.array([ENTER_LONG, EXIT_LONG, ENTER_SHORT, EXIT_SHORT, ENTER_SHORT | EXIT_LONG, ENTER_LONG | EXIT_SHORT])
    flags = np.where(rng.random(BARS) < 0.25, rng.choice(legs, BARS), 0)

    class ByFlags(recorder()):  # type: ignore[misc]
        def next(self) -> None:
            flag = int(flags[len(self) - 1])
            held = self.position.size
            leaving = (held > 0 and flag & EXIT_LONG) or (held < 0 and flag & EXIT_SHORT)
            wanted = 1 if flag & ENTER_LONG else -1 if flag & ENTER_SHORT else 0
            opposite = held * wanted < 0
            if leaving or opposite:
                self.close()
            if wanted and (held == 0 or opposite):
                self.buy(size=1) if wanted > 0 else self.sell(size=1)

    theirs, their_cash = run_backtrader(bars, ByFlags)
    ours, our_cash = native(bars, flags, on_opposite=OnOpposite.REVERSE)
    assert len(ours) > BARS / 10
    assert [fill[:2] for fill in ours] == [fill[:2] for fill in theirs]
    assert [fill[2] for fill in ours] == pytest.approx([fill[2] for fill in theirs], abs=1e-9)
    assert our_cash == pytest.approx(their_cash, abs=1e-6)


@pytest.mark.parametrize("percent", [0.7, 1.2])
def test_stop_losses_fill_as_in_backtrader_when_armed_from_the_next_bar(percent: float) -> None:
    bars = random_bars(11, "TEST", np.arange(BARS))
    flags = np.where(np.arange(BARS) % 7 == 0, ENTER_LONG, 0)

    class WithStop(recorder()):  # type: ignore[misc]
        guard: Any = None

        def next(self) -> None:
            if self.position.size == 0 and flags[len(self) - 1]:
                self.buy(size=1)
            elif self.position.size > 0 and self.guard is None:
                import backtrader as bt

                level = np.floor(self.position.price * (1 - percent / 100) * 100 + 0.5) / 100
                self.guard = self.sell(size=1, exectype=bt.Order.Stop, price=level)

        def notify_order(self, order: Any) -> None:
            super().notify_order(order)
            if self.guard is not None and order.ref == self.guard.ref and order.status == order.Completed:
                self.guard = None

    theirs, their_cash = run_backtrader(bars, WithStop)
    stop = ProtectiveRule(ProtectiveKind.STOP_LOSS, percent=percent)
    settings = {"cash": CASH, "commission": {"percent": PERCENT}, "fills": {"arm": "next_bar"}}
    ledger = simulate(make_job((bars, Setup(flags=list(flags))), protection=(stop,), settings=settings))
    ours = [(int(f["bar"]), float(f["side"] * f["lots"]), float(f["price"])) for f in ledger.fills]
    assert len(ours) > 4
    assert [fill[:2] for fill in ours] == [fill[:2] for fill in theirs]
    assert [fill[2] for fill in ours] == pytest.approx([fill[2] for fill in theirs], abs=1e-9)
    assert ledger.cash[-1] == pytest.approx(their_cash, abs=1e-6)


WAITS = {"limit": (OrderKind.LIMIT, -1), "stop": (OrderKind.STOP, 1)}


@pytest.mark.parametrize("kind", list(WAITS))
@pytest.mark.parametrize("seed", range(3))
def test_entries_that_wait_fill_as_in_backtrader(kind: str, seed: int) -> None:
    """A long entry half a percent from the close, replaced on each signal; closed at the open after an exit signal."""
    bars = random_bars(100 + seed, "TEST", np.arange(BARS))
    rng = np.random.default_rng(seed)
    flags = np.where(rng.random(BARS) < 0.3, rng.choice([ENTER_LONG, EXIT_LONG], BARS), 0)
    order_kind, direction = WAITS[kind]

    class Waiting(recorder()):  # type: ignore[misc]
        entry: Any = None

        def next(self) -> None:
            import backtrader as bt

            flag = int(flags[len(self) - 1])
            if flag and self.entry is not None and self.entry.alive():
                self.cancel(self.entry)
            if flag & EXIT_LONG and self.position.size > 0:
                self.close()
            if flag & ENTER_LONG and self.position.size == 0:
                level = self.data.close[0] * (1 + direction * 0.005)
                price = np.floor(level * 100 * (1 + 1e-12) + 0.5) / 100
                exectype = bt.Order.Limit if kind == "limit" else bt.Order.Stop
                self.entry = self.buy(size=1, exectype=exectype, price=price)

    theirs, their_cash = run_backtrader(bars, Waiting)
    ours, our_cash = native(bars, flags, execution=ExecutionRule(entry=EntryRule(order_kind, Offset(percent=0.5))))
    assert len(ours) > BARS / 20
    assert [fill[:2] for fill in ours] == [fill[:2] for fill in theirs]
    assert [fill[2] for fill in ours] == pytest.approx([fill[2] for fill in theirs], abs=1e-9)
    assert our_cash == pytest.approx(their_cash, abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_a_bracket_fills_as_in_backtrader_where_a_bar_touches_only_one_end(seed: int) -> None:
    """Market entry with stop and target from the next bar on; backtrader's own bracket knows no order of ties."""
    bars = random_bars(200 + seed, "TEST", np.arange(BARS))
    flags = np.where(np.arange(BARS) % 9 == 0, ENTER_LONG, 0)
    stop_percent, target_percent = 1.4, 1.6

    def at_tick(price: float) -> float:
        return float(np.floor(price * 100 * (1 + 1e-12) + 0.5) / 100)

    class Bracket(recorder()):  # type: ignore[misc]
        guards: tuple[Any, ...] = ()

        def next(self) -> None:
            import backtrader as bt

            if self.position.size == 0 and flags[len(self) - 1]:
                self.buy(size=1)
                self.guards = ()
            elif self.position.size > 0 and not self.guards:
                price = self.position.price
                below, above = at_tick(price * (1 - stop_percent / 100)), at_tick(price * (1 + target_percent / 100))
                # The stop is sent first, so that it goes first in a bar that touches both.
                stop = self.sell(size=1, exectype=bt.Order.Stop, price=below)
                self.guards = (stop, self.sell(size=1, exectype=bt.Order.Limit, price=above, oco=stop))

    theirs, their_cash = run_backtrader(bars, Bracket)
    rules = (
        ProtectiveRule(ProtectiveKind.STOP_LOSS, percent=stop_percent),
        ProtectiveRule(ProtectiveKind.TAKE_PROFIT, percent=target_percent),
    )
    settings = {"cash": CASH, "commission": {"percent": PERCENT}, "fills": {"arm": "next_bar"}}
    ledger = simulate(make_job((bars, Setup(flags=list(flags))), protection=rules, settings=settings))
    ours = [(int(f["bar"]), float(f["side"] * f["lots"]), float(f["price"])) for f in ledger.fills]
    assert len(ours) > 10
    assert [fill[:2] for fill in ours] == [fill[:2] for fill in theirs]
    assert [fill[2] for fill in ours] == pytest.approx([fill[2] for fill in theirs], abs=1e-9)
    assert ledger.cash[-1] == pytest.approx(their_cash, abs=1e-6)


@pytest.mark.parametrize("percent", [1.5, 3.0])
def test_trailing_stops_fill_as_when_a_script_moves_them_in_backtrader(percent: float) -> None:
    import backtrader as bt

    bars = random_bars(12, "TEST", np.arange(BARS))
    flags = np.where(np.arange(BARS) % 7 == 0, ENTER_LONG, 0)

    class WithTrail(recorder()):  # type: ignore[misc]
        guard: Any = None
        best = level = 0.0

        def next(self) -> None:
            if self.position.size == 0:
                self.best = self.level = 0.0
                if flags[len(self) - 1]:
                    self.buy(size=1)
                return
            self.best = max(self.best, self.position.price, self.data.high[0])
            wanted = np.floor(self.best * (1 - percent / 100) * 100 + 0.5) / 100
            if wanted > self.level:
                if self.guard is not None:
                    self.cancel(self.guard)
                self.level = wanted
                self.guard = self.sell(size=1, exectype=bt.Order.Stop, price=wanted)

        def notify_order(self, order: Any) -> None:
            super().notify_order(order)
            if self.guard is not None and order.ref == self.guard.ref and order.status == order.Completed:
                self.guard = None

    theirs, their_cash = run_backtrader(bars, WithTrail)
    stop = ProtectiveRule(ProtectiveKind.TRAILING_STOP, percent=percent)
    settings = {"cash": CASH, "commission": {"percent": PERCENT}, "fills": {"arm": "next_bar"}}
    ledger = simulate(make_job((bars, Setup(flags=list(flags))), protection=(stop,), settings=settings))
    ours = [(int(f["bar"]), float(f["side"] * f["lots"]), float(f["price"])) for f in ledger.fills]
    assert len(ours) > 10
    assert [fill[:2] for fill in ours] == [fill[:2] for fill in theirs]
    assert [fill[2] for fill in ours] == pytest.approx([fill[2] for fill in theirs], abs=1e-9)
    assert ledger.cash[-1] == pytest.approx(their_cash, abs=1e-6)
