"""What a session refuses, with one clear error, and without changing anything."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantcrafter.engine.api.bars import NEW_YORK_STOCKS
from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.order_id import OrderError
from quantcrafter.engine.api.ports import ENTER_LONG
from quantcrafter.engine.api.rules import ProtectiveKind, ProtectiveRule, SizeKind, SizeRule
from quantcrafter.engine.api.timeframe import Timeframe
from quantcrafter.engine.simulation.closed_bar import ClosedBar, closed_bars
from quantcrafter.engine.simulation.driver import simulate
from quantcrafter.engine.simulation.identity import Identity
from quantcrafter.engine.simulation.session import SimulationSession
from quantcrafter.engine.simulation.session_state import SessionState
from tests.support.counts import sample
from tests.support.jobs import DAY_NS, Setup, make_bars, make_job
from tests.support.ledger_checks import assert_same_bits

ROWS = [[100, 101, 99, 100], [100, 102, 99, 101], [101, 103, 100, 102], [102, 104, 101, 103]]
ATR_STOP = ProtectiveRule(ProtectiveKind.STOP_LOSS, multiple=1.0, column="atr")
STOP = ProtectiveRule(ProtectiveKind.STOP_LOSS, percent=5.0)


def job_of(percent: float = 10.0, symbols: tuple[str, ...] = ("TEST",), **more: Any) -> EngineJob:
    pairs = [(make_bars(ROWS, symbol), Setup(flags={0: ENTER_LONG})) for symbol in symbols]
    return make_job(*pairs, size=SizeRule(SizeKind.EQUITY_PERCENT, percent), **more)


def bar(day: int = 1, **changed: Any) -> ClosedBar:
    plain = ClosedBar(100.0, 101.0, 99.0, 100.0, day * DAY_NS, (day + 1) * DAY_NS)
    return replace(plain, **changed)


WRONG_BARS: dict[str, tuple[Any, str]] = {
    "before the last one": ({"TEST": bar(0)}, "A bar of TEST must come after the last one"),
    "the last one again": ({"TEST": bar(1)}, "A bar of TEST must come after the last one"),
    "overlaps the last one": ({"TEST": bar(2, open_ns=2 * DAY_NS - 1)}, "open no earlier than that closed"),
    "a month in a strategy of days": ({"TEST": bar(2, close_ns=32 * DAY_NS)}, "of TEST in 1d must be no longer than"),
    "a text as price": ({"TEST": bar(2, close="100")}, r"'close' of a bar of TEST must be a number, was '100' \(str"),
    "no volume": ({"TEST": bar(2, volume=None)}, "'volume' of a bar of TEST must be a number, was None"),
    "true as price": ({"TEST": bar(2, open=True)}, "'open' of a bar of TEST must be a number, was True"),
    "a price beyond all numbers": ({"TEST": bar(2, high=10**400)}, "'high' of a bar of TEST must be a finite number"),
    "a list": ({"TEST": [1, 2, 3]}, r"A bar of TEST must be a ClosedBar, was \[1, 2, 3\] \(list\)"),
    "no bar": ({"TEST": None}, "A bar of TEST must be a ClosedBar, was None"),
    "a list of bars": ([bar(2)], "must be a mapping from symbols to bars, was list"),
    "seconds with a fraction": ({"TEST": bar(2, open_ns=2.0 * DAY_NS)}, "'open_ns' of a bar of TEST must be a whole"),
    "a datetime": (
        {"TEST": bar(2, close_ns=datetime(1970, 1, 4, tzinfo=UTC))},
        "'close_ns' of a bar of TEST .*datetime",
    ),
    "a time beyond all times": ({"TEST": bar(2, open_ns=10**30, close_ns=10**30 + 1)}, "'open_ns' .* a whole number"),
    "flags beyond a byte": (
        {"TEST": bar(2, flags=256)},
        "'flags' of a bar of TEST must be a whole number from 0 to 255",
    ),
    "a text as ready": ({"TEST": bar(2, ready="yes")}, "'ready' of a bar of TEST must be true or false"),
    "no columns": ({"TEST": bar(2, execution_columns=None)}, "Columns of a bar of TEST must be those of a ClosedBar"),
    "a text as size": ({"TEST": bar(2, split="two")}, "Values of columns at a bar of TEST must be numbers"),
    "unknown symbol": ({"TSET": bar(2)}, "no instrument 'TSET' here; there are TEST. Did you mean 'TEST'?"),
    "nothing": ({}, "at least one bar"),
    "NaN close": ({"TEST": bar(2, close=math.nan)}, "Prices of a bar of TEST must be finite"),
    "infinite high": ({"TEST": bar(2, high=math.inf)}, "Prices of a bar of TEST must be finite"),
    "close above high": ({"TEST": bar(2, close=110.0)}, "must lie between low and high"),
    "negative volume": ({"TEST": bar(2, volume=-1.0)}, "The volume of a bar of TEST must be 0 or more"),
    "closes before it opens": ({"TEST": bar(2, close_ns=2 * DAY_NS)}, "must open before it closes"),
    "a value too much": ({"TEST": bar(2, size=1.0)}, "must have no value 'size'"),
    "a rule's value too much": ({"TEST": bar(2, rule_columns=(1.0,))}, "just the 0 rules"),
    "a column too much": ({"TEST": bar(2, execution_columns={"line": 1.0})}, r"columns \[\], had \['line'\]"),
}


@pytest.mark.parametrize("wrong", WRONG_BARS)
def test_a_wrong_bar_is_refused_and_changes_nothing(wrong: str) -> None:
    session = SimulationSession.open(job_of())
    session.append({"TEST": bar(1, flags=ENTER_LONG)})
    session.step()
    before, holdings = session.state().to_json(), session.ledger()
    bars, message = WRONG_BARS[wrong]
    with pytest.raises(RunError, match=message):
        session.append(bars)
    assert session.state().to_json() == before
    assert_same_bits(session.ledger(), holdings)
    session.append({"TEST": bar(2)})
    session.step()
    assert len(session.ledger().fills) == 1


def test_whole_prices_and_numbers_of_numpy_are_numbers() -> None:
    session = SimulationSession.open(job_of())
    first = bar(1, open=100, volume=np.float32(3), open_ns=np.int64(DAY_NS), close_ns=np.int64(2 * DAY_NS))
    for each in (first, bar(2, flags=np.uint8(ENTER_LONG), ready=np.True_), bar(3)):
        session.append({"TEST": each})
        session.step()
    assert len(session.ledger().fills) == 1
    assert SessionState.from_json(session.state().to_json()).step == 3


@pytest.mark.parametrize(
    ("timeframe", "longest"),
    [
        (Timeframe(1, "m"), 90_000_000_000),
        (Timeframe(1, "d"), 2 * DAY_NS),
        (Timeframe(1, "w"), 8 * DAY_NS),
        (Timeframe(1, "mo"), 32 * DAY_NS),
    ],
)
def test_a_bar_may_be_as_long_as_its_timeframe_and_calendar_allow(timeframe: Timeframe, longest: int) -> None:
    bars = replace(make_bars(ROWS), timeframe=timeframe)
    session = SimulationSession.open(make_job((bars, Setup())))
    with pytest.raises(RunError, match=f"in {timeframe} must be no longer than {longest} ns, was {longest + 1} ns"):
        session.append({"TEST": bar(1, close_ns=DAY_NS + longest + 1)})
    session.append({"TEST": bar(1, close_ns=DAY_NS + longest)})
    weekend = replace(bars, timeframe=Timeframe(1, "d"), session=NEW_YORK_STOCKS)
    session = SimulationSession.open(make_job((weekend, Setup())))
    session.append({"TEST": bar(1, close_ns=5 * DAY_NS)})
    session.step()
    with pytest.raises(RunError, match="no longer"):
        session.append({"TEST": bar(5, close_ns=9 * DAY_NS + 1)})


def test_a_bar_without_the_value_of_a_rule_is_refused() -> None:
    pair = (make_bars(ROWS), Setup(rule_columns=([1.0] * 4,)))
    session = SimulationSession.open(make_job(pair, protection=(ATR_STOP,)))
    with pytest.raises(RunError, match="just the 1 rules that have a column"):
        session.append({"TEST": bar(1)})
    session.append({"TEST": bar(1, rule_columns=(math.nan,))})


def test_of_two_bars_a_wrong_one_keeps_the_other_out_too() -> None:
    session = SimulationSession.open(job_of(symbols=("A", "B")))
    with pytest.raises(RunError, match="must close at the same moment"):
        session.append({"A": bar(1), "B": bar(2)})
    with pytest.raises(RunError, match="of B must be finite"):
        session.append({"A": bar(1), "B": bar(1, open=math.nan)})
    assert session.memory.holdings["bars"].tolist() == [0, 0]
    session.append({"A": bar(1)})
    session.step()
    with pytest.raises(RunError, match="must close after the last one"):
        session.append({"B": bar(1)})


def test_steps_and_bars_take_turns() -> None:
    session = SimulationSession.open(job_of())
    with pytest.raises(RunError, match="No bar is known after 0 steps"):
        session.step()
    session.append({"TEST": bar(1)})
    for wrong in (lambda: session.append({"TEST": bar(2)}), session.state):
        with pytest.raises(RunError, match=r"Call step\(\) "):
            wrong()
    session.step()
    session.end_data()
    with pytest.raises(RunError, match="The data of TEST has ended"):
        session.append({"TEST": bar(2)})
    with pytest.raises(RunError, match="data has ended after 1 steps"):
        session.step()


def test_a_session_that_knows_all_bars_takes_no_more_and_one_that_goes_on_has_no_snapshots() -> None:
    with pytest.raises(RunError, match=r"Use SimulationSession\.open"):
        SimulationSession(job_of()).append({"TEST": bar(9)})
    with pytest.raises(RunError, match="kept by its state"):
        SimulationSession.open(job_of()).snapshot()


# ---------------------------------------------------------------------- states


def state_after(job: EngineJob, steps: int, identity: Identity = Identity("golden")) -> SessionState:  # noqa: B008
    session = SimulationSession.open(job, identity=identity)
    for _, bars in zip(range(steps), closed_bars(job), strict=False):
        session.append(bars)
        session.step()
    return session.state()


def test_a_state_keeps_no_terms_of_its_job() -> None:
    kept = state_after(job_of(95.0), 2)
    assert "size_value" not in kept.to_json()
    session = SimulationSession.open(job_of(95.0), kept, identity=Identity("golden"))
    assert session.memory.portfolio["executions"][0]["size_value"] == 95.0


@pytest.mark.parametrize(
    ("job", "identity", "reason"),
    [
        (job_of(95.0), Identity("other"), "another strategy: 'golden', and this strategy is 'other'"),
        (job_of(10.0), Identity("golden"), "same strategy with other settings, rules or components"),
        (job_of(95.0, protection=(STOP,)), Identity("golden"), "other settings, rules or components"),
        (job_of(95.0, settings={"commission": {"percent": 1.0}}), Identity("golden"), "other settings"),
        (job_of(95.0, symbols=("A", "B")), Identity("golden"), "is of TEST, and the strategy trades A, B"),
    ],
)
def test_another_strategy_s_state_is_refused_with_a_reason(job: EngineJob, identity: Identity, reason: str) -> None:
    kept = state_after(job_of(95.0), 2)
    with pytest.raises(RunError, match=reason):
        SimulationSession.open(job, kept, identity=identity)


def test_a_newer_state_and_a_text_that_is_none_are_refused() -> None:
    kept = state_after(job_of(), 2).to_json()
    with pytest.raises(RunError, match="has version 2, and this program reads version 1"):
        SessionState.from_json(json.dumps({**json.loads(kept), "version": 2}))
    for text in ("", "{", "[]", "{}", "null", kept[:-20]):
        with pytest.raises(RunError, match="not the state of a session"):
            SessionState.from_json(text)
    for key in ("instruments", "account", "epochs"):
        values = json.loads(kept)
        del values[key]
        with pytest.raises(RunError, match="can't be read"):
            SessionState.from_json(json.dumps(values))


def test_a_state_with_a_field_that_is_not_there_is_refused() -> None:
    values = json.loads(state_after(job_of(), 2).to_json())
    values["account"]["luck"] = 7
    with pytest.raises(RunError, match="the account has no field 'luck'"):
        SimulationSession.open(job_of(), SessionState.from_json(json.dumps(values)), identity=Identity("golden"))


def test_a_state_is_small() -> None:
    assert len(state_after(job_of(), 3).to_json()) < 1_500


def test_what_the_caller_keeps_comes_back() -> None:
    session = SimulationSession.open(job_of())
    kept = session.state({"node": {"count": 3, "mean": math.nan, "$odd": [1, "nan", None, True]}})
    again = SimulationSession.open(job_of(), SessionState.from_json(kept.to_json()))
    node = again.kept["node"]
    assert math.isnan(node.pop("mean"))
    assert node == {"count": 3, "$odd": [1, "nan", None, True]}


def test_a_snapshot_of_another_job_is_refused() -> None:
    first, second = SimulationSession(job_of(95.0)), SimulationSession(job_of(10.0))
    first.step()
    with pytest.raises(RunError, match="own job"):
        second.restore(first.snapshot())
    assert second.index == 0


# ---------------------------------------------------------------------- the end of the data


@pytest.mark.parametrize("end_of_data", ["leave", "close_last"])
def test_data_that_ends_after_its_last_step_ends_as_if_that_had_been_known(end_of_data: str) -> None:
    job = job_of(protection=(STOP,), settings={"end_of_data": end_of_data, "commission": {"percent": 0.1}})
    session = SimulationSession.open(job)
    for bars in closed_bars(job):
        session.append(bars)
        session.step()
    assert len(session.working_orders(0)) == 1
    session.end_data()
    assert_same_bits(session.ledger(), simulate(job))
    assert session.equity == session.ledger().equity[-1]


def test_a_rate_is_needed_from_the_first_decision_on() -> None:
    rates = {"rate_open": [1.0] * 4, "rate_close": [1.0] * 4}
    session = SimulationSession.open(make_job((make_bars(ROWS), Setup(more=rates))))
    session.append({"TEST": bar(1, ready=False, rate_open=0.0, rate_close=0.0)})
    session.step()
    with pytest.raises(RunError, match="'rate_close' of a bar of TEST must be above 0, was 0"):
        session.append({"TEST": bar(2, rate_open=1.0, rate_close=0.0)})
    with pytest.raises(RunError, match="must have a value 'rate_close'"):
        session.append({"TEST": bar(2, rate_open=1.0)})
    session.append({"TEST": bar(2, rate_open=1.0, rate_close=1.0)})


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the ways to everything in a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [*([path] if path else []), *(way for key, each in inner for way in leaves(each, (*path, key)))]


KEPT = state_after(job_of(protection=(STOP,)), 2).to_json()


@settings(max_examples=sample(200, of=20_000), deadline=None)
@given(st.data())
def test_a_state_that_was_changed_by_hand_opens_or_is_refused_and_never_fails_otherwise(data: st.DataObject) -> None:
    job = job_of(protection=(STOP,))
    values = json.loads(KEPT)
    way = data.draw(st.sampled_from(leaves(values)))
    place = values
    for key in way[:-1]:
        place = place[key]
    change = data.draw(st.sampled_from(["delete", None, -1, 2**70, 1.5, "x", [], {}, [1], {"a": 1}, True]))
    if change == "delete":
        del place[way[-1]]
    else:
        place[way[-1]] = change
    try:
        session = SimulationSession.open(job, SessionState.from_json(json.dumps(values)), identity=Identity("golden"))
        text = session.state().to_json()
    except (RunError, OrderError) as error:
        assert str(error)  # noqa: PT017 - either of the two outcomes is right
        return
    again = SimulationSession.open(job, SessionState.from_json(text), identity=Identity("golden"))
    assert again.state().to_json() == text
