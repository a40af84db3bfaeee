"""The journal of a run: a line for each fill, rejected order and blocked signal, in the order of the bars."""

from __future__ import annotations

import logging
from collections import Counter

import pytest

from quantcrafter.engine.api import RunCancelledError
from quantcrafter.engine.runtime.compute_process.jobs.journal import JournalRequest
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from tests.support.job_context import DirectContext
from tests.support.kept_runs import saved_run

STRATEGY = """\
quantcrafter: 1
instruments: [{symbol: AAPL, data: sample, timeframe: 1d}, {symbol: IBM, data: sample, timeframe: 1d}]
indicators: {slow: {use: ta.SMA, input: bars.close, timeperiod: 50}}
advisors: {go: {use: crossover, fast: bars.close, slow: slow, direction: long}}
filters: {early: {use: volatility_band, input: bars.close, maximum: 90, group: trade}}
money: {size: {use: fixed_quantity, quantity: 60}}
execution: {entry: {use: market, signals: [go], filters: [early], money: size}}
run: {cash: 3000}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return saved_run(STRATEGY, tmp_path_factory.mktemp("runs"))


def test_what_a_run_did_is_told_in_the_order_of_its_bars(run: RunFolder) -> None:
    context = DirectContext()
    count = JournalRequest(run.folder).execute(context)

    rejected = [row for row in run.orders.rows() if row["status"] == "rejected"]
    kinds = Counter(line.level for line in context.lines)
    assert kinds == {logging.INFO: len(run.fills), logging.WARNING: len(rejected), logging.DEBUG: len(run.blocked)}
    assert min(kinds.values()) > 0
    assert count == len(context.lines)
    times = [line.ts_ns for line in context.lines if line.ts_ns is not None]
    assert times == sorted(times)
    assert len(times) == count

    fill = run.fills.rows()[0]
    line = next(each for each in context.lines if each.level == logging.INFO)
    what = f"{fill['side'].upper()} {fill['quantity']:g} {fill['instrument']} at {fill['price']:g}"
    assert line.text == f"{what}  (market, entry, order {fill['order_id']}, commission 0.00)"
    assert (line.ts_ns, line.bar, line.node) == (fill["ts_ns"], fill["bar"], "entry")
    warning = next(each for each in context.lines if each.level == logging.WARNING)
    assert "rejected: no cash" in warning.text
    assert any(each.text == "Signal on IBM not taken: filter" for each in context.lines if each.level == logging.DEBUG)


def test_a_journal_ends_when_it_is_cancelled(run: RunFolder) -> None:
    context = DirectContext(stop=lambda: True)
    with pytest.raises(RunCancelledError, match="The journal was cancelled"):
        JournalRequest(run.folder).execute(context)
    assert context.lines == []
