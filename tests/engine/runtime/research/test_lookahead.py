from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quantcrafter.engine.runtime.research.lookahead import find_lookahead, first_difference
from quantcrafter.engine.spec import parse_strategy
from tests.support.catalog import SmallCatalog, strategy_text
from tests.support.small_cases import SmallCase, registry

CLEAN = """
data: {five: {use: coarser, timeframe: 5d}, twin: {use: other, symbol: Y, data: ramp, step: 2}}
indicators:
  fast: {use: mean, input: bars.close, period: 3}
  slow: {use: mean, input: five.close, period: 2}
  theirs: {use: mean, input: twin.close, period: 2}
logic:
  up: {use: above, left: fast, right: slow}
  more: {use: above, left: theirs, right: slow}
advisors: {trend: {use: while, condition: up}}
money: {size: {use: units}}
execution: {entry: {use: at_market, signals: [trend], money: size}}
"""


def findings(body: str) -> list[tuple[str, bool]]:
    spec = parse_strategy(strategy_text(body))
    return [(each.node, each.origin) for each in find_lookahead(spec, registry=SmallCatalog())]


def test_causal_nodes_on_several_timeframes_are_clean() -> None:
    assert findings(CLEAN) == []


def test_a_node_that_peeks_is_named_and_those_behind_it_are_told_apart() -> None:
    guilty = CLEAN.replace(
        "fast: {use: mean, input: bars.close, period: 3}", "fast: {use: weird, input: bars.close, how: peek}"
    )
    spec = parse_strategy(strategy_text(guilty, instrument="{symbol: X, data: ramp, bars: 50}"))
    found = find_lookahead(spec, registry=SmallCatalog())
    assert (found[0].node, found[0].use, found[0].origin) == ("fast", "weird", True)
    assert found[0].bar == found[0].cut - 1
    assert found[0].later == found[0].known + 1
    assert "looks ahead" in str(found[0])
    assert all(not each.origin for each in found[1:])


def test_a_peek_through_a_longer_timeframe_is_found_too() -> None:
    guilty = CLEAN.replace(
        "slow: {use: mean, input: five.close, period: 2}", "slow: {use: weird, input: five.close, how: peek}"
    )
    assert findings(guilty)[0] == ("slow", True)


def test_a_fill_at_the_close_of_its_decision_looks_ahead(tmp_path: Path) -> None:
    bars = [(100, 101, 99, 100, "enter_long"), (100, 101, 99, 101), (101, 102, 100, 101)]
    auction = "{cash: 100000, fills: {close: auction}}"
    (found,) = find_lookahead(
        SmallCase("use: market, at: close", run=auction).write(tmp_path, bars), registry=registry()
    )
    assert (found.node, found.use, found.instrument, found.later) == ("entry", "market", "A", 100.0)
    assert "its orders fill at the close that their decision uses" in str(found)
    # At the next close nothing is known too early, and market orders at the open don't depend on the setting.
    for case in (SmallCase("use: market, at: close"), SmallCase("use: market", run=auction)):
        assert not find_lookahead(case.write(tmp_path, bars), registry=registry())


@pytest.mark.parametrize(
    ("known", "later", "index"),
    [
        ([1.0, np.nan, 3.0], [1.0, np.nan, 3.0], None),
        ([1.0, np.nan, 3.0], [1.0, 2.0, 3.0], 1),
        ([np.inf, 1.0], [np.inf, 1.0 + 1e-13], None),
        ([1.0, 2.0], [1.0, 2.0 + 1e-6], 1),
        ([True, False], [True, True], 1),
    ],
)
def test_columns_differ_where_values_do(known: list[float], later: list[float], index: int | None) -> None:
    assert first_difference(np.array(known), np.array(later)) == index
