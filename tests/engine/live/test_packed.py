"""Bars and inputs come back from the log as they were written."""

from __future__ import annotations

import math

import pytest

from quantcrafter.engine.api import Bar, BarRevised, Bars, Subscription, Timeframe, bars_from
from quantcrafter.engine.api.bars import DatedAmount, HeldContract
from quantcrafter.engine.graph.history import bar_of
from quantcrafter.engine.live.inputs import BarsClosed, LiveInput, kind_of, read_input, written_input
from quantcrafter.engine.live.packed import joined_bars, pack_bars, unpack_bars

ONE = Subscription("ONE", "ONE", Timeframe.parse("1d"))
DAY_NS = 86_400_000_000_000


def bar(number: int, **given: object) -> Bar:
    first = {"open_ns": number * DAY_NS, "close_ns": (number + 1) * DAY_NS}
    values: dict[str, object] = {**first, "open": 0.1 + 0.2, "high": 7.0, "low": 0.1, "close": 1e-300, "volume": -0.0}
    return Bar(**{**values, **given})  # type: ignore[arg-type] # tests of all fields


KINDS = {
    "plain": [bar(0), bar(1), bar(2)],
    "extra": [bar(0, extra={"a": 1.5, "b": 2.5}), bar(1, extra={"a": 0.1, "b": 7.0})],
    "actions": [bar(0), bar(1, split=2.0), bar(2, dividend=0.3)],
    "traded": [bar(0, traded=bar(0, split=0.1)), bar(1, traded=bar(1, dividend=1.0))],
    "spread": [bar(0, spread=0.1), bar(1, spread=0.3)],
    "contracts": [
        bar(0, contract=HeldContract("H")),
        bar(1, contract=HeldContract("M", 7.25)),
        bar(2, contract=HeldContract("M")),
        bar(3, contract=HeldContract("U", -0.5, 20_000)),
    ],
    "funding": [bar(0, funding=(DatedAmount(5, 0.1, 0.2),)), bar(1, funding=())],
}


@pytest.mark.parametrize("name", KINDS)
def test_bars_come_back_bit_by_bit_whole_and_in_parts(name: str) -> None:
    given = bars_from(ONE, KINDS[name], "test", synthetic=True)

    def all_of(bars: Bars) -> list[Bar]:
        return [bar_of(bars, number) for number in range(len(bars))]

    whole = unpack_bars(pack_bars(given))
    assert all_of(whole) == all_of(given) == KINDS[name]
    assert (whole.symbol, whole.timeframe, whole.source, whole.synthetic) == ("ONE", ONE.timeframe, "test", True)
    assert pack_bars(whole) == pack_bars(given)
    parts = [given.slice(0, 0), given.slice(0, 1), given.slice(1, len(given))]
    assert all_of(joined_bars([unpack_bars(pack_bars(each)) for each in parts])) == KINDS[name]
    assert len(unpack_bars(pack_bars(given.slice(0, 0)))) == 0


def test_contracts_of_bars_that_came_one_by_one_are_counted_from_the_first_one() -> None:
    given = bars_from(ONE, KINDS["contracts"], "test")
    assert pack_bars(joined_bars([bars_from(ONE, [each], "test") for each in KINDS["contracts"]])) == pack_bars(given)
    assert given.rolls is not None
    assert (given.rolls.names, given.rolls.expiries) == (("H", "M", "U"), (None, None, 20_000))


@pytest.mark.parametrize("name", KINDS)
def test_inputs_with_bars_come_back_bit_by_bit(name: str) -> None:
    inputs: list[LiveInput] = [BarsClosed({"ONE": each}, 7, ("ONE",)) for each in KINDS[name]]
    inputs.append(BarRevised("ONE", KINDS[name][0], 9))
    for each in inputs:
        read = read_input(kind_of(each), written_input(each))
        assert repr(read) == repr(each)  # 0.0 and -0.0 are equal, and not the same bits


def test_a_value_that_is_missing_is_left_out() -> None:
    given = BarsClosed({"ONE": bar(0, extra={"a": math.nan, "b": 1.0})}, 7)
    read = read_input("bar", written_input(given))
    assert isinstance(read, BarsClosed)
    assert read.bars["ONE"].extra == {"b": 1.0}
