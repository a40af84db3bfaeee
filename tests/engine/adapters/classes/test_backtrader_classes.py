"""A strategy written for backtrader trades under our roof as in a plain Cerebro that knows nothing of us."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quantcrafter.engine.adapters.backtrader.adapter import BacktraderEngine
from quantcrafter.engine.api import Bars, ClassInstrument, ClassJob, ClassRun, RunCancelledError, RunError, RunSettings
from tests.support.random_jobs import random_bars

FOLDER = str(Path(__file__).parents[3] / "support" / "own_strategies")
CASH = 50_000.0
PERCENT = 0.05


def ours(name: str, *bars: Bars, **parameters: Any) -> ClassRun:
    return BacktraderEngine().run_class(job(name, *bars, **parameters))


def job(name: str, *bars: Bars, cancelled: Any = lambda: False, **parameters: Any) -> ClassJob:
    settings = RunSettings.model_validate({"cash": CASH, "commission": {"percent": PERCENT}})
    instruments = tuple(ClassInstrument(each.symbol, each, 0.01) for each in bars)
    return ClassJob(f"bt_examples.{name}", instruments, settings, parameters, FOLDER, cancelled=cancelled)


def plain(name: str, *bars: Bars, **parameters: Any) -> tuple[list[Any], list[float], float]:
    """Return fills (instrument, time, signed size, price), equity by bar and the last cash, from backtrader alone."""
    import backtrader as bt
    import pandas as pd

    from quantcrafter.engine.adapters.classes.loading import load_class

    strategy = load_class(f"bt_examples.{name}", FOLDER, bt.Strategy, "backtrader")
    fills: list[Any] = []
    equity: list[float] = []

    class Watched(strategy):  # type: ignore[misc, valid-type]
        def notify_order(self, order: Any) -> None:
            if order.status == order.Completed:
                fills.append((order.data._name, order.data.datetime.date(0), order.executed.size, order.executed.price))
            super().notify_order(order)

        def prenext(self) -> None:
            equity.append(self.broker.getvalue())
            super().prenext()

        def next(self) -> None:
            equity.append(self.broker.getvalue())
            super().next()

    cerebro = bt.Cerebro()
    for each in bars:
        columns = {column: each.column(column) for column in ("open", "high", "low", "close", "volume")}
        frame = pd.DataFrame(columns, index=pd.to_datetime(each.open_ns))
        cerebro.adddata(bt.feeds.PandasData(dataname=frame, name=each.symbol))
    cerebro.broker.setcash(CASH)
    cerebro.broker.setcommission(commission=PERCENT / 100)
    cerebro.addstrategy(Watched, **parameters)
    cerebro.run()
    return fills, equity, cerebro.broker.getcash()


def as_plain(run: ClassRun, *bars: Bars) -> list[Any]:
    found = []
    for fill in run.ledger.fills:
        own = bars[fill["instrument"]]
        day = own.open_ns[fill["bar"]].astype("datetime64[ns]").astype("datetime64[D]").item()
        size = fill["side"] * fill["lots"] * run.lot_sizes[fill["instrument"]]
        found.append((own.symbol, day, pytest.approx(size, abs=1e-7), pytest.approx(fill["price"], abs=1e-9)))
    return found


@pytest.mark.parametrize(
    ("name", "parameters", "instruments", "least"),
    [("SmaCross", {"fast": 5, "slow": 15}, 1, 30), ("Brackets", {}, 1, 12), ("Pairs", {"look": 15}, 2, 30)],
)
def test_a_strategy_makes_the_trades_that_backtrader_makes_without_us(
    name: str, parameters: dict[str, Any], instruments: int, least: int
) -> None:
    bars = [random_bars(40 + k, f"S{k}", np.arange(600)) for k in range(instruments)]
    fills, equity, cash = plain(name, *bars, **parameters)
    run = ours(name, *bars, **parameters)

    assert len(fills) >= least
    assert fills == as_plain(run, *bars)
    assert run.ledger.cash[-1] == pytest.approx(cash, abs=0.01)
    shown = run.ledger.equity[-len(equity) :]
    assert shown == pytest.approx(equity, abs=0.01)


def test_trades_add_up_to_the_change_of_the_account() -> None:
    bars = [random_bars(50 + k, f"S{k}", np.arange(400)) for k in range(2)]
    run = ours("Pairs", *bars)
    ledger = run.ledger
    open_profit = sum(position.unrealised_pnl for position in ledger.open_positions)
    assert len(ledger.trades) > 20
    assert ledger.parts["pnl"].sum() + open_profit == pytest.approx(ledger.equity[-1] - CASH, abs=1e-6)
    turned = [f for f in ledger.fills if f["lots"] == 10]
    assert turned, "an order of double size turns a position round"
    assert all(trade["lots"] <= 10 for trade in ledger.trades)
    assert (ledger.trades["entry_bar"] <= ledger.trades["exit_bar"]).all()


def test_orders_are_kept_with_how_they_ended() -> None:
    run = ours("Brackets", random_bars(7, "S", np.arange(300)))
    orders = run.ledger.orders
    assert orders["id"].tolist() == list(range(len(orders)))
    filled = orders[orders["status"] == 1]
    assert len(filled) == len(run.ledger.fills)
    assert (orders["status"] == 2).any(), "the other side of a bracket is cancelled"
    assert (orders["closed_bar"] > orders["created_bar"]).all()


def test_a_strategy_that_raises_is_named_with_its_bar() -> None:
    with pytest.raises(RunError, match=r"'bt_examples\.Broken' raised ValueError at bar 4: five\."):
        ours("Broken", random_bars(7, "S", np.arange(20)))


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("SmaCross", {"fats": 3}, r"has no parameter 'fats'. It has: fast, slow, stake\."),
        ("Nothing", {}, r"has no class 'Nothing'\. It has: SmaCross, Brackets, Pairs, Steps, Broken\."),
    ],
)
def test_what_cannot_be_run_is_said_with_what_there_is(name: str, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(RunError, match=message):
        ours(name, random_bars(7, "S", np.arange(20)), **parameters)


def test_a_run_can_be_cancelled() -> None:
    with pytest.raises(RunCancelledError):
        BacktraderEngine().run_class(job("SmaCross", random_bars(7, "S", np.arange(600)), cancelled=lambda: True))


def test_trades_are_counted_as_backtrader_counts_them() -> None:
    """backtrader's own TradeAnalyzer of a strategy that enters and leaves in parts."""
    import backtrader as bt
    import pandas as pd

    from quantcrafter.engine.adapters.classes.loading import load_class

    bars = random_bars(61, "S", np.arange(500))
    ledger = ours("Steps", bars).ledger
    columns = {column: bars.column(column) for column in ("open", "high", "low", "close", "volume")}
    cerebro = bt.Cerebro()
    cerebro.adddata(bt.feeds.PandasData(dataname=pd.DataFrame(columns, index=pd.to_datetime(bars.open_ns))))
    cerebro.broker.setcash(CASH)
    cerebro.broker.setcommission(commission=PERCENT / 100)
    cerebro.addstrategy(load_class("bt_examples.Steps", FOLDER, bt.Strategy, "backtrader"))
    cerebro.addanalyzer(bt.analyzers.TradeAnalyzer)
    theirs = cerebro.run()[0].analyzers[0].get_analysis()

    pnl = ledger.trades["pnl"]
    assert len(ledger.parts) > len(pnl) > 20
    assert (theirs.total.closed, theirs.won.total, theirs.lost.total) == (len(pnl), (pnl > 0).sum(), (pnl <= 0).sum())
    assert theirs.pnl.net.total == pytest.approx(pnl.sum())
    assert theirs.won.pnl.max == pytest.approx(pnl.max())
    assert theirs.lost.pnl.average == pytest.approx(pnl[pnl <= 0].mean())
    outcome = "".join("w" if each > 0 else "l" for each in pnl)
    assert theirs.streak.won.longest == max(map(len, outcome.split("l")))
    assert theirs.len.total == (ledger.trades["exit_bar"] - ledger.trades["entry_bar"]).sum()
