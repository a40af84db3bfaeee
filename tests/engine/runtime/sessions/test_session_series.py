"""Continuous series in a session: the books of a run, rolled at real prices, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from quantcrafter.engine.api import Bars, DataError, DataProvider, DataRequest, HeldContract, RunError
from quantcrafter.engine.data.load import LoadedBars, load_bars
from quantcrafter.engine.graph.history import bar_of
from quantcrafter.engine.plugins import Registry, load_registry
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from quantcrafter.engine.runtime.running.load_graph import load_graph
from quantcrafter.engine.runtime.running.prepare import load_market
from quantcrafter.engine.runtime.running.run import run
from quantcrafter.engine.runtime.sessions.session_recorder import SessionRecorder
from quantcrafter.engine.runtime.sessions.session_series import growing_series
from quantcrafter.engine.runtime.sessions.strategy_session import StrategySession
from tests.support.bar_by_bar import joined, run_on, until
from tests.support.contract_files import QUARTERS, write_contracts, write_series
from tests.support.ledger_checks import assert_same_bits


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry()


@pytest.mark.parametrize("start", ["", ", start: 2024-03-06"])
def test_a_session_that_is_taken_on_at_its_rolls_has_the_books_of_a_run(
    tmp_path: Path, registry: Registry, start: str
) -> None:
    graph = load_graph(write_series(tmp_path, more=start), registry)
    market = load_market(graph, lambda *_: None, lambda: False)
    rolls = market.bars[0].rolls
    assert rolls is not None
    first, second = (np.flatnonzero(~np.isnan(rolls.price)) - market.first[0]).tolist()
    session, parts = StrategySession.open(graph, until(graph, market, 0)), []
    for end in (first, first + 1, second):
        run_on(session, graph, market, end)
        parts.append(session.drain())
        session = StrategySession.open(graph, until(graph, market, end), session.state())
    run_on(session, graph, market)
    whole = run(graph, registry=registry).ledger
    assert len(whole.trades) > 3
    assert len(whole.fills) == 2 * len(whole.trades) + 2 * 2
    assert_same_bits(joined([*parts, session.ledger()]), whole)


class GrowingFiles:
    """Loads bars as files had them at a moment; the whole files are `loaded` by contract."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.loaded: dict[str, Bars] = {}

    def __call__(self, provider: DataProvider, request: DataRequest, *, on_bad_bars: str = "refuse") -> LoadedBars:
        found = load_bars(provider, request, on_bad_bars=on_bad_bars)
        self.loaded[request.symbol] = found.bars
        return found._replace(bars=found.bars.slice(0, self.rows_of(request.symbol)))

    def rows_of(self, contract: str) -> int:
        return int(np.searchsorted(self.loaded[contract].close_ns, self.now_ns, side="right"))


def test_a_session_on_the_bars_of_the_contracts_has_the_books_of_a_run(tmp_path: Path, registry: Registry) -> None:
    """The files grow by a day from step to step; the session and its series are opened again every 30 days."""
    file = write_series(tmp_path, more=", start: 2024-02-01")
    write_contracts(tmp_path / "data", {**QUARTERS, "ESU24": QUARTERS["ESU24"]._replace(first=date(2024, 1, 2))})
    graph, files = load_graph(file, registry), GrowingFiles()
    market = load_market(graph, lambda *_: None, lambda: False)
    files.now_ns = int(market.bars[0].close_ns[market.first[0] - 1])
    series = growing_series(graph, "ES", files)
    assert series.names == tuple(QUARTERS)
    session, parts, contracts = StrategySession.open(graph, {"ES": series.bars}), [], [series.held]
    for step, now_ns in enumerate(
        np.unique(np.concatenate([each.close_ns for each in files.loaded.values()])).tolist()
    ):
        if now_ns <= files.now_ns:
            continue
        if step % 30 == 0:
            parts.append(session.drain())
            series = growing_series(graph, "ES", files)
            session = StrategySession.open(graph, {"ES": series.bars}, session.state())
        files.now_ns = now_ns
        rows = {name: files.rows_of(name) - 1 for name in series.names}
        here = {name: row for name, row in rows.items() if files.loaded[name].close_ns[row] == now_ns}
        bar = series.take({name: bar_of(files.loaded[name], row) for name, row in here.items()})
        if bar is not None:
            session.append({"ES": bar})
            contracts.append(series.held)
    assert list(dict.fromkeys(contracts)) == list(QUARTERS)
    whole = run(graph, registry=registry).ledger
    assert len(whole.trades) > 3
    assert_same_bits(joined([*parts, session.ledger()]), whole)


def test_a_series_is_recorded_as_a_run_has_it(tmp_path: Path, registry: Registry) -> None:
    graph = load_graph(write_series(tmp_path), registry)
    market, batch = load_market(graph, lambda *_: None, lambda: False), run(graph, registry=registry)
    session = StrategySession.open(graph, until(graph, market, 0))
    with SessionRecorder(session, tmp_path / "run") as recorder:
        run_on(session, graph, market, 70)
        recorder.record()
        run_on(session, graph, market)
        recorder.record(finished=True)
    found = RunFolder.open(tmp_path / "run")
    assert (found.data_hash, found.metrics) == (batch.data_hash, batch.metrics)
    np.testing.assert_array_equal(found.instruments[0].roll, batch.instruments[0].roll)


def test_a_broker_is_not_told_of_rolls(tmp_path: Path, registry: Registry) -> None:
    graph = load_graph(write_series(tmp_path), registry)
    market = load_market(graph, lambda *_: None, lambda: False)
    with pytest.raises(RunError, match=r"rolled at the last closes of both contracts.*venue='simulated'"):
        StrategySession.open(graph, until(graph, market, 0), venue="external")


@pytest.mark.parametrize("adjust", ["back_difference", "back_ratio"])
def test_prices_that_depend_on_later_rolls_are_refused(tmp_path: Path, registry: Registry, adjust: str) -> None:
    graph = load_graph(write_series(tmp_path, adjust), registry)
    market = load_market(graph, lambda *_: None, lambda: False)
    with pytest.raises(RunError, match=f"can't use 'adjust: {adjust}' of the continuous series ES.*'adjust: none'"):
        StrategySession.open(graph, until(graph, market, 0))


def test_a_bar_that_does_not_say_its_contract_changes_nothing(tmp_path: Path, registry: Registry) -> None:
    graph = load_graph(write_series(tmp_path), registry)
    market = load_market(graph, lambda *_: None, lambda: False)
    bars = market.bars[0]
    assert bars.rolls is not None
    row = int(np.flatnonzero(~np.isnan(bars.rolls.price))[0])
    session = StrategySession.open(graph, until(graph, market, 0))
    run_on(session, graph, market, row)
    text, bar = session.state(), bar_of(bars, row)
    assert bar.contract == HeldContract("ESM24", 5118.0)
    for wrong, told in (
        (replace(bar, contract=None), "must name its 'contract'"),
        (replace(bar, contract=HeldContract("ESM24")), "at which price 'ESH24' was rolled into 'ESM24'"),
        (replace(bar, contract=HeldContract("ESH24", 5000.0)), "has a roll, but is of the same contract"),
    ):
        with pytest.raises(DataError, match=told):
            session.append({"ES": wrong})
        assert session.state() == text
    with pytest.raises(RunError, match="'contract' of a bar of ES must be a HeldContract, was 'ESM24'"):
        session.append({"ES": replace(bar, contract="ESM24")})  # type: ignore[arg-type]
    session.append({"ES": bar})
    assert session.steps == row + 1
    with pytest.raises(DataError, match="must have the 'rolls' of its contracts"):
        StrategySession.open(graph, {"ES": replace(bars, rolls=None)})


def test_a_strategy_without_the_series_is_told(tmp_path: Path, registry: Registry) -> None:
    with pytest.raises(RunError, match="has no continuous series 'NQ'"):
        growing_series(load_graph(write_series(tmp_path), registry), "NQ")
