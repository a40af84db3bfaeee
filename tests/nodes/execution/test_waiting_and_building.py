from typing import Any

import pytest
from pydantic import ValidationError

from quantcrafter.engine.api import (
    EntryRule,
    ExecutionRule,
    GridRule,
    Offset,
    OnOpposite,
    OrderKind,
    OrderLife,
    RebalanceRule,
    ScaleInRule,
)
from quantcrafter.nodes.execution.grid import Grid
from quantcrafter.nodes.execution.rebalance import Rebalance
from quantcrafter.nodes.execution.scale_in import ScaleIn
from quantcrafter.nodes.execution.waiting import Limit, StopEntry, StopLimit

WIRES: dict[str, Any] = {"signals": ["cross"], "money": "size"}


def test_a_limit_entry_describes_its_price_and_its_life() -> None:
    node = Limit(**WIRES, offset_percent=1, offset_ticks=2, offset_atr=0.5, atr="atr", time_in_force="bars", bars=3)
    entry = EntryRule(OrderKind.LIMIT, Offset(1, 2, 0.5), Offset(), OrderLife.BARS, 3)
    assert node.rule() == ExecutionRule(entry=entry)


def test_a_stop_entry_follows_its_line_where_the_file_says_so() -> None:
    node = StopEntry(**WIRES, line="upper", short_line="lower", follow=True, on_opposite="reverse")
    assert node.rule() == ExecutionRule(
        OnOpposite.REVERSE, entry=EntryRule(OrderKind.STOP, life=OrderLife.GTC, bars=5, follow=True)
    )


def test_entries_wait_on_both_sides_and_reverse_where_the_file_says_so() -> None:
    node = Limit(**WIRES, two_sided=True, on_opposite="reverse_at_price")
    entry = EntryRule(OrderKind.LIMIT, life=OrderLife.GTC, bars=5, two_sided=True)
    assert node.rule() == ExecutionRule(OnOpposite.REVERSE_AT_PRICE, entry=entry)


def test_a_stop_limit_has_a_second_distance() -> None:
    rule = StopLimit(**WIRES, offset_percent=1, limit_ticks=4, time_in_force="day").rule()
    assert rule.entry == EntryRule(OrderKind.STOP_LIMIT, Offset(percent=1), Offset(ticks=4), OrderLife.DAY, 5)


def test_further_entries_go_with_the_position_or_against_it() -> None:
    assert ScaleIn(**WIRES, spacing_percent=2).rule().scale_in == ScaleInRule(4, Offset(percent=2))
    against = ScaleIn(**WIRES, max_entries=2, spacing_ticks=5, direction="against", size_factor=2, on_signal=True)
    assert against.rule().scale_in == ScaleInRule(2, Offset(ticks=5), in_favour=False, factor=2.0, on_signal=True)


def test_further_entries_wait_at_their_prices_with_sizes_of_their_own() -> None:
    node = ScaleIn(**WIRES, spacing_percent=2, max_entries=3, sizes=[1, 2, 4], further="resting")
    rule = node.rule()
    assert rule.scale_in == ScaleInRule(3, Offset(percent=2), resting=True, sizes=(1.0, 2.0, 4.0))
    assert rule.scale_in is not None
    assert rule.scale_in.lots_factors == (1.0, 2.0, 4.0)
    assert ScaleInRule(3, Offset(), factor=2.0).lots_factors == (1.0, 2.0, 4.0)


def test_the_first_of_several_entries_may_wait_for_its_line() -> None:
    node = ScaleIn(**WIRES, spacing_atr=0.5, atr="atr", first="stop", line="upper", follow=True, time_in_force="day")
    rule = node.rule()
    assert rule.entry == EntryRule(OrderKind.STOP, life=OrderLife.DAY, bars=5, follow=True)
    assert rule.scale_in == ScaleInRule(4, Offset(multiple=0.5))


def test_a_grid_and_weights_describe_themselves() -> None:
    assert Grid(**WIRES, levels=3, spacing_atr=1, atr="atr").rule().grid == GridRule(3, Offset(multiple=1))
    assert Rebalance(weight=0.5, every_bars=5, monthly=True).rule().rebalance == RebalanceRule(5, monthly=True)


@pytest.mark.parametrize(
    ("node", "fields", "message"),
    [
        (Limit, {"offset_atr": 1}, "wire 'atr'"),
        (StopLimit, {"limit_atr": 1}, "wire 'atr'"),
        (StopEntry, {"time_in_force": "ioc"}, "'gtc', 'day' or 'bars'"),
        (Limit, {"offset_percent": -1}, "greater than or equal to 0"),
        (ScaleIn, {}, "entries need a distance"),
        (ScaleIn, {"spacing_atr": 1}, "wire 'atr'"),
        (ScaleIn, {"spacing_percent": 1, "max_entries": 1}, "greater than or equal to 2"),
        (ScaleIn, {"on_signal": True, "spacing_ticks": 1, "further": "resting"}, "leave out on_signal"),
        (ScaleIn, {"further": "resting"}, "entries need a distance"),
        (ScaleIn, {"spacing_ticks": 1, "sizes": [1, 2]}, "set max_entries to 2"),
        (ScaleIn, {"spacing_ticks": 1, "sizes": [2, 2, 3, 4]}, "begin with 1"),
        (ScaleIn, {"spacing_ticks": 1, "sizes": [1, 2, 0, 4]}, "are above 0"),
        (ScaleIn, {"spacing_ticks": 1, "sizes": [1, 2, 3, 4], "size_factor": 2}, "exclude each other"),
        (ScaleIn, {"spacing_ticks": 1, "line": "upper"}, "set first to limit or stop"),
        (ScaleIn, {"spacing_ticks": 1, "two_sided": True}, "set first to limit or stop"),
        (ScaleIn, {"spacing_ticks": 1, "on_opposite": "reverse_at_price", "first": "stop"}, "can't be reversed"),
        (ScaleIn, {"spacing_ticks": 1, "follow": True}, "set first to limit or stop"),
        (Grid, {}, "a grid needs a distance"),
        (Grid, {"spacing_percent": 1, "levels": 25}, "less than or equal to 24"),
    ],
)
def test_what_makes_no_sense_is_refused(node: Any, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        node(**WIRES, **fields)


def test_weights_that_are_never_restored_are_refused() -> None:
    with pytest.raises(ValidationError, match="set every_bars, monthly or drift_percent"):
        Rebalance(weight="momentum")
