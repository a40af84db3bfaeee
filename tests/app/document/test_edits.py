from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from quantcrafter.app.document.document import Document
from quantcrafter.app.document.edits import (
    UNSET,
    AddNode,
    Connect,
    Disconnect,
    Edit,
    GroupIntoBlock,
    InsertIntoWire,
    MoveNodes,
    Paste,
    RemoveFrames,
    RemoveNodes,
    RenameNode,
    SetField,
    SetFlags,
    SetFrame,
    SetValues,
)
from quantcrafter.app.document.errors import EditError
from quantcrafter.app.document.view import FrameView, WireView
from quantcrafter.engine.api import Role
from quantcrafter.engine.runtime.running.run import run
from tests.support.documents import RICH, all_redone, all_undone, catalog, example, rich


def done(*edits: Edit, document: Document | None = None, scope: tuple[str, ...] = ()) -> Document:
    """Carry out edits, and hold undo and redo to the same texts."""
    document = document or rich()
    before = document.text
    document.do(*edits, label="Edit", scope=scope)
    after = document.text
    assert document.undo_label == "Edit"
    document.undo()
    assert document.text == before
    document.redo()
    assert document.text == after
    return document


def changed_lines(document: Document) -> list[str]:
    old = RICH.splitlines()
    return [line for line in document.text.splitlines() if line not in old]


def test_adding_a_node_writes_one_line_and_its_place() -> None:
    document = done(AddNode(Role.INDICATOR, "rsi", "ta.RSI", {"input": "bars.close", "timeperiod": 2}, (10.4, 20)))
    assert changed_lines(document) == ["  rsi: {use: ta.RSI, input: bars.close, timeperiod: 2}", "  rsi: [10, 20]"]
    assert document.graph().nodes["rsi"].position == (10.0, 20.0)


def test_an_id_that_is_taken_gets_a_number() -> None:
    add = AddNode(Role.LOGIC, "fast", "compare", {}, (0, 0))
    document = done(add, add)
    assert {"fast2", "fast3"} <= set(document.graph().nodes)
    assert document.free_id("fast") == "fast4"
    assert document.free_id("bars") == "bars2"


def test_moving_touches_the_layout_only() -> None:
    document = done(MoveNodes({"bars": (5, 5), "atr": (7, 8), "fast": (0, 0)}))
    assert changed_lines(document) == ["  bars: [5, 5]", "  atr: [7, 8]"]


def test_connecting_rewires_a_single_port_and_adds_to_a_list() -> None:
    document = done(Connect("macd.macdhist", "slow", "input"))
    assert changed_lines(document) == ["    input: macd.macdhist"]
    document = done(Disconnect("entry", "signals", 0), Connect("cross", "entry", "signals"))
    assert document.values["execution"]["entry"]["signals"] == ["follow", "cross"]
    document = done(Disconnect("entry", "signals", 1), Connect("follow", "entry", "signals", 0))
    assert document.values["execution"]["entry"]["signals"] == ["follow", "cross"]


@pytest.mark.parametrize(
    ("reference", "target", "port", "words"),
    [
        ("cross", "slow", "input", "accepts a series, but the output is a signal"),
        ("macd", "slow", "input", "several outputs"),
        ("macd.nothing", "slow", "input", "no output 'nothing'"),
        ("macd.macd", "fast", "input", "cycle"),
        ("fast", "fast", "input", "can't be wired to itself"),
        ("fast", "slow", "nothing", "no input 'nothing'"),
        ("nobody", "slow", "input", "no node 'nobody'"),
        ("fast", "bars", "input", "has no inputs for wires"),
        ("bars", "slow", "input", "accepts a series, but the output is a bars"),
    ],
)
def test_a_wire_that_cannot_be_is_refused_with_the_reason(reference: str, target: str, port: str, words: str) -> None:
    document = rich()
    assert words in document.refusal(reference, target, port)
    with pytest.raises(EditError):
        document.do(Connect(reference, target, port), label="Wire")
    assert (document.text, document.undo_label) == (RICH, "")


def test_a_placeholder_takes_and_gives_anything() -> None:
    assert rich().refusal("odd.line", "entry", "money") == ""
    assert rich().refusal("stop", "odd", "source") == ""
    assert "cycle" in rich().refusal("follow", "odd", "source")


def test_disconnecting_removes_the_field_or_the_item() -> None:
    document = done(Disconnect("macd", "input"))
    assert "  macd: {use: ta.MACD}" in document.text
    document = done(Disconnect("entry", "risk", 0))
    assert "risk" not in document.values["execution"]["entry"]
    with pytest.raises(EditError, match="is not wired"):
        done(Disconnect("atr", "bars"))


def test_values_are_set_and_taken_back_to_their_default() -> None:
    document = done(SetValues("fast", {"timeperiod": 7, "input": 30.5}), SetValues("size", {"percent": UNSET}))
    assert changed_lines(document) == [
        "  fast:  {use: ta.SMA,  input: 30.5, timeperiod: 7 }   # fifty",
        "  size: {use: percent_of_equity}",
    ]


def test_renaming_takes_every_reference_and_the_place_along() -> None:
    document = done(RenameNode("fast", "quick"))
    assert changed_lines(document) == [
        "  quick:  {use: ta.SMA,  input: bars.close, timeperiod: 50 }   # fifty",
        "  macd: {use: ta.MACD, input: quick}",
        "  odd: {use: not.installed, source: quick, knob: 3, more: [slow, macd.macd]}",
        "  cross: {use: crossover, fast: quick, slow: slow}",
        "  quick: [0, 0]",
    ]


def test_renaming_inside_a_block_takes_its_outputs_and_parameters_along() -> None:
    document = done(RenameNode("ema", "mean"), scope=("blocks", "trend"))
    assert changed_lines(document) == [
        "    parameters: {period: mean.timeperiod, both: [mean.timeperiod, sma.timeperiod]}",
        "    outputs: {up: above, line: mean}",
        "      mean: {use: ta.EMA, input: price, timeperiod: 50}   # slow",
        "      sma: {use: ta.SMA, input: mean, timeperiod: 5}",
        '    logic: {above: {use: compare, left: bars.close, op: ">", right: mean}}',
    ]


@pytest.mark.parametrize(
    ("old", "new"), [("fast", "slow"), ("fast", "bars"), ("fast", "a b"), ("bars", "x"), ("no", "x")]
)
def test_a_name_that_cannot_be_is_refused(old: str, new: str) -> None:
    with pytest.raises(EditError):
        done(RenameNode(old, new))


def test_names_can_be_swapped_in_one_step() -> None:
    swap = (RenameNode("fast", "x"), RenameNode("slow", "fast"), RenameNode("x", "slow"))
    document = done(*swap)
    assert document.values["advisors"]["cross"] == {"use": "crossover", "fast": "slow", "slow": "fast"}
    assert list(document.values["indicators"])[:2] == ["slow", "fast"]


def test_removing_nodes_takes_their_wires_along() -> None:
    document = done(RemoveNodes(("fast", "cross", "stop")))
    values = document.values
    assert "fast" not in values["layout"]
    assert values["indicators"]["macd"] == {"use": "ta.MACD"}
    assert values["indicators"]["odd"] == {"use": "not.installed", "knob": 3, "more": ["slow", "macd.macd"]}
    assert values["execution"]["entry"] == {"use": "market", "signals": ["follow"], "money": "size"}
    assert "risk" not in values


def test_removing_with_rejoining_hands_the_wires_on() -> None:
    document = done(RemoveNodes(("fast", "macd"), rejoin=True))
    values = document.values
    assert values["advisors"]["cross"]["fast"] == "bars.close"
    assert values["logic"]["t"]["other"] == "bars.close"
    assert values["indicators"]["odd"]["more"] == ["slow", "bars.close"]


def test_removing_inside_a_block_takes_outputs_and_parameters_along() -> None:
    document = done(RemoveNodes(("ema",)), scope=("blocks", "trend"))
    block = document.values["blocks"]["trend"]
    assert block["outputs"] == {"up": "above"}
    assert block["parameters"] == {"both": ["sma.timeperiod"]}


def test_flags_are_written_and_removed() -> None:
    document = done(SetFlags(("fast", "stop"), bypass=True), SetFlags(("stop",), bypass=False, mute=True))
    assert changed_lines(document) == [
        "  fast:  {use: ta.SMA,  input: bars.close, timeperiod: 50, bypass: true }   # fifty",
        "  stop: {use: atr_stop, atr: atr, multiple: 3, mute: true}",
    ]
    node = document.graph().nodes["fast"]
    assert (node.bypass, node.mute, "bypass" in node.values) == (True, False, False)
    document.do(SetFlags(("fast", "stop"), bypass=False, mute=False), label="Flags off")
    assert document.text == RICH


def test_a_node_is_spliced_into_a_wire() -> None:
    add = AddNode(Role.INDICATOR, "smooth", "ta.EMA", {}, (0, 0))
    document = done(add, InsertIntoWire("smooth", "cross", "fast"))
    assert document.values["advisors"]["cross"] == {"use": "crossover", "fast": "smooth", "slow": "slow"}
    assert document.values["indicators"]["smooth"]["input"] == "fast"


def test_a_node_is_spliced_into_a_wire_of_a_list_in_its_place() -> None:
    add = AddNode(Role.ADVISOR, "hold", "vote", {}, (0, 0))
    document = done(add, InsertIntoWire("hold", "entry", "signals", 0))
    assert document.values["execution"]["entry"]["signals"] == ["hold", "follow"]
    assert document.values["advisors"]["hold"]["signals"] == ["cross"]


def test_what_does_not_fit_into_a_wire_is_refused() -> None:
    with pytest.raises(EditError, match="can't be inserted"):
        done(InsertIntoWire("size", "cross", "fast"))
    with pytest.raises(EditError, match="no wire"):
        done(AddNode(Role.INDICATOR, "n", "ta.EMA", {}, (0, 0)), InsertIntoWire("macd", "n", "input"))


def test_frames_are_added_changed_and_removed() -> None:
    document = done(SetFrame("f", "Entry: the idea", -10.2, 0, 300, 200))
    assert "frames:\n  f: {text: 'Entry: the idea', at: [-10, 0], size: [300, 200]}\n" in document.text
    document = done(SetFrame("f", "Exit", 1, 2, 3, 4, "red"), document=document)
    assert document.graph().frames == {"f": FrameView("f", "Exit", 1, 2, 3, 4, "red")}
    assert not [problem for problem in document.problems if problem.code == "frames"]
    document = done(RemoveFrames(("f",)), document=document)
    assert document.text == RICH
    with pytest.raises(EditError, match="no frame"):
        done(RemoveFrames(("g",)))


def test_fields_anywhere_can_be_set_and_removed() -> None:
    document = done(SetField(("run", "commission", "percent"), 0.1), SetField(("instruments", 0, "symbol"), "AAPL"))
    assert changed_lines(document) == [
        "  - {symbol: AAPL, data: sample}   # the one",
        "run: {cash: 100000, commission: {percent: 0.1}}   # enough",
    ]
    document = done(SetField(("instruments", 1), {"symbol": "KO", "data": "sample"}), SetField(("run",), UNSET))
    assert "  - {symbol: KO, data: sample}\n" in document.text
    assert "run" not in document.values
    document.do(SetField(("run", "nothing"), UNSET), label="Nothing")
    assert document.undo_label == "Edit"
    with pytest.raises(EditError):
        done(SetField(("instruments", 7, "symbol"), "A"))


def test_pasted_nodes_have_new_names_and_keep_their_wires() -> None:
    document = rich()
    fragment = document.copy(["fast", "macd", "cross"])
    document = done(Paste(fragment, (20, 30)), document=document)
    values = document.values
    assert values["indicators"]["macd2"] == {"use": "ta.MACD", "input": "fast2"}
    assert values["advisors"]["cross2"] == {"use": "crossover", "fast": "fast2", "slow": "slow"}
    assert document.graph().nodes["fast2"].position == (20.0, 30.0)


def test_nodes_pasted_elsewhere_bring_their_blocks_and_lose_wires_that_lead_nowhere() -> None:
    document = done(Paste(rich().copy(["t", "all"]), (0, 0)), document=Document.new(catalog()))
    assert document.values["logic"] == {
        "t": {"use": "trend", "period": 20},
        "all": {"use": "and", "conditions": ["t.up"]},
    }
    assert document.values["blocks"] == rich().values["blocks"]
    other = Document(RICH.replace("timeperiod: 5}", "timeperiod: 6}"), catalog())
    document = done(Paste(rich().copy(["t"]), (0, 0)), document=other)
    assert document.values["logic"]["t2"]["use"] == "trend2"
    assert document.values["blocks"]["trend2"] == rich().values["blocks"]["trend"]


@pytest.mark.parametrize(
    "text", ["", "hello", "quantcrafter: 1", "quantcrafter_nodes: 9", "quantcrafter_nodes: {", RICH]
)
def test_foreign_text_is_refused_politely(text: str) -> None:
    document = rich()
    with pytest.raises(EditError, match="not copied from a strategy"):
        document.do(Paste(text, (0, 0)), label="Paste")
    assert (document.text, document.undo_label) == (RICH, "")


def test_nodes_become_a_block_with_the_wires_across_as_its_ports() -> None:
    document = done(GroupIntoBlock(("macd", "t"), "mood"))
    block = document.values["blocks"]["mood"]
    assert block["inputs"] == {"fast": "series"}
    assert block["outputs"] == {"macd": "macd.macd", "up": "t.up", "line": "t.line"}
    assert document.values["indicators"]["mood"] == {"use": "mood", "fast": "fast"}
    assert document.values["advisors"]["follow"]["slow"] == "mood.line"
    assert document.values["logic"]["all"]["conditions"] == ["mood.up"]
    assert set(document.graph(("blocks", "mood")).nodes) == {"bars", "fast", "macd", "t"}
    assert WireView("mood", "up", "all", "conditions", 0) in document.graph().wires


def test_parameters_of_a_block_follow_into_a_block_inside_it() -> None:
    document = done(GroupIntoBlock(("sma",), "inner"), scope=("blocks", "trend"))
    assert document.values["blocks"]["trend"]["parameters"]["both"] == ["ema.timeperiod", "inner.both"]
    assert document.values["blocks"]["inner"]["parameters"] == {"both": "sma.timeperiod"}


@pytest.mark.parametrize(
    ("ids", "name"), [((), "b"), (("entry",), "b"), (("bars",), "b"), (("fast",), "trend"), (("fast",), "no name")]
)
def test_what_cannot_be_a_block_is_refused(ids: tuple[str, ...], name: str) -> None:
    with pytest.raises(EditError):
        done(GroupIntoBlock(ids, name))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("rsi_pullback", ("average", "uptrend")),
        ("rsi_pullback", ("rsi", "dip", "size", "stop")),
        ("weekly_trend_daily_entry", ("macd", "weekly", "week")),
    ],
)
def test_a_strategy_gives_the_same_results_with_nodes_in_a_block(
    name: str, ids: tuple[str, ...], tmp_path: Path
) -> None:
    document = example(name)
    document.do(GroupIntoBlock(ids, "part"), label="Group")
    assert document.problems == ()
    folder = Path(str(document.path)).parent
    for source in (folder / "blocks").glob("*.yaml"):
        (tmp_path / "blocks").mkdir(exist_ok=True)
        (tmp_path / "blocks" / source.name).write_bytes(source.read_bytes())
    (tmp_path / "a.yaml").write_text(document.text, encoding="utf-8")
    assert document.path is not None
    before, after = (run(path, registry=catalog()) for path in (document.path, tmp_path / "a.yaml"))
    for part in fields(before.ledger):
        one, other = (np.asarray(getattr(ledger, part.name)) for ledger in (before.ledger, after.ledger))
        assert one.tobytes() == other.tobytes()
    assert all_undone(document) == example(name).text
    assert all_redone(document) != example(name).text
