from __future__ import annotations

from dataclasses import replace

from quantcrafter.engine.api import RunSettings
from quantcrafter.engine.api.ledger import Reason
from quantcrafter.engine.runtime.results.result import RunOrigin, RunResult
from quantcrafter.engine.runtime.results.run_tables import data_hash
from quantcrafter.engine.runtime.run_store.comparison import compare_runs
from tests.support.ledgers import Book, Deal, job_of, walk_bars
from tests.support.results import result_of, walk_result


def run_of(deals: list[Deal], *, text: str = "name: walk\n", reason: Reason = Reason.SIGNAL) -> RunResult:
    job = job_of(walk_bars(60))
    book = Book([job])
    for deal in deals:
        book.deal(deal, reason)
    return result_of(book.ledger(), [job], origin=RunOrigin("walk.yaml", text))


def test_a_run_compared_with_itself_shows_no_difference() -> None:
    run = replace(walk_result(), origin=RunOrigin(text="name: walk\n"))
    found = compare_runs(run, run)
    assert found.same_trades
    assert found.differences == ()
    assert found.file_diff == ()
    assert {change.verdict for change in found.metrics} == {"same"}


def test_trades_are_matched_by_instrument_side_and_entry_time() -> None:
    before = run_of([Deal(0, 1, 10, 2, 5), Deal(0, 1, 10, 10, 15), Deal(0, -1, 10, 20, 25)])
    after = run_of([Deal(0, 1, 10, 2, 5), Deal(0, 1, 10, 10, 18), Deal(0, 1, 10, 20, 25)])
    found = compare_runs(before, after)
    assert found.added is not None
    assert found.removed is not None
    assert found.changed is not None
    assert [row["side"] for row in found.added] == ["long"]
    assert [row["side"] for row in found.removed] == ["short"]
    assert [(change.a["exit_bar"], change.b["exit_bar"]) for change in found.changed] == [(15, 18)]
    assert set(found.changed[0].fields) >= {"exit_ts_ns", "exit_price", "pnl"}
    assert not found.same_trades


def test_several_trades_of_one_entry_are_told_apart() -> None:
    twice = [Deal(0, 1, 10, 2, 5), Deal(0, 1, 10, 2, 9)]
    found = compare_runs(run_of(twice), run_of(twice[:1]))
    assert found.removed is not None
    assert [row["exit_bar"] for row in found.removed] == [9]
    assert found.changed == ()


def test_an_exit_for_another_reason_is_a_changed_trade() -> None:
    deals = [Deal(0, 1, 10, 2, 5)]
    found = compare_runs(run_of(deals), run_of(deals, reason=Reason.STOP_LOSS))
    assert found.changed is not None
    assert found.changed[0].fields == ("exit_reason",)


def test_verdicts_know_which_direction_is_better() -> None:
    run = run_of([Deal(0, 1, 10, 2, 5)])
    base = {**run.metrics, "sharpe": 1.0, "max_drawdown_pct": 10.0, "trades": 5, "calmar": None}
    other = {**base, "sharpe": 2.0, "max_drawdown_pct": 12.0, "trades": 6, "calmar": 1.0}
    found = compare_runs(replace(run, metrics=base), replace(run, metrics=other))
    verdicts = {change.metric.key: change.verdict for change in found.metrics}
    assert verdicts["sharpe"] == "better"
    assert verdicts["max_drawdown_pct"] == "worse"
    assert verdicts["trades"] == verdicts["calmar"] == "changed"
    assert verdicts["final_equity"] == "same"
    deltas = {change.metric.key: change.delta for change in found.metrics}
    assert deltas["max_drawdown_pct"] == 2.0
    assert deltas["calmar"] is None


def test_settings_data_and_lines_that_differ_are_named() -> None:
    a = run_of([], text="name: walk\nfast: 20\nslow: 50\n")
    b = run_of([], text="name: walk\nfast: 30\nslow: 50\n")
    settings = RunSettings.model_validate({**b.settings.model_dump(), "slippage": {"bps": 2.0, "ticks": 0.0}})
    origin = replace(b.origin, overrides=("run.cash=5",))
    job = job_of(walk_bars(60, seed=9))
    found = compare_runs(a, replace(b, settings=settings, origin=origin, instruments=(job,)))
    named = {each.what: (each.a, each.b) for each in found.differences}
    assert named["run.slippage.bps"] == ("0.0", "2.0")
    assert named["data"] == (a.data_hash[:12], data_hash([job])[:12])
    assert named["overrides"] == ("", "run.cash=5")
    assert [line for line in found.file_diff if line[:1] in "+-" and line[:3] not in ("+++", "---")] == [
        "-fast: 20",
        "+fast: 30",
    ]
