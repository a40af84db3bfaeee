"""Rolls of a continuous series on the chart of a run: marked, told under the mouse, and switched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint
from pytestqt.qtbot import QtBot

from quantcrafter.app.charts.menu import chart_menu
from quantcrafter.app.charts.model.chart_colors import chart_look
from quantcrafter.app.charts.model.scales import Window
from quantcrafter.app.charts.model.texts import described
from quantcrafter.app.charts.pane import ChartPane
from quantcrafter.app.services.settings import Settings
from quantcrafter.app.theme.colors import LIGHT
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from quantcrafter.engine.runtime.run_store.run_writer import save_run
from quantcrafter.engine.runtime.running.run import run
from tests.support import mouse
from tests.support.charts import count_color, open_chart, picture_of, sheet_of, state_of
from tests.support.continuous_strategy import write_continuous

LOOK = chart_look(LIGHT, "green_red")


@pytest.fixture(scope="module")
def rolled(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = tmp_path_factory.mktemp("series")
    result = run(write_continuous(folder), registry=load_registry())
    save_run(result, folder / "run")
    return RunFolder.open(folder / "run")


@pytest.fixture
def pane(qtbot: QtBot, rolled: RunFolder) -> Iterator[ChartPane]:
    with open_chart(qtbot, rolled) as (made, _):
        yield made


def marks_of(pane: ChartPane) -> list[QPoint]:
    """Return where the diamonds are, as the run says."""
    sheet = sheet_of(pane)
    place = sheet.place("price")
    assert place is not None
    return [QPoint(int(sheet.x(roll.bar - 0.5)), int(place.top) + 42) for roll in state_of(pane).model.rolls.all]


def painted(pane: ChartPane, at: QPoint) -> int:
    area = (at.x() - 6, at.y() - 6, at.x() + 7, at.y() + 7)
    return count_color(picture_of(pane.view), LOOK.roll, area)


def test_each_roll_has_a_mark_and_tells_both_contracts_under_the_mouse(pane: ChartPane) -> None:
    marks = marks_of(pane)
    assert len(marks) == 2
    assert all(painted(pane, at) > 20 for at in marks)
    mouse.hover(pane.view, marks[0])
    assert pane.view.pointing.lines == [
        "Roll from ESH24 to ESM24",
        "First bar: 2024-03-11",
        "Last closes: 5,068.00 and 5,118.00",
        "Difference: +50.00",
    ]
    mouse.hover(pane.view, marks[0] + QPoint(40, 0))
    assert pane.view.pointing.lines == []


def test_the_line_of_a_roll_tells_it_as_well(pane: ChartPane) -> None:
    place = sheet_of(pane).place("price")
    assert place is not None
    mouse.hover(pane.view, QPoint(marks_of(pane)[1].x(), int(place.bottom) - 4))
    assert pane.view.pointing.lines[0] == "Roll from ESM24 to ESU24"


def test_rolls_that_are_close_share_a_mark(pane: ChartPane) -> None:
    state = state_of(pane)
    wide = Window(-4000.0, 4000.0, state.window.count)
    pane.view.set_window(wide)
    pane.view.repaint()
    mouse.hover(pane.view, marks_of(pane)[0])
    assert pane.view.pointing.lines[0] == "Rolls: 2"
    assert "From ESH24 to ESU24" in pane.view.pointing.lines


def test_the_description_of_the_bar_names_the_roll(pane: ChartPane) -> None:
    model = state_of(pane).model
    bar = model.rolls.all[0].bar
    assert "Roll from ESH24 to ESM24" in described(model, bar, ())
    assert "Roll" not in described(model, bar + 1, ())


def test_marks_are_switched_off_and_stay_off(qtbot: QtBot, rolled: RunFolder, tmp_path: Path) -> None:
    settings = Settings(tmp_path / "desktop.json")
    with open_chart(qtbot, rolled, settings) as (pane, _):
        at = marks_of(pane)[0]
        menu = chart_menu(pane)
        (switch,) = (action for action in menu.actions() if action.objectName() == "toggle_rolls")
        assert switch.isChecked()
        switch.trigger()
        assert not painted(pane, at)
        mouse.hover(pane.view, at)
        assert pane.view.pointing.lines == []
        assert settings.chart_rolls is False
    with open_chart(qtbot, rolled, settings) as (pane, _):
        assert not painted(pane, marks_of(pane)[0])
