from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from quantcrafter.app.document.document import Document
from quantcrafter.app.document.view import BARS, WireView
from quantcrafter.engine.api import PortType, Role
from quantcrafter.engine.runtime.running.load_graph import validate_file
from tests.support.documents import EXAMPLES, catalog, example, example_names, rich


def names(ports: object) -> list[str]:
    return [port.name for port in ports]  # type: ignore[attr-defined]


def test_the_bars_are_a_node_with_their_columns_at_every_level() -> None:
    for graph in (rich().graph(), rich().graph(("blocks", "trend")), Document.new(catalog()).graph()):
        bars = graph.nodes[BARS]
        assert names(bars.outputs) == ["bars", "open", "high", "low", "close", "volume"]
        assert bars.role is None
    assert rich().graph().nodes[BARS].position == (-200.0, 0.0)
    assert rich().graph().nodes[BARS].subtitle == "IBM · 1d"


def test_columns_that_every_instrument_names_are_ports_of_the_bars() -> None:
    text = """quantcrafter: 1
instruments:
  - {symbol: A, data: csv, path: a.csv, columns: {close: last, score: s, rank: r}}
  - {symbol: B, data: csv, path: b.csv, columns: {score: other}}
logic: {good: {use: compare, left: bars.score, op: ">", right: 0}}
"""
    graph = Document(text, catalog=catalog()).graph()
    assert names(graph.nodes[BARS].outputs)[-2:] == ["volume", "score"]
    assert WireView(BARS, "score", "good", "left") in graph.wires


def test_nodes_come_in_file_order_with_their_sections_values_and_places() -> None:
    graph = rich().graph()
    assert list(graph.nodes)[:5] == [BARS, "weekly", "fast", "slow", "macd"]
    fast = graph.nodes["fast"]
    assert (fast.role, fast.use, fast.position, fast.known) == (Role.INDICATOR, "ta.SMA", (0.0, 0.0), True)
    assert fast.values == {"input": "bars.close", "timeperiod": 50}
    assert graph.nodes["atr"].position is None


def test_wires_come_from_values_lists_and_unwritten_defaults() -> None:
    wires = set(rich().graph().wires)
    assert WireView(BARS, "close", "fast", "input") in wires
    assert WireView("weekly", "close", "slow", "input") in wires
    assert WireView("macd", "macdsignal", "t", "other") in wires
    assert WireView("cross", "signal", "entry", "signals", 0) in wires
    assert WireView("follow", "signal", "entry", "signals", 1) in wires
    assert WireView(BARS, "bars", "atr", "bars") in wires
    assert WireView(BARS, "close", "t", "price") in wires


def test_a_reference_that_leads_nowhere_gives_no_wire_and_a_problem() -> None:
    document = rich()
    document.set_text(document.text.replace("input: fast}", "input: fsat}"))
    assert [wire for wire in document.graph().wires if wire.target == "macd"] == []
    assert any(problem.code == "dangling" and problem.node == "macd" for problem in document.problems)


def test_a_component_that_is_not_installed_is_a_placeholder_with_the_ports_that_its_wires_show() -> None:
    odd = rich().graph().nodes["odd"]
    assert (odd.known, names(odd.inputs), names(odd.outputs)) == (False, ["source", "more"], ["line"])
    assert odd.values == {"source": "fast", "knob": 3, "more": ["slow", "macd.macd"]}
    wires = [wire for wire in rich().graph().wires if "odd" in (wire.source, wire.target)]
    assert len(wires) == 4


def test_a_block_of_the_file_has_the_ports_that_it_declares() -> None:
    node = rich().graph().nodes["t"]
    assert (node.block, node.known, names(node.inputs)) == (True, True, ["price", "other"])
    assert [(port.name, port.type) for port in node.outputs] == [("up", PortType.CONDITION), ("line", PortType.SERIES)]
    assert [port.required for port in node.inputs] == [False, True]
    assert rich().component("t") is None


def test_a_block_that_is_a_file_has_ports_too() -> None:
    node = example("weekly_trend_daily_entry").graph().nodes["week"]
    assert (node.block, names(node.inputs)) == (True, ["price"])
    assert [(port.name, port.type) for port in node.outputs] == [("gate", PortType.FILTER), ("line", PortType.SERIES)]
    assert node.subtitle == "20"


def test_inside_a_block_its_inputs_are_nodes() -> None:
    graph = rich().graph(("blocks", "trend"))
    assert list(graph.nodes) == [BARS, "price", "other", "ema", "sma", "above"]
    price = graph.nodes["price"]
    assert (price.role, [(port.name, port.type) for port in price.outputs]) == (None, [("value", PortType.SERIES)])
    assert WireView("price", "value", "ema", "input") in graph.wires


def test_a_block_that_uses_itself_is_shown_without_end() -> None:
    document = rich()
    document.set_text(document.text.replace("use: ta.EMA, input: price, timeperiod: 50", "use: trend"))
    assert document.graph().nodes["t"].block
    assert any(problem.code == "block_recursion" for problem in document.problems)


def test_a_subtitle_is_short_and_says_what_matters() -> None:
    graph = example().graph()
    assert graph.nodes["rsi"].subtitle == "2 · close"
    assert all(len(node.subtitle) <= 28 for node in graph.nodes.values())


def test_problems_are_those_that_validation_of_the_file_finds(tmp_path: Path) -> None:
    for name in example_names():
        assert example(name).problems == ()
    file = tmp_path / "a.yaml"
    file.write_text(rich().text, encoding="utf-8")
    document = Document.open(file, catalog())
    assert document.problems == tuple(validate_file(file, catalog()))
    assert document.problems is document.problems


def test_every_example_shows_each_of_its_nodes_known_and_wired() -> None:
    for path in EXAMPLES.glob("*.yaml"):
        document = Document.open(path, catalog())
        graph = document.graph()
        assert all(node.known for node in graph.nodes.values())
        assert {wire.target for wire in graph.wires} >= set(document.values["execution"])


def test_a_graph_is_the_same_object_until_the_text_changes() -> None:
    document = rich()
    before = document.graph()
    assert document.graph() is before
    document.set_text(document.text + "# end\n")
    assert document.graph() is not before
    assert document.graph() == before


def test_odd_shapes_in_the_file_do_not_break_the_graph() -> None:
    text = "quantcrafter: 1\nindicators: [a]\nlogic: {x: 5, y: {use: 3}}\nlayout: {y: [1], z: 2}\n"
    text += "frames: {f: 3}\nblocks: 4\n"
    graph = Document(text, catalog()).graph()
    assert list(graph.nodes) == [BARS, "y"]
    assert not graph.nodes["y"].known


def test_documents_do_not_need_the_numerical_libraries() -> None:
    code = (
        "import sys; from quantcrafter.app.document.document import Document\n"
        "from quantcrafter.engine.plugins import load_registry\n"
        "d = Document.open('resources/examples/rsi_pullback.yaml', load_registry()); d.graph(); d.problems\n"
        "print([m for m in ('numba', 'polars', 'pandas', 'PySide6') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
