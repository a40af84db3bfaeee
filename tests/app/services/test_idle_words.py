"""What is said of a node that changed no decision: it has to be true of the run, whatever blocked its entries."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantcrafter.app.services.event_texts import count_text, held_back_text, idle_text
from quantcrafter.engine.runtime.explain import take_census
from tests.support.kept_runs import registry, saved_run

BLOCKED = """\
quantcrafter: 1
instruments: [{symbol: AAPL, data: sample, timeframe: 1d}]
indicators:
  fast: {use: ta.SMA, input: bars.close, timeperiod: 5}
  slow: {use: ta.SMA, input: bars.close, timeperiod: 20}
advisors:
  go: {use: crossover, fast: fast, slow: slow}
  quiet: {use: levels, input: fast, long_entry: 0.0001, long_exit: 1000000}
filters:
  first: {use: volatility_band, input: bars.close, minimum: 1000000}
  second: {use: volatility_band, input: bars.close, minimum: 0, group: block}
money: {size: {use: fixed_quantity, quantity: 1}}
execution: {entry: {use: market, signals: [go, quiet], filters: FILTERS, money: size}}
"""


@pytest.mark.parametrize("name", ["first", "second"])
def test_a_filter_that_alone_blocks_every_entry_is_not_called_idle(name: str, tmp_path: Path) -> None:
    census = take_census(saved_run(BLOCKED.replace("FILTERS", f"[{name}]"), tmp_path), registry())
    found = census.nodes[name]
    assert (found.idle, found.blocked, found.alone) == (None, 93, 93)
    assert idle_text(found) == ""
    assert held_back_text(found) == "Blocked 93 entries, 93 of them on its own"
    assert idle_text(census.nodes["go"]) == "No effect: none of its signals became an order"
    assert idle_text(census.nodes["quiet"]) == "No effect: it never gave a signal"


def test_two_filters_that_block_the_same_entries_say_so_of_each_other(tmp_path: Path) -> None:
    census = take_census(saved_run(BLOCKED.replace("FILTERS", "[first, second]"), tmp_path), registry())
    text = "it blocked 93 entries, and another filter blocked each of them too"
    for name in ("first", "second"):
        assert census.nodes[name].alone == 0
        assert idle_text(census.nodes[name]) == f"No effect: {text}"


def test_a_filter_with_nothing_to_hold_back_says_so(tmp_path: Path) -> None:
    text = BLOCKED.replace("[go, quiet]", "[quiet]").replace("FILTERS", "[first]")
    assert idle_text(take_census(saved_run(text, tmp_path), registry()).nodes["first"]) == (
        "No effect: it never blocked an entry"
    )


def test_a_condition_that_keeps_everything_from_happening_is_not_said_to_change_nothing(tmp_path: Path) -> None:
    text = BLOCKED.replace("FILTERS", "[]").replace("[go, quiet]", "[go]")
    text = text.replace("advisors:", "logic:\n  dear: {use: compare, left: fast, op: '>', right: 1000000}\nadvisors:")
    text = text.replace("use: crossover, fast: fast, slow: slow", "use: rule, enter_long: [dear], exit_long: [dear]")
    found = take_census(saved_run(text, tmp_path), registry()).nodes["dear"]
    assert idle_text(found) == "Never true, so nothing that requires it ever happened"
    assert count_text(found, 0) == "never true"
