"""The engine of a run is chosen among those that are installed; the others say what brings them."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QStandardItemModel
from pytestqt.qtbot import QtBot

from quantcrafter.app.document.document import Document
from quantcrafter.app.inspector.editors import ChoiceEditor
from quantcrafter.app.inspector.fields import Field, FieldKind
from quantcrafter.app.inspector.subjects import run_form
from quantcrafter.engine.plugins import Registry, load_registry
from tests.support.plugin_packages import module

ABSENT = '''
class Absent(EngineAdapter):
    """Needs what is not there."""
    name = "absent"
    packages = ("quantcrafter_no_such_package",)
    install = 'pip install "quantcrafter[absent]"'
    def run(self, job):
        raise RunError("cannot be reached")

@hookimpl
def register_engines():
    return [Absent]
'''
GOLDEN = Path(__file__).parents[3] / "resources" / "examples" / "golden_cross.yaml"


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry(extra_plugins=[("absent", module("absent", ABSENT))])


def engine_field(registry: Registry, engine: str = "native") -> Field:
    text = GOLDEN.read_text(encoding="utf-8").replace("run: {", f"run: {{engine: {engine}, ")
    form = run_form(Document(text, registry))
    return next(field for field in form.fields if field.path == ("run", "engine"))


def test_installed_engines_are_offered_and_the_others_say_what_brings_them(registry: Registry) -> None:
    field = engine_field(registry)
    assert field.kind is FieldKind.CHOICE
    assert field.choices == ("native", "backtrader", "vnpy")
    assert field.unavailable == (("absent", 'pip install "quantcrafter[absent]"'),)


def test_an_engine_that_nobody_knows_may_still_be_written(registry: Registry) -> None:
    field = engine_field(registry, "lean")
    assert field.kind is FieldKind.TEXT
    assert "native" in field.suggestions


def test_what_is_not_installed_is_listed_and_cannot_be_chosen(registry: Registry, qtbot: QtBot) -> None:
    field = engine_field(registry, "absent")
    editor = ChoiceEditor(field.choices, unavailable=field.unavailable)
    qtbot.addWidget(editor)
    texts = [editor.combo.itemText(row) for row in range(editor.combo.count())]
    assert texts == ["native", "backtrader", "vnpy", "absent (not installed)"]
    model = editor.combo.model()
    assert isinstance(model, QStandardItemModel)
    assert [model.item(row).isEnabled() for row in range(4)] == [True, True, True, False]
    assert "pip install" in editor.combo.itemData(3, Qt.ItemDataRole.ToolTipRole)
    editor.show_value("absent", various=False)
    assert editor.combo.currentText() == "absent (not installed)"
    assert 'pip install "quantcrafter[absent]"' in editor.combo.toolTip()
    editor.show_value("native", various=False)
    assert editor.combo.toolTip() == ""


def test_modes_that_the_engine_cannot_run_are_listed_and_cannot_be_chosen(registry: Registry, qtbot: QtBot) -> None:
    text = GOLDEN.read_text(encoding="utf-8").replace("run: {", "run: {engine: backtrader, mode: live, ")
    document = Document(text, registry)
    assert [problem.path for problem in document.problems] == ["run.mode"]
    field = next(field for field in run_form(document).fields if field.path == ("run", "mode"))
    editor = ChoiceEditor(field.choices, unavailable=field.unavailable, barred=field.barred)
    qtbot.addWidget(editor)
    texts = [editor.combo.itemText(row) for row in range(editor.combo.count())]
    assert texts == ["backtest", "replay (not possible)", "paper (not possible)", "live (not possible)"]
    model = editor.combo.model()
    assert isinstance(model, QStandardItemModel)
    assert [model.item(row).isEnabled() for row in range(4)] == [True, False, False, False]
    editor.show_value("live", various=False)
    assert editor.combo.currentText() == "live (not possible)"
    assert editor.combo.toolTip() == "The engine 'backtrader' can't run in this mode."


def test_the_own_engine_has_every_mode(registry: Registry) -> None:
    text = GOLDEN.read_text(encoding="utf-8").replace("run: {", "run: {mode: live, ")
    document = Document(text, registry)
    assert not document.problems
    field = next(field for field in run_form(document).fields if field.path == ("run", "mode"))
    assert not field.unavailable
    assert not field.barred
