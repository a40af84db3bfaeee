"""Random edits on real strategies: undone they give back the bytes, redone the document; nothing else is touched."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
from quantcrafter.app.document.ports import reference_to
from quantcrafter.app.document.view import GraphView, Scope
from quantcrafter.engine.api import Role
from tests.support.counts import sample
from tests.support.documents import all_redone, all_undone, catalog, example, example_names, rich

REMOVING = (RemoveNodes, GroupIntoBlock, SetField)
NUMBERS = st.integers(-500, 500)
NAMES = st.sampled_from(["fast", "slow", "rsi", "gate", "x1", "bars", "no name", "entry", "macd"])
VALUES = st.one_of(NUMBERS, st.floats(allow_nan=False), st.booleans(), st.text(max_size=8), st.none(), st.just(UNSET))
USES = [(Role.INDICATOR, "ta.RSI"), (Role.INDICATOR, "ta.MACD"), (Role.LOGIC, "and"), (Role.FILTER, "not.here")]


@st.composite
def edits(draw: st.DrawFn, document: Document, scope: Scope) -> Edit:
    """Draw an edit that names what the graph has, and now and then what it has not."""
    graph = document.graph(scope)
    ids = st.sampled_from([*graph.nodes, "nobody"])
    some = st.lists(ids, min_size=1, max_size=4, unique=True).map(tuple)
    node = graph.nodes.get(draw(ids))
    port = draw(st.sampled_from([each.name for each in node.inputs] or ["input"])) if node else "input"
    index = draw(st.one_of(st.none(), st.integers(0, 2)))
    target = node.id if node else "nobody"
    role, use = draw(st.sampled_from(USES))
    choices: dict[type, st.SearchStrategy[Edit]] = {
        AddNode: st.builds(AddNode, st.just(role), NAMES, st.just(use), st.just({}), st.tuples(NUMBERS, NUMBERS)),
        RemoveNodes: st.builds(RemoveNodes, some, st.booleans()),
        MoveNodes: st.builds(MoveNodes, st.dictionaries(ids, st.tuples(NUMBERS, NUMBERS), max_size=6)),
        Connect: st.builds(Connect, _references(graph), st.just(target), st.just(port), st.just(index)),
        Disconnect: st.builds(Disconnect, st.just(target), st.just(port), st.just(index)),
        SetValues: st.builds(
            SetValues, st.just(target), st.dictionaries(st.sampled_from(_fields(graph, target)), VALUES)
        ),
        RenameNode: st.builds(RenameNode, ids, NAMES),
        SetFlags: st.builds(SetFlags, some, st.sampled_from([None, True, False]), st.sampled_from([None, True, False])),
        InsertIntoWire: st.builds(InsertIntoWire, ids, st.just(target), st.just(port), st.just(index)),
        GroupIntoBlock: st.builds(GroupIntoBlock, some, NAMES),
        Paste: st.builds(Paste, some.map(lambda chosen: document.copy(chosen, scope)), st.just((10.0, 10.0))),
        SetFrame: st.builds(SetFrame, NAMES, st.text(max_size=9), NUMBERS, NUMBERS, NUMBERS, NUMBERS, NAMES),
        RemoveFrames: st.builds(RemoveFrames, st.sampled_from([*graph.frames, "none"]).map(lambda name: (name,))),
        SetField: st.builds(SetField, st.sampled_from([("run", "cash"), ("name",), ("run",), ("layout",)]), st.just(5)),
    }
    return draw(draw(st.sampled_from(list(choices.values()))))


def _references(graph: GraphView) -> st.SearchStrategy[str]:
    found = [reference_to(node, port.name) for node in graph.nodes.values() for port in node.outputs]
    return st.sampled_from([*found, "nobody.x"])


def _fields(graph: GraphView, node_id: str) -> list[str]:
    node = graph.nodes.get(node_id)
    return [*(node.values if node else ()), "timeperiod", "odd key: 1"]


def documents() -> st.SearchStrategy[Document]:
    return st.sampled_from(["", *example_names()]).map(lambda name: example(name) if name else rich())


def own_lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip().startswith("#")]


def scopes(document: Document) -> list[Scope]:
    blocks = document.values.get("blocks")
    return [(), *(("blocks", name) for name in blocks)] if isinstance(blocks, dict) else [()]


def _is_done(document: Document, edit: Edit, scope: Scope) -> bool:
    try:
        document.do(edit, label="Edit", scope=scope)
    except EditError as error:
        if "cannot be edited" in str(error):  # not refused by its meaning: the text could not be brought there
            raise
        return False
    return True


def assert_the_text_means_the_graph(document: Document) -> None:
    fresh = Document(document.text, catalog(), document.path)
    assert fresh.is_readable
    assert fresh.values == document.values
    for scope in scopes(document):
        assert fresh.graph(scope) == document.graph(scope)


@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(documents(), st.data())
def test_any_edits_undone_give_back_the_bytes_and_redone_the_document(document: Document, data: st.DataObject) -> None:
    assert_edits_are_undone_and_redone(document, data)


@pytest.mark.slow
@settings(max_examples=sample(400, of=2_000), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(documents(), st.data())
def test_many_more_edits_undone_give_back_the_bytes(document: Document, data: st.DataObject) -> None:
    assert_edits_are_undone_and_redone(document, data)


def assert_edits_are_undone_and_redone(document: Document, data: st.DataObject) -> None:
    """Draw edits, holding each to the text, then undo and redo all."""
    original = document.text
    removed = False
    for _ in range(data.draw(st.integers(1, 8))):
        scope = data.draw(st.sampled_from(scopes(document)))
        edit = data.draw(edits(document, scope))
        before = document.text
        comments = own_lines(before)
        if not _is_done(document, edit, scope):
            assert document.text == before
            continue
        removed = removed or isinstance(edit, REMOVING)
        assert_the_text_means_the_graph(document)
        if not removed:
            assert own_lines(document.text) == comments
        _ = document.problems
        if document.text != before and data.draw(st.integers(0, 5)) == 0:
            document.undo()
            assert document.text == before
            document.redo()
    final, values = document.text, document.values
    assert all_undone(document) == original
    assert all_redone(document) == final
    assert document.values == values


@settings(max_examples=30)
@given(documents(), st.data())
def test_an_edit_leaves_the_lines_of_other_nodes_alone(document: Document, data: st.DataObject) -> None:
    nodes = [node for node in document.graph().nodes.values() if node.role is not None]
    node = data.draw(st.sampled_from(nodes))
    choices: list[Edit] = [
        MoveNodes({node.id: (11, 12)}),
        SetFlags((node.id,), mute=True),
        SetValues(node.id, {"new": 1}),
    ]
    edit = data.draw(st.sampled_from(choices))
    before = document.text.splitlines()
    document.do(edit, label="Edit")
    after = document.text.splitlines()
    lost = [line for line in before if line not in after]
    assert len(lost) <= 1
    own = lines_of(before, node.id)
    assert all(line in own or node.id in line or "layout" in line or "use:" in line for line in lost)


def lines_of(lines: list[str], node: str) -> list[str]:
    """Return the lines of a node: where its id stands first, and those below that are indented further."""
    first = next((number for number, line in enumerate(lines) if line.lstrip().startswith(f"{node}:")), None)
    if first is None:
        return []
    further = itertools.takewhile(lambda line: indent(line) > indent(lines[first]), lines[first + 1 :])
    return [lines[first], *further]


def indent(line: str) -> int:
    return len(line) - len(line.lstrip())


@pytest.mark.parametrize("name", example_names())
@given(data=st.data())
@settings(max_examples=8)
def test_any_typing_keeps_what_can_be_undone(name: str, data: st.DataObject) -> None:
    document = example(name)
    original = document.text
    for _ in range(data.draw(st.integers(1, 6))):
        text = document.text
        at = data.draw(st.integers(0, len(text)))
        typed = data.draw(st.sampled_from(["x", "\n", ":", "{", "#", "- ", "", "\t"]))
        document.set_text(text[:at] + typed + text[at + data.draw(st.integers(0, 3)) :], origin=data)
        document.graph()
        _ = document.problems
    final = document.text
    assert all_undone(document) == original
    assert all_redone(document) == final
