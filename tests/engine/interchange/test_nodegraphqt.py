"""A strategy as a session of NodeGraphQt, and back: nothing is lost, and what is changed there is changed here."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quantcrafter.engine.api import SpecError
from quantcrafter.engine.interchange.nodegraphqt import export_session, import_session, read_session, session_text
from quantcrafter.engine.plugins import Registry, load_registry
from quantcrafter.engine.spec import StrategyFile, parse_strategy
from quantcrafter.engine.spec.identity import strategy_hash
from tests.support.command_line import ROOT
from tests.support.counts import sample, seed
from tests.support.random_strategies import write_random_strategy

EXAMPLES = sorted((ROOT / "resources" / "examples").glob("*.yaml"))
TEXT = """\
quantcrafter: 1  # the format
name: Cross
instruments:
  - {symbol: AAPL, data: sample}
indicators:
  fast: {use: ta.SMA, input: bars.close, timeperiod: 50}  # quick
  slow: {use: ta.SMA, input: bars.close, timeperiod: 200}
  range: {use: ta.ATR, timeperiod: 14}
logic:
  high: {use: compare, left: fast, op: ">", right: 30}
  mean: {use: weighted, inputs: [fast, 2, slow], name: [1, 2]}  # comes with a plugin
advisors:
  cross: {use: crossover, fast: fast, slow: slow}
  other: {use: crossover, fast: mean.a, slow: slow, mute: true}
risk:
  stop: {use: percent_stop, percent: 5}
money:
  size: {use: percent_of_equity, percent: 95}
execution:
  entry: {use: market, signals: [cross, other], money: size, risk: [stop]}
layout:
  fast: [120, 80]
frames:
  note: {text: Average, at: [100, 40], size: [300, 200], color: blue}
"""

Data = dict[str, Any]


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry()


def exported(text: str, registry: Registry, folder: Path = ROOT) -> Data:
    file = StrategyFile.loads(text)
    spec, problems = file.check(folder)
    assert spec is not None, problems
    return json.loads(session_text(export_session(file, spec, registry)))  # type: ignore[no-any-return]


def imported(session: Data, registry: Registry, folder: Path = ROOT) -> str:
    return import_session(read_session(json.dumps(session), "s.json"), registry, folder).text


def changed(registry: Registry, change: Callable[[Data], None]) -> str:
    """Return the text above after its session was changed, and the change alone as lines that are new or gone."""
    session = exported(TEXT, registry)
    change(session)
    return imported(session, registry)


def lines(text: str) -> set[str]:
    return set(text.splitlines())


def new_lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line not in lines(TEXT)]


def connect(session: Data, source: tuple[str, str], target: tuple[str, str]) -> None:
    session["connections"].append({"out": list(source), "in": list(target)})


def disconnect(session: Data, target: tuple[str, str], source: str = "") -> None:
    pipes = session["connections"]
    session["connections"] = [
        pipe for pipe in pipes if pipe["in"] != list(target) or (source and pipe["out"][0] != source)
    ]


def remove(session: Data, key: str) -> None:
    del session["nodes"][key]
    pipes = session["connections"]
    session["connections"] = [pipe for pipe in pipes if key not in (pipe["in"][0], pipe["out"][0])]


def new_node(type_: str, name: str, **custom: Any) -> Data:
    return {"type_": type_, "name": name, "pos": [5.0, 6.0], "disabled": False, "custom": custom}


# ------------------------------------------------------------------ nothing is lost


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_every_example_comes_back_to_the_last_byte(file: Path, registry: Registry) -> None:
    text = file.read_text(encoding="utf-8")
    assert imported(exported(text, registry, file.parent), registry, file.parent) == text


def test_random_strategies_come_back_to_the_last_byte_and_are_the_same(registry: Registry, tmp_path: Path) -> None:
    first = seed("nodegraphqt") % 100_000
    for number in range(first, first + sample(25, of=1000)):
        folder = tmp_path / str(number)
        folder.mkdir()
        file = write_random_strategy(folder, registry, number)
        text = file.read_text(encoding="utf-8")
        back = imported(exported(text, registry, file.parent), registry, file.parent)
        assert back == text, number
        assert strategy_hash(parse_strategy(back, base_dir=file.parent)) == strategy_hash(
            parse_strategy(text, base_dir=file.parent)
        )


def test_nodes_that_are_not_installed_bypassed_muted_and_framed_come_back(registry: Registry) -> None:
    assert imported(exported(TEXT, registry), registry) == TEXT


def test_it_comes_back_where_other_components_are_installed_than_where_it_was_exported(registry: Registry) -> None:
    bare = Registry({}, {}, (), ())
    assert imported(exported(TEXT, bare), registry) == TEXT
    explicit = TEXT.replace("timeperiod: 14}", "timeperiod: 14, bars: bars}")  # the default, which is known no more
    assert imported(exported(TEXT, registry), bare) == explicit


def test_a_session_has_a_node_for_each_of_the_strategy_with_its_ports_wired(registry: Registry) -> None:
    session = exported(TEXT, registry)
    assert session["nodes"]["fast"]["type_"] == "quantcrafter.indicators.ta.SMA"
    assert session["nodes"]["fast"]["pos"] == [120.0, 80.0]
    assert session["nodes"]["fast"]["custom"]["timeperiod"] == 50
    assert session["nodes"]["other"]["disabled"] is True
    assert session["nodes"]["high"]["custom"]["right"] == 30
    assert {"out": ["bars", "bars"], "in": ["range", "bars"]} in session["connections"], "what it reads by default"
    assert {"out": ["mean", "a"], "in": ["other", "fast"]} in session["connections"]
    assert session["nodes"]["mean"]["output_ports"] == [{"name": "a", "multi_connection": True, "display_name": True}]
    ends = [end for pipe in session["connections"] for end in (pipe["in"][0], pipe["out"][0])]
    assert set(ends) <= set(session["nodes"])
    places = [tuple(node["pos"]) for node in session["nodes"].values()]
    assert len(set(places)) == len(places)


# ------------------------------------------------------------------ what is changed there


def test_a_parameter(registry: Registry) -> None:
    text = changed(registry, lambda session: session["nodes"]["fast"]["custom"].update(timeperiod=20))
    assert text == TEXT.replace("timeperiod: 50}  # quick", "timeperiod: 20}  # quick")


def test_a_whole_number_that_an_editor_made_a_float_is_no_change(registry: Registry) -> None:
    assert changed(registry, lambda session: session["nodes"]["fast"]["custom"].update(timeperiod=50.0)) == TEXT
    text = changed(registry, lambda session: session["nodes"]["fast"]["custom"].update(timeperiod=20.0))
    assert "timeperiod: 20}" in text


def test_a_parameter_that_has_its_default_is_not_written(registry: Registry) -> None:
    assert changed(registry, lambda session: session["nodes"]["cross"]["custom"].update(direction="long")) == TEXT
    text = changed(registry, lambda session: session["nodes"]["cross"]["custom"].update(direction="both"))
    assert new_lines(text) == ["  cross: {use: crossover, fast: fast, slow: slow, direction: both}"]


def test_a_parameter_that_is_cleared(registry: Registry) -> None:
    text = changed(registry, lambda session: session["nodes"]["fast"]["custom"].update(timeperiod=None))
    assert new_lines(text) == ["  fast: {use: ta.SMA, input: bars.close}  # quick"]


def test_a_wire(registry: Registry) -> None:
    def change(session: Data) -> None:
        disconnect(session, ("cross", "slow"))
        connect(session, ("bars", "high"), ("cross", "slow"))

    assert new_lines(changed(registry, change)) == ["  cross: {use: crossover, fast: fast, slow: bars.high}"]


def test_a_wire_in_place_of_a_number_and_a_number_in_place_of_a_wire(registry: Registry) -> None:
    def change(session: Data) -> None:
        connect(session, ("slow", "value"), ("high", "right"))
        disconnect(session, ("cross", "slow"))
        session["nodes"]["cross"]["custom"]["slow"] = 7

    assert new_lines(changed(registry, change)) == [
        '  high: {use: compare, left: fast, op: ">", right: slow}',
        "  cross: {use: crossover, fast: fast, slow: 7}",
    ]


def test_a_list_of_wires_keeps_its_order_and_numbers(registry: Registry) -> None:
    def change(session: Data) -> None:
        disconnect(session, ("mean", "inputs"), "fast")
        connect(session, ("high", "value"), ("mean", "inputs"))

    text = changed(registry, change)
    assert new_lines(text) == ["  mean: {use: weighted, inputs: [2, slow, high], name: [1, 2]}  # comes with a plugin"]


def test_a_wire_that_is_gone(registry: Registry) -> None:
    text = changed(registry, lambda session: disconnect(session, ("entry", "risk")))
    assert new_lines(text) == ["  entry: {use: market, signals: [cross, other], money: size}"]
    assert changed(registry, lambda session: disconnect(session, ("range", "bars"))) == TEXT, (
        "the default is read again"
    )


def test_a_node_that_is_gone(registry: Registry) -> None:
    text = changed(registry, lambda session: remove(session, "cross"))
    assert new_lines(text) == ["  entry: {use: market, signals: [other], money: size, risk: [stop]}"]
    assert "  cross:" not in text


def test_a_new_node(registry: Registry) -> None:
    def change(session: Data) -> None:
        session["nodes"]["0x7"] = new_node("quantcrafter.risk.percent_target", "Take profit", node_id="", percent=9.0)
        connect(session, ("0x7", "risk"), ("entry", "risk"))

    assert new_lines(changed(registry, change)) == [
        "  Take_profit: {use: percent_target, percent: 9.0}",
        "  entry: {use: market, signals: [cross, other], money: size, risk: [stop, Take_profit]}",
        "  Take_profit: [5, 6]",
    ]


def test_a_copy_is_a_node_of_its_own_and_the_first_stays_what_it_was(registry: Registry) -> None:
    def change(session: Data) -> None:
        nodes = {"copy": {**session["nodes"]["stop"], "name": "stop 1"}, **session["nodes"]}
        session["nodes"] = nodes

    text = changed(registry, change)
    assert new_lines(text)[0] == "  stop_1: {use: percent_stop, percent: 5}"


def test_another_name(registry: Registry) -> None:
    def change(session: Data) -> None:
        session["nodes"]["fast"]["name"] = "quick one"

    text = changed(registry, change)
    assert text == (
        TEXT.replace("  fast: {use", "  quick_one: {use")
        .replace("left: fast", "left: quick_one")
        .replace("[fast, 2", "[quick_one, 2")
        .replace("fast: fast", "fast: quick_one")
        .replace("fast: [120", "quick_one: [120")
    )


def test_the_feed_of_a_rate_is_renamed_with_it(registry: Registry) -> None:
    feed = "data:\n  eur: {use: feed, symbol: EURUSD, data: synthetic}\nrun: {rates: {EUR: 1/eur}}\n"
    session = exported(TEXT + feed, registry)
    session["nodes"]["eur"]["name"] = "euro"
    assert "rates: {EUR: 1/euro}" in imported(session, registry)


def test_flags_places_and_frames(registry: Registry) -> None:
    def change(session: Data) -> None:
        nodes = session["nodes"]
        nodes["other"]["disabled"] = False
        nodes["cross"]["disabled"] = True
        nodes["stop"]["custom"]["bypass"] = True
        nodes["fast"]["pos"] = [10.25, 20.0]
        frame = nodes["frame note"]
        frame["custom"]["backdrop_text"], frame["width"], frame["color"] = "Averages", 400.0, [180, 40, 30, 255]
        nodes["0x9"] = new_node("nodeGraphQt.nodes.BackdropNode", "Backdrop", backdrop_text="Exit")

    assert new_lines(changed(registry, change)) == [
        "  cross: {use: crossover, fast: fast, slow: slow, mute: true}",
        "  other: {use: crossover, fast: mean.a, slow: slow}",
        "  stop: {use: percent_stop, percent: 5, bypass: true}",
        "  fast: [10.25, 20]",
        "  note: {text: Averages, at: [100, 40], size: [400, 200], color: red}",
        "  Backdrop: {at: [5, 6], size: [200, 100], text: Exit}",
    ]


# ------------------------------------------------------------------ nodes of other programs


def test_a_node_of_another_program_becomes_a_placeholder_and_goes_back_as_it_was(registry: Registry) -> None:
    theirs = {**new_node("com.example.Mixer", "Mixer", gain=2.5), "color": [1, 2, 3, 255]}

    def change(session: Data) -> None:
        session["nodes"]["0xa"] = dict(theirs)
        connect(session, ("fast", "value"), ("0xa", "in 1"))
        disconnect(session, ("cross", "slow"))
        connect(session, ("0xa", "out 1"), ("cross", "slow"))

    text = changed(registry, change)
    assert "  cross: {use: crossover, fast: fast, slow: Mixer.out_1}" in text
    spec = parse_strategy(text)
    assert spec.nodes["Mixer"].use == "com.example.Mixer"
    assert spec.nodes["Mixer"].values["in_1"] == "fast"

    again = exported(text, registry)
    assert again["nodes"]["Mixer"] == {**theirs, "pos": [5.0, 6.0]}
    assert {"out": ["fast", "value"], "in": ["Mixer", "in 1"]} in again["connections"]
    assert {"out": ["Mixer", "out 1"], "in": ["cross", "slow"]} in again["connections"]
    assert imported(again, registry) == text
    again["nodes"]["Mixer"]["custom"]["gain"] = 3
    assert lines(imported(again, registry)) - lines(text) == {
        line.replace("gain: 2.5", "gain: 3") for line in text.splitlines() if "gain: 2.5" in line
    }


# ------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"^s\.json:1:2: error: The session is not JSON: "),
        ("[" * 100_000, "The session can't be read"),
        ("[]", r"The session must be a JSON object, was \[\]"),
        ("{}", "The session has no 'nodes'"),
        ('{"nodes": []}', "'nodes' must be a JSON object"),
        ('{"nodes": {"a": 1}}', "The node 'a' must be a JSON object, was 1"),
        ('{"nodes": {"a": {"type_": 2}}}', "The node 'a' must have a text 'type_', was 2"),
        ('{"nodes": {"a": {"type_": "x", "pos": [1, 1e999]}}}', "must have a 'pos' of two numbers"),
        ('{"nodes": {"a": {"type_": "x", "custom": []}}}', "'custom' of the node 'a' must be a JSON object"),
        ('{"nodes": {}, "connections": {}}', "'connections' must be a list"),
        ('{"nodes": {}, "connections": [{"in": ["a", "b"]}]}', "Connection 1 must have 'in' and 'out'"),
        (
            '{"nodes": {}, "connections": [{"in": ["a", "b"], "out": ["c", "d"]}]}',
            "names the node 'c', which is not there",
        ),
    ],
)
def test_what_is_no_session_is_refused_with_its_fault(text: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        read_session(text, "s.json")


def test_a_session_without_our_strategy_is_refused(registry: Registry) -> None:
    session = exported(TEXT, registry)
    strategy = session["nodes"]["quantcrafter.graph.Strategy"]
    with pytest.raises(SpecError, match=r"one node of the type quantcrafter\.graph\.Strategy.*, had 2"):
        imported({"nodes": {**session["nodes"], "b": strategy}}, registry)
    for text, message in (
        (None, "must have the text of a strategy file as its property 'strategy_file'"),
        ("a: [", "expected"),
        ("quantcrafter: 99", r"s\.json \(strategy_file\).*99"),
    ):
        broken = {**strategy, "custom": {"strategy_file": text}}
        with pytest.raises(SpecError, match=message):
            imported({"nodes": {"a": broken}}, registry)
    with pytest.raises(SpecError, match="had 0"):
        imported({"nodes": {}}, registry)
