from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quantcrafter.engine.api.engine import EngineJob, InstrumentJob
from quantcrafter.engine.api.errors import RunCancelledError
from quantcrafter.engine.api.ledger import OrderKind, OrderStatus, Reason
from quantcrafter.engine.simulation.driver import Pace, simulate
from tests.support.counts import sample
from tests.support.ledger_checks import assert_money_is_conserved, assert_same_bits
from tests.support.random_executions import until_bar
from tests.support.random_jobs import jobs

quick = settings(max_examples=sample(150, of=2_000), deadline=None, suppress_health_check=[HealthCheck.too_slow])


def cut(job: EngineJob, ts_ns: int) -> EngineJob | None:
    """Return the job on the bars that close by `ts_ns`."""
    instruments: list[InstrumentJob] = []
    for each in job.instruments:
        n = int(np.searchsorted(each.bars.close_ns, ts_ns, side="right"))
        if n == 0:
            return None
        columns = tuple(None if column is None else column[:n] for column in each.rule_columns)
        others = {name: column[:n] for name, column in each.execution_columns.items()}
        instruments.append(
            replace(
                each,
                bars=each.bars.slice(0, n),
                flags=each.flags[:n],
                allowed=each.allowed[:n],
                rule_columns=columns,
                execution_columns=others,
                size_column=None if each.size_column is None else each.size_column[:n],
                further=tuple(until_bar(one, n) for one in each.further),
            )
        )
    return replace(job, instruments=tuple(instruments))


@quick
@given(jobs())
def test_cash_and_equity_follow_from_the_fills_alone_at_every_step(job: EngineJob) -> None:
    assert_money_is_conserved(job, simulate(job))


@quick
@given(jobs())
def test_trades_and_open_positions_add_up_to_the_change_of_equity(job: EngineJob) -> None:
    ledger = simulate(job)
    gained = ledger.parts["pnl"].sum() + sum(position.unrealised_pnl for position in ledger.open_positions)
    assert ledger.equity[-1] - job.settings.cash == pytest.approx(gained, rel=1e-9, abs=1e-6)
    assert ledger.parts["commission"].sum() <= ledger.fills["commission"].sum() + 1e-9
    assert (ledger.trades["mae"] >= 0).all()
    assert (ledger.trades["mfe"] >= 0).all()


@quick
@given(jobs())
def test_orders_fill_inside_their_bar_and_never_on_the_bar_of_their_decision(job: EngineJob) -> None:
    ledger = simulate(job)
    assert (ledger.orders["id"] == np.arange(len(ledger.orders))).all()
    for fill in ledger.fills:
        bars = job.instruments[fill["instrument"]].bars
        order = ledger.orders[fill["order_id"]]
        bar = fill["bar"]
        assert bars.low[bar] <= fill["price"] <= bars.high[bar]
        assert order["status"] == OrderStatus.FILLED
        assert order["closed_bar"] == bar
        if fill["kind"] == OrderKind.MARKET:
            assert bar == order["created_bar"] + 1
            assert fill["price"] == bars.open[bar]
        elif fill["kind"] == OrderKind.CLOSE:
            assert fill["price"] == bars.close[len(bars) - 1]
        elif fill["kind"] == OrderKind.AT_CLOSE:
            assert bar >= order["created_bar"] + (job.settings.fills.close != "auction")
            assert fill["price"] == bars.close[bar]
        elif order["rule"] >= 0:
            entry = ledger.orders[order["parent"]]
            assert bar >= entry["closed_bar"] + (job.settings.fills.arm == "next_bar")
            inside = bar == entry["closed_bar"] and entry["fill_price"] != bars.open[bar]
            # Of entries on both sides, a bar may reach the other one too: then it did so after the entry.
            inside = inside and not job.executions[entry["execution"]].rule.entry.two_sided
            if inside and order["kind"] == OrderKind.LIMIT and entry["kind"] in {OrderKind.STOP, OrderKind.LIMIT}:
                rose = (entry["side"] > 0) == (entry["kind"] == OrderKind.STOP)
                reached = [bars.close[bar], bars.high[bar] if rose else bars.low[bar]]
                assert fill["price"] <= max(reached) if order["side"] < 0 else fill["price"] >= min(reached)
        else:
            assert bar > order["created_bar"]
            assert order["expires"] < 0 or bar <= order["expires"]
    assert (ledger.orders["status"] != OrderStatus.WORKING).all()


@quick
@given(jobs())
def test_an_entry_never_costs_more_than_the_cash_that_is_free(job: EngineJob) -> None:
    ledger = simulate(job)
    if not (ledger.fills["side"] < 0).any():
        assert ledger.cash.min() >= -1e-6
    rejected = ledger.orders[ledger.orders["status"] == OrderStatus.REJECTED]
    assert np.isin(rejected["reason"], [Reason.ENTRY, Reason.SCALE_IN, Reason.GRID, Reason.REBALANCE]).all()


@quick
@given(jobs(), st.sampled_from([1, 2, 7, 1_000]), st.sampled_from([1, 24, 50, 10_000]))
def test_chunks_and_full_tables_leave_no_trace_in_the_result(job: EngineJob, chunk: int, rows: int) -> None:
    assert_same_bits(simulate(job), simulate(job, Pace(chunk, rows)))


@quick
@given(jobs(end_of_data="leave"), st.data())
def test_a_run_on_fewer_bars_has_the_same_fills_up_to_there(job: EngineJob, data: Any) -> None:
    whole = simulate(job)
    ts = int(data.draw(st.sampled_from([int(t) for t in whole.ts_ns])))
    shorter = cut(job, ts)
    if shorter is None:
        return
    part = simulate(shorter)
    closes = [job.instruments[f["instrument"]].bars.close_ns[f["bar"]] for f in whole.fills]
    expected = whole.fills[np.array(closes, dtype=np.int64) <= ts]
    assert part.fills.tolist() == expected.tolist()
    steps = len(part.ts_ns)
    assert part.equity.tobytes() == whole.equity[:steps].tobytes()


@quick
@given(jobs(max_instruments=1))
def test_one_instrument_alone_trades_as_it_does_beside_one_without_signals(job: EngineJob) -> None:
    (only,) = job.instruments
    nothing = {name: column * 0.0 for name, column in only.execution_columns.items()}
    none = np.zeros(len(only.bars), np.uint8)
    further = tuple(replace(each, flags=none) for each in only.further)
    idle = replace(only, symbol="IDLE", flags=none, execution_columns=nothing, further=further)
    alone, beside = simulate(job), simulate(replace(job, instruments=(only, idle)))
    assert_same_bits(alone, beside)


@given(jobs(max_bars=30))
@settings(max_examples=20, deadline=None)
def test_progress_counts_every_bar_and_a_cancel_is_obeyed(job: EngineJob) -> None:
    seen: list[tuple[int, int]] = []
    total = sum(len(each.bars) for each in job.instruments)
    simulate(replace(job, progress=lambda done, of: seen.append((done, of))), Pace(chunk_bars=4))
    assert seen[-1] == (total, total)
    assert seen == sorted(set(seen))
    calls = iter([False, True])
    if len(seen) > 1:
        with pytest.raises(RunCancelledError):
            simulate(replace(job, cancelled=lambda: next(calls)), Pace(chunk_bars=1))
