"""A plugin's deciding components on the desktop: palette, form and file know them by their class alone."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from quantcrafter.app.document.document import Document
from quantcrafter.app.document.edits import AddNode, Connect, SetValues
from quantcrafter.app.inspector.fields import FieldKind, fields_of
from quantcrafter.app.panes.palette.index import PaletteIndex, search
from quantcrafter.engine.api import Role
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.plugins.registry import Registry

PACKAGE = Path(__file__).parents[2] / "resources" / "plugins" / "quantcrafter_demo" / "quantcrafter_demo.py"
DECIDING = {"demo.half_range": Role.EXECUTION, "demo.lowest_low": Role.RISK, "demo.round_lots": Role.MONEY}


@pytest.fixture(scope="module")
def registry() -> Registry:
    """Return the registry with the package's module in it."""
    spec = importlib.util.spec_from_file_location("demo_on_the_canvas", PACKAGE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        # Where its classes look up the names in their annotations.
        patch.setitem(sys.modules, spec.name, module)
        spec.loader.exec_module(module)
        return load_registry(extra_plugins=(("demo", module),))


def test_they_are_on_the_palette_in_their_sections(registry: Registry) -> None:
    entries = PaletteIndex(registry).entries
    for use, role in DECIDING.items():
        found = search(entries, use)[0]
        assert (found.use, found.role) == (use, role)


def test_their_parameters_and_ports_make_the_form(registry: Registry) -> None:
    forms = {use: registry.component(role, use) for use, role in DECIDING.items()}
    kinds = {use: {field.name: field.kind for field in fields_of(cls)} for use, cls in forms.items() if cls is not None}
    assert kinds["demo.lowest_low"] == {"bars": FieldKind.INTEGER}
    assert kinds["demo.round_lots"] == {"percent": FieldKind.NUMBER}
    assert kinds["demo.half_range"]["signals"] is FieldKind.REFERENCES
    assert kinds["demo.half_range"]["patience"] is FieldKind.INTEGER


def test_wired_on_the_canvas_they_make_a_strategy_without_a_problem(registry: Registry) -> None:
    document = Document.new(registry)
    document.do(
        AddNode(Role.INDICATOR, "line", "demo.vwma", {"length": 15}, (0, 0)),
        AddNode(Role.ADVISOR, "streak", "demo.streak", {"line": "line"}, (200, 0)),
        AddNode(Role.RISK, "low", "demo.lowest_low", {}, (200, 100)),
        AddNode(Role.MONEY, "size", "demo.round_lots", {}, (200, 200)),
        AddNode(Role.EXECUTION, "entry", "demo.half_range", {}, (400, 0)),
        Connect("streak", "entry", "signals"),
        Connect("low", "entry", "risk"),
        Connect("size", "entry", "money"),
        SetValues("low", {"bars": 3}),
        label="Build",
    )
    entry = document.graph().nodes["entry"]
    assert entry.known
    assert {port.name for port in entry.inputs} == {"signals", "filters", "risk", "money"}
    assert "low: {use: demo.lowest_low, bars: 3}" in document.text
    assert [str(problem) for problem in document.problems] == []
