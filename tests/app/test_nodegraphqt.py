"""The real NodeGraphQt opens what is exported, changes it, and saves what comes back as the same strategy."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from NodeGraphQt import BaseNode, NodeGraph
from NodeGraphQt.custom_widgets.properties_bin.node_property_widgets import NodePropEditorWidget
from pytestqt.qtbot import QtBot

from quantcrafter.app.nodegraphqt import open_session, register_nodes
from quantcrafter.engine.api import RunError
from quantcrafter.engine.interchange.nodegraphqt import export_session, import_session, read_session, session_text
from quantcrafter.engine.plugins import Registry, load_registry
from quantcrafter.engine.spec import StrategyFile, parse_strategy
from quantcrafter.engine.spec.identity import strategy_hash
from tests.support.command_line import ROOT, clean_environment
from tests.support.counts import seed
from tests.support.random_strategies import write_random_strategy

pytestmark = pytest.mark.filterwarnings("ignore:distutils Version classes are deprecated")  # in NodeGraphQt

EXAMPLES = sorted((ROOT / "resources" / "examples").glob("*.yaml"))
GOLDEN = ROOT / "resources" / "examples" / "golden_cross.yaml"


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry()


@pytest.fixture
def graph(qtbot: QtBot) -> NodeGraph:
    made = NodeGraph()
    qtbot.addWidget(made.widget)
    return made


def export_file(file: Path, folder: Path, registry: Registry) -> Path:
    document = StrategyFile.load(file)
    spec, _ = document.check(file.parent)
    assert spec is not None
    out = folder / f"{file.stem}.json"
    out.write_text(session_text(export_session(document, spec, registry)), encoding="utf-8")
    return out


def saved(graph: NodeGraph, folder: Path) -> str:
    graph.save_session(str(folder / "saved.json"))
    return (folder / "saved.json").read_text(encoding="utf-8")


def back(graph: NodeGraph, folder: Path, registry: Registry, base_dir: Path) -> str:
    return import_session(read_session(saved(graph, folder)), registry, base_dir).text


def node(graph: NodeGraph, name: str) -> Any:
    found = graph.get_node_by_name(name)
    assert found is not None, name
    return found


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_every_example_opens_whole_and_comes_back_to_the_last_byte(
    file: Path, graph: NodeGraph, registry: Registry, tmp_path: Path
) -> None:
    session = export_file(file, tmp_path, registry)
    open_session(graph, session, registry)
    opened, written = json.loads(saved(graph, tmp_path)), json.loads(session.read_text("utf-8"))
    assert len(opened["nodes"]) == len(written["nodes"])
    assert len(opened["connections"]) == len(written["connections"])
    assert back(graph, tmp_path, registry, file.parent) == file.read_text(encoding="utf-8")


def test_random_strategies_come_back_as_the_same(graph: NodeGraph, registry: Registry, tmp_path: Path) -> None:
    first = seed("nodegraphqt app") % 100_000
    for number in range(first, first + 5):
        folder = tmp_path / str(number)
        folder.mkdir()
        file = write_random_strategy(folder, registry, number)
        open_session(graph, export_file(file, folder, registry), registry)
        text = back(graph, folder, registry, folder)
        hashes = {strategy_hash(parse_strategy(each, base_dir=folder)) for each in (text, file.read_text("utf-8"))}
        assert len(hashes) == 1, number


def test_nodegraphqt_alone_opens_it_after_the_types_are_registered(
    graph: NodeGraph, registry: Registry, tmp_path: Path
) -> None:
    register_nodes(graph, registry)
    register_nodes(graph, registry)
    graph.load_session(str(export_file(GOLDEN, tmp_path, registry)))
    assert {each.name() for each in graph.all_nodes()} >= {"bars", "fast", "slow", "cross", "size", "entry"}
    assert back(graph, tmp_path, registry, GOLDEN.parent) == GOLDEN.read_text("utf-8")


def test_edits_made_in_nodegraphqt_are_edits_of_the_file(graph: NodeGraph, registry: Registry, tmp_path: Path) -> None:
    open_session(graph, export_file(GOLDEN, tmp_path, registry), registry)
    text = GOLDEN.read_text("utf-8")
    node(graph, "fast").set_property("timeperiod", 20)
    node(graph, "slow").set_name("long average")
    stop = graph.create_node("quantcrafter.risk.percent_stop", name="stop", pos=[10, 20])
    stop.set_property("percent", 4.0)
    stop.outputs()["risk"].connect_to(node(graph, "entry").inputs()["risk"])
    graph.undo_stack().undo()
    graph.undo_stack().redo()
    found = parse_strategy(back(graph, tmp_path, registry, GOLDEN.parent))
    assert found.nodes["fast"].values["timeperiod"] == 20
    assert found.nodes["cross"].values["slow"] == "long_average"
    assert found.nodes["stop"].values == {"percent": 4.0}
    assert found.nodes["entry"].values["risk"] == ["stop"]
    assert found.layout["stop"] == (10, 20)
    assert text.partition("\n")[0] in found.text, "what was not changed is as it was"


def test_a_copy_and_a_deletion(graph: NodeGraph, registry: Registry, tmp_path: Path) -> None:
    open_session(graph, export_file(GOLDEN, tmp_path, registry), registry)
    graph.duplicate_nodes([node(graph, "fast")])
    graph.delete_node(node(graph, "size"))
    found = parse_strategy(back(graph, tmp_path, registry, GOLDEN.parent))
    assert found.nodes["fast_1"].values == found.nodes["fast"].values
    assert "size" not in found.nodes
    assert "money" not in found.nodes["entry"].values


def test_what_is_not_installed_is_a_placeholder_there_and_loses_nothing(
    graph: NodeGraph, registry: Registry, tmp_path: Path
) -> None:
    file = tmp_path / "strategy.yaml"
    text = GOLDEN.read_text("utf-8").replace("use: crossover", "use: theirs.cross, mode: [1, x], deep: {a: 1}")
    file.write_text(text, encoding="utf-8")
    session = export_file(file, tmp_path, registry)
    assert open_session(graph, session, registry) == ("quantcrafter.advisors.theirs.cross",)
    assert {*node(graph, "cross").inputs()} == {"fast", "slow"}
    assert back(graph, tmp_path, registry, tmp_path) == text
    file.write_text(text.replace("mode:", "more: 7, mode:"), encoding="utf-8")
    open_session(graph, export_file(file, tmp_path, registry), registry)  # the class is there: it gets what it lacks
    assert node(graph, "cross").get_property("more") == 7


def test_a_node_of_the_program_itself_becomes_a_placeholder_here_and_is_its_own_again_there(
    graph: NodeGraph, registry: Registry, tmp_path: Path
) -> None:
    class Mixer(BaseNode):  # type: ignore[misc] # it has no types
        __identifier__ = "com.example"
        NODE_NAME = "Mixer"

        def __init__(self) -> None:
            super().__init__()
            self.add_input("in 1")
            self.add_output("out 1")
            self.create_property("gain", 1.0)

    graph.register_node(Mixer)
    open_session(graph, export_file(GOLDEN, tmp_path, registry), registry)
    mixer = graph.create_node("com.example.Mixer", name="Mixer")
    mixer.set_property("gain", 2.5)
    mixer.inputs()["in 1"].connect_to(node(graph, "fast").outputs()["value"])
    node(graph, "cross").inputs()["slow"].clear_connections()
    node(graph, "cross").inputs()["slow"].connect_to(mixer.outputs()["out 1"])

    file = tmp_path / "mixed.yaml"
    file.write_text(back(graph, tmp_path, registry, GOLDEN.parent), encoding="utf-8")
    assert parse_strategy(file.read_text("utf-8")).nodes["cross"].values["slow"] == "Mixer.out_1"
    session = export_file(file, tmp_path, registry)

    assert open_session(graph, session, registry) == ()
    again = node(graph, "Mixer")
    assert isinstance(again, Mixer)
    assert again.get_property("gain") == 2.5
    assert [port.node().name() for port in again.inputs()["in 1"].connected_ports()] == ["fast"]
    assert [port.node().name() for port in again.outputs()["out 1"].connected_ports()] == ["cross"]

    elsewhere = NodeGraph()
    assert "com.example.Mixer" in open_session(elsewhere, session, registry)
    assert back(elsewhere, tmp_path, registry, tmp_path) == file.read_text("utf-8")


@pytest.mark.slow
def test_every_type_can_be_made_and_showing_its_properties_changes_none(
    graph: NodeGraph, registry: Registry, qtbot: QtBot
) -> None:
    types = register_nodes(graph, registry)
    assert len(types) > 250
    for type_ in types:
        made = graph.create_node(type_, push_undo=False)
        before = json.dumps(made.serialize()[made.id]["custom"]) if made.model.custom_properties else ""
        editor = NodePropEditorWidget(node=made)
        qtbot.addWidget(editor)
        after = json.dumps(made.serialize()[made.id]["custom"]) if made.model.custom_properties else ""
        assert (made.type_, after) == (type_, before)
        graph.delete_node(made, push_undo=False)


def test_what_cannot_be_read_is_one_error(graph: NodeGraph, registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="can't be read: the file or folder doesn't exist"):
        open_session(graph, tmp_path / "nothing.json", registry)


def test_export_and_import_need_neither_qt_nor_nodegraphqt(tmp_path: Path) -> None:
    code = (
        "import sys, quantcrafter.app.nodegraphqt, quantcrafter.engine.interchange.nodegraphqt\n"
        "print(sorted(name for name in ('PySide6', 'Qt', 'NodeGraphQt') if name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=clean_environment(tmp_path), capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
