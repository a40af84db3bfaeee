"""Spreads, fundings and swaps that change, in a session: the books of a run, and what a bar must say of them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from quantcrafter.engine.api import DataError, DatedAmount, RunError
from quantcrafter.engine.graph import BoundGraph
from quantcrafter.engine.graph.history import bar_of
from quantcrafter.engine.plugins import Registry, load_registry
from quantcrafter.engine.runtime.running.load_graph import load_graph
from quantcrafter.engine.runtime.running.prepare import LoadedMarket, load_market
from quantcrafter.engine.runtime.running.run import run
from quantcrafter.engine.runtime.sessions.cost_files import with_costs_of_files
from quantcrafter.engine.runtime.sessions.strategy_session import Host, StrategySession
from tests.support.bar_by_bar import joined, run_on, until
from tests.support.changing_costs import COSTS, costly
from tests.support.ledger_checks import assert_same_bits

START = "run.start=2024-03-06"


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry()


def loaded(file: Path, registry: Registry, *overrides: str) -> tuple[BoundGraph, LoadedMarket]:
    graph = load_graph(file, registry, (START, *overrides))
    return graph, load_market(graph, lambda *_: None, lambda: False)


@pytest.mark.parametrize("what", COSTS)
def test_a_session_that_is_taken_on_has_the_books_of_a_run(tmp_path: Path, registry: Registry, what: str) -> None:
    graph, market = loaded(costly(tmp_path, COSTS[what]), registry)
    session, parts = StrategySession.open(graph, until(graph, market, 0)), []
    for end in (37, 80):
        run_on(session, graph, market, end)
        parts.append(session.drain())
        session = StrategySession.open(graph, until(graph, market, end), session.state())
    run_on(session, graph, market)
    whole = run(graph, registry=registry).ledger
    assert len(whole.trades) > 20
    assert (len(whole.cashflows) > 1) == (what in {"swap", "funding", "spread and swap"})
    assert_same_bits(joined([*parts, session.ledger()]), whole)


def test_strategies_of_a_host_that_pay_differently_have_their_own_books(tmp_path: Path, registry: Registry) -> None:
    file, host = costly(tmp_path, COSTS["spread and swap"]), Host()
    for spread in (".0.spread={column: spread, unit: pips}", ".0.spread={price: 0.0001}"):
        for _ in range(2):
            graph, market = loaded(file, registry, f"instruments{spread}")
            session = StrategySession.open(graph, until(graph, market, 0), host=host)
            run_on(session, graph, market)
            assert_same_bits(session.ledger(), run(graph, registry=registry).ledger)


def wrong_bars(what: str, bar: Any) -> dict[str, tuple[Any, type[Exception], str]]:
    """Return bars that don't say what a session needs, with the error and what it says."""
    if what == "spread in ticks":
        return {
            "none": (replace(bar, spread=None), DataError, "must have a 'spread', as its instrument has a column"),
            "below zero": (replace(bar, spread=-1.0), DataError, "must have a spread of 0 or more, had -1"),
            "nan": (replace(bar, spread=float("nan")), DataError, "must have a spread of 0 or more, had nan"),
            "text": (replace(bar, spread="2"), RunError, "'spread' of a bar of EURUSD must be a number"),
            "funding": (replace(bar, funding=()), DataError, "has a 'funding', which its instrument doesn't have"),
        }
    if what == "spread in points":
        return {
            "text": (replace(bar, close="1.1"), RunError, "'close' of a bar of EURUSD must be a number"),
            "nan": (replace(bar, close=float("nan")), DataError, "must have prices above 0"),
        }
    inside = DatedAmount(bar.open_ns, 0.01, 0.01)
    if what == "funding":
        late, later = inside._replace(time_ns=bar.close_ns), inside._replace(time_ns=bar.open_ns - 1)
        return {
            "none": (replace(bar, funding=None), DataError, "must say in 'funding' what was due since the last one"),
            "late": (replace(bar, funding=(late,)), DataError, "must have fundings in order, from .* and before"),
            "early": (replace(bar, funding=(later,)), DataError, "must have fundings in order, from .* and before"),
            "twice": (replace(bar, funding=(inside, inside)), DataError, "must have fundings in order"),
            "nan": (replace(bar, funding=(inside._replace(long=float("nan")),)), DataError, "must have finite numbers"),
            "list": (replace(bar, funding=[inside]), RunError, "must be a tuple of DatedAmount"),
            "swap": (replace(bar, swap=()), DataError, "has a 'swap', which its instrument doesn't have"),
        }
    return {
        "none": (replace(bar, swap=None), DataError, "must say in 'swap' what was due since the last one"),
        "too many": (replace(bar, swap=(inside,)), DataError, "must have the swap of each night .*: none; had"),
        "spread": (replace(bar, spread=1.0), DataError, "has a 'spread', which its instrument doesn't have"),
    }


@pytest.mark.parametrize("what", ["spread in ticks", "spread in points", "funding", "swap"])
def test_what_is_not_known_is_told_and_changes_nothing(tmp_path: Path, registry: Registry, what: str) -> None:
    graph, market = loaded(costly(tmp_path, COSTS[what]), registry)
    session = StrategySession.open(graph, until(graph, market, 0))
    run_on(session, graph, market, 5)
    text, bar = session.state(), bar_of(market.bars[0], market.first[0] + 5)
    for name, (wrong, error, message) in wrong_bars(what, bar).items():
        with pytest.raises(error, match=message):
            session.append({"EURUSD": wrong})
        assert session.state() == text, name
    session.append({"EURUSD": bar})
    assert session.steps == 6


def test_a_night_without_its_swap_is_told(tmp_path: Path, registry: Registry) -> None:
    graph, market = loaded(costly(tmp_path, COSTS["swap"]), registry)
    session = StrategySession.open(graph, until(graph, market, 0))
    bars, refused = market.bars[0], 0
    for number in range(market.first[0], len(bars)):
        bar = bar_of(bars, number)
        if bar.swap:
            refused += 1
            with pytest.raises(DataError, match=r"must have the swap of each night .* UTC: 2024-03-\d\d; had none"):
                session.append({"EURUSD": replace(bar, swap=())})
        session.append({"EURUSD": bar})
    assert refused > 3


def test_half_a_day_without_a_funding_is_told(tmp_path: Path, registry: Registry) -> None:
    graph, market = loaded(costly(tmp_path, COSTS["funding"]), registry)
    session = StrategySession.open(graph, until(graph, market, 0))
    bars, first = market.bars[0], market.first[0]
    for number in range(first, first + 12):
        session.append({"EURUSD": replace(bar_of(bars, number), funding=())})
    with pytest.raises(DataError, match=r"has no funding from 2024-03-06.* to .*, which is more than 12 h"):
        session.append({"EURUSD": replace(bar_of(bars, first + 12), funding=())})


def test_points_are_those_of_the_bars_before_the_first_step(tmp_path: Path, registry: Registry) -> None:
    instrument = "symbol: GER40, timeframe: 1h, spread: {column: spread, unit: points}"
    graph, market = loaded(costly(tmp_path, instrument), registry)
    known = replace(until(graph, market, 0)["GER40"], decimals=None)
    with pytest.raises(RunError, match="can't tell from the bars before its first step what a point of 'spread' is"):
        StrategySession.open(graph, {"GER40": known.slice(0, 10)})
    session = StrategySession.open(graph, {"GER40": known})
    bar = bar_of(market.bars[0], market.first[0])
    with pytest.raises(DataError, match="has prices finer than 1e-05, the point of its spreads"):
        session.append({"GER40": replace(bar, close=bar.close + 0.000004)})
    session.append({"GER40": bar})
    assert session.steps == 1


@pytest.mark.parametrize("tick", ["", ", tick_size: 0.00001"])
def test_points_that_a_text_or_a_tick_shows_need_no_more_bars(tick: str, tmp_path: Path, registry: Registry) -> None:
    instrument = f"symbol: GER40, timeframe: 1h, spread: {{column: spread, unit: points}}{tick}"
    graph, market = loaded(costly(tmp_path, instrument), registry)
    known = until(graph, market, 0)["GER40"]
    known = replace(known, decimals=None) if tick else known
    session = StrategySession.open(graph, {"GER40": known.slice(0, 10)})
    assert session.terms[0].point == pytest.approx(1e-5)


def test_the_known_bars_need_the_column_of_spreads(tmp_path: Path, registry: Registry) -> None:
    graph, market = loaded(costly(tmp_path, COSTS["spread in ticks"]), registry)
    known = until(graph, market, 0)
    with pytest.raises(DataError, match="The bars before the first step of EURUSD must have a 'spread'"):
        StrategySession.open(graph, {"EURUSD": replace(known["EURUSD"], spread=None)})


def cut(path: Path, end: str) -> list[str]:
    """Keep the rows of a file up to a day or time, and return the others."""
    head, *rows = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([head, *(row for row in rows if row.split(",")[0] <= end)]) + "\n", encoding="utf-8")
    return [row for row in rows if row.split(",")[0] > end]


@pytest.mark.parametrize(
    ("what", "file", "ends", "told"),
    [
        (
            "funding",
            "funding.csv",
            "2024-03-06T16:00",
            "ends on 2024-03-06 16:00 UTC, .* due on 2024-03-07 is not known",
        ),
        (
            "swap",
            "swap.csv",
            "2024-03-05",
            "swap.csv ends on 2024-03-05, and what was due on 2024-03-06 is not known yet",
        ),
    ],
)
def test_files_that_grow_say_what_was_due_and_no_more(
    tmp_path: Path, registry: Registry, what: str, file: str, ends: str, told: str
) -> None:
    graph, market = loaded(costly(tmp_path, COSTS[what]), registry)
    whole, missing = run(graph, registry=registry).ledger, cut(tmp_path / file, ends)
    session, refused = StrategySession.open(graph, until(graph, market, 0)), ""
    for number in range(market.first[0], len(market.bars[0])):
        bars = {"EURUSD": replace(bar_of(market.bars[0], number), funding=None, swap=None)}
        try:
            bars = with_costs_of_files(session, bars)
        except DataError as error:
            refused = refused or str(error)
            with (tmp_path / file).open("a", encoding="utf-8") as rows:
                rows.write("\n".join(missing) + "\n")
            bars = with_costs_of_files(session, bars)
        session.append(bars, last=["EURUSD"] if number == len(market.bars[0]) - 1 else [])
    assert re.search(told, refused)
    assert_same_bits(session.ledger(), whole)
