"""Withdrawals of profit of a strategy file: engines, tables, and figures that don't take them for losses."""

from __future__ import annotations

from pathlib import Path

import pytest

import quantcrafter
from quantcrafter.engine.adapters.native import NativeEngine
from quantcrafter.engine.api import Capability, SpecError
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.parity.run import run_parity
from quantcrafter.engine.runtime.replay import Replay
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from quantcrafter.engine.runtime.run_store.run_writer import save_run
from quantcrafter.engine.runtime.running.load_graph import load_graph

STRATEGY = """\
quantcrafter: 1
instruments: [{symbol: ABC, data: csv, path: abc.csv, timeframe: 1d}]
logic: {first: {use: compare, left: bars.close, op: "==", right: 100}}
advisors: {rule: {use: rule, enter_long: [first]}}
money: {size: {use: fixed_quantity, quantity: 10}}
execution: {entry: {use: market, signals: [rule], money: size}}
run: {cash: 10000, withdrawal: {percent: 50}}
"""
CLOSES = {"2024-01-29": 100, "2024-01-30": 101, "2024-01-31": 151, "2024-02-01": 151, "2024-02-29": 131}


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Path:
    rows = [f"{day},{close},{close},{close},{close},100" for day, close in CLOSES.items()]
    (tmp_path / "abc.csv").write_text("\n".join(["date,open,high,low,close,volume", *rows]) + "\n", encoding="utf-8")
    path = tmp_path / "strategy.yaml"
    path.write_text(STRATEGY, encoding="utf-8")
    return path


def test_figures_and_tables_show_it_and_take_it_for_no_loss(file: Path, tmp_path: Path) -> None:
    result = quantcrafter.run(file)
    # Bought at 101, 500 earned by the end of January: 250 are withdrawn; then 200 of 10,250 are lost.
    assert [(row["kind"], row["instrument"], row["amount"]) for row in result.cashflows] == [("withdrawal", "", -250.0)]
    assert result.cashflows[0]["ts_ns"] == result.instruments[0].bars.close_ns[3]
    figures = result.metrics
    assert (figures["final_equity"], figures["net_profit"], figures["withdrawn"]) == (10_050.0, 300.0, 250.0)
    growth = 10_500 / 10_000 * 10_050 / 10_250
    assert figures["total_return_pct"] == pytest.approx(100 * (growth - 1))
    assert figures["max_drawdown_pct"] == pytest.approx(100 * 200 / 10_250)
    assert result.months[2024][2] == pytest.approx(100 * (10_050 / 10_250 - 1))
    kept = RunFolder.open(save_run(result, tmp_path / "kept"))
    assert kept.cashflows == result.cashflows
    assert kept.metrics == figures


def test_a_replay_stops_at_drawdowns_that_are_losses(file: Path) -> None:
    replay = Replay(file, registry=load_registry())
    replay.jump(4)
    assert replay.account("equity") == 10_250.0
    assert replay.account("drawdown") == pytest.approx(0.0, abs=1e-9)
    replay.jump(5)
    assert replay.account("drawdown") == pytest.approx(100 * 200 / 10_250)


def test_every_engine_withdraws_the_same(file: Path) -> None:
    pytest.importorskip("backtrader")
    graph = load_graph(file, load_registry())
    report = run_parity(graph, registry=load_registry(), engines=("native", "backtrader"))
    assert [outcome.differences for outcome in report.outcomes] == [(), ()]


def test_an_engine_without_it_is_refused_by_name(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NativeEngine, "capabilities", NativeEngine.capabilities - {Capability.WITHDRAWALS})
    with pytest.raises(SpecError, match="withdrawals of profit"):
        quantcrafter.run(file)


def test_a_withdrawal_without_a_percentage_is_refused(file: Path) -> None:
    file.write_text(STRATEGY.replace("percent: 50", "every: quarter"), encoding="utf-8")
    with pytest.raises(SpecError, match="nothing is withdrawn without a percentage"):
        quantcrafter.run(file)
