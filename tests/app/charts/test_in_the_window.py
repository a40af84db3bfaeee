"""The chart in the window: after a run, by the menu, and from a node's own menu."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from quantcrafter.app.canvas.gesture import Hit
from quantcrafter.app.canvas.menus import context_menu
from quantcrafter.app.canvas.plot_toggles import EYE
from quantcrafter.app.charts.model.chart_colors import series_color
from quantcrafter.app.charts.pane import ChartPane
from quantcrafter.app.theme import current
from quantcrafter.app.window.desktop import Desktop
from tests.support import mouse
from tests.support.charts import settle, state_of
from tests.support.desktop import ROOT, copy_example, open_window, tab_of
from tests.support.saved_runs import saved_example


@pytest.fixture
def desktop(qtbot: QtBot, tmp_path: Path) -> Iterator[Desktop]:
    with open_window(qtbot, copy_example("rsi_pullback", tmp_path)) as desktop:
        yield desktop


def show_run(desktop: Desktop, qtbot: QtBot, folder: Path) -> ChartPane:
    """Show a run of the current strategy, as the end of a run does, and return the chart once it is drawn."""
    tab_of(desktop).session.show_run(saved_example("rsi_pullback", folder))
    desktop.docks.show_results(first=True)
    chart = desktop.docks.chart
    qtbot.waitUntil(lambda: chart.state is not None, timeout=20_000)
    settle(qtbot, chart)
    desktop.shell.actions.refresh()
    return chart


def test_before_a_run_the_chart_is_not_even_made(desktop: Desktop) -> None:
    assert not desktop.docks.frames["chart"].has_pane
    assert not desktop.shell.actions.actions["chart.fit"].isEnabled()


def test_the_chart_comes_to_the_front_after_the_first_run(desktop: Desktop, qtbot: QtBot, tmp_path: Path) -> None:
    chart = show_run(desktop, qtbot, tmp_path / "run")
    assert desktop.docks.is_shown("chart")
    assert chart.view.isVisible()
    assert chart.view.height() > 150


def test_the_menu_moves_about_in_the_chart(desktop: Desktop, qtbot: QtBot, tmp_path: Path) -> None:
    chart = show_run(desktop, qtbot, tmp_path / "run")
    session = tab_of(desktop).session
    desktop.shell.actions.trigger("chart.next_trade")
    assert session.trade is not None
    desktop.shell.actions.trigger("chart.style_line")
    assert state_of(chart).style == "line"
    desktop.shell.actions.trigger("chart.panel_exposure")
    assert "exposure" in state_of(chart).panels
    assert desktop.shell.actions.state("chart.panel_exposure") == (True, True)
    desktop.shell.actions.trigger("chart.fit")
    assert state_of(chart).window.width > len(state_of(chart).model)
    desktop.shell.actions.trigger("chart.date")
    assert chart.toolbar.date.hasFocus()


def test_a_strategy_that_was_not_run_has_no_eyes_of_another_one(desktop: Desktop, qtbot: QtBot, tmp_path: Path) -> None:
    show_run(desktop, qtbot, tmp_path / "run")
    run = tab_of(desktop)
    qtbot.waitUntil(lambda: bool(run.canvas._eyes))

    desktop.file_controller.new(run.document.text, "copy")

    assert tab_of(desktop) is not run
    qtbot.waitUntil(lambda: not tab_of(desktop).canvas._eyes)
    desktop.tabs.step(-1)
    qtbot.waitUntil(lambda: bool(run.canvas._eyes))


def test_a_node_is_shown_and_hidden_by_its_own_menu(desktop: Desktop, qtbot: QtBot, tmp_path: Path) -> None:
    chart = show_run(desktop, qtbot, tmp_path / "run")
    canvas = tab_of(desktop).canvas
    canvas.select(("uptrend",))
    qtbot.waitUntil(lambda: desktop.shell.front.selection == ("uptrend",))
    menu = context_menu(canvas, Hit(QPointF(0, 0), node="uptrend"), QPoint(0, 0))
    entry = next(action for action in menu.actions() if action.objectName() == "chart.show_node")
    assert entry.isEnabled()
    assert not entry.isChecked()
    desktop.shell.actions.refresh()  # as it is once the current event has been processed
    entry.trigger()
    settle(qtbot, chart)
    assert chart.choice.is_shown("uptrend")
    assert "uptrend" in {each.node for each in state_of(chart).drawn}
    assert desktop.shell.actions.state("chart.show_node") == (True, True)
    desktop.shell.actions.refresh()
    desktop.shell.actions.trigger("chart.show_node")
    assert not chart.choice.is_shown("uptrend")


def test_each_strategy_has_its_own_chart_in_the_same_pane(desktop: Desktop, qtbot: QtBot, tmp_path: Path) -> None:
    chart = show_run(desktop, qtbot, tmp_path / "run")
    desktop.file_controller.open(copy_example("golden_cross", tmp_path))
    assert chart.state is None
    desktop.tabs.step(1)
    qtbot.waitUntil(lambda: chart.state is not None, timeout=20_000)
    assert state_of(chart).model.job.symbol == "IBM"


def test_a_click_on_a_nodes_eye_shows_it_on_the_chart_and_hides_it(
    desktop: Desktop, qtbot: QtBot, tmp_path: Path
) -> None:
    chart = show_run(desktop, qtbot, tmp_path / "run")
    canvas = tab_of(desktop).canvas
    scene, view = canvas.scene, canvas.view
    view.set_zoom(1.0)
    view.centre_on(scene.nodes["average"].body().center())
    at = view.mapFromScene(scene.nodes["average"].pos() + EYE.center())
    color = series_color(current(), chart.choice.slot("average") or 0)
    assert scene.eye_at(view.mapToScene(at)) == "average"
    assert is_seen(view.viewport().grab().toImage(), color, at)
    assert "stop" not in {name for name in scene.nodes if scene.eye_at(scene.nodes[name].pos() + EYE.center())}

    mouse.click(view.viewport(), at)
    assert not chart.choice.is_shown("average")
    assert state_of(chart).outputs_in("price") == []
    assert not is_seen(view.viewport().grab().toImage(), color, at)
    assert "average" not in desktop.shell.front.selection, "a click on an eye selects nothing"

    mouse.click(view.viewport(), at)
    settle(qtbot, chart)
    assert [each.node for each in state_of(chart).outputs_in("price")] == ["average"]


def is_seen(image: QImage, color: str, at: QPoint) -> bool:
    """Return whether a colour is seen around a place, its edges being smoothed."""
    wanted = QColor(color)
    red, green, blue = wanted.red(), wanted.green(), wanted.blue()
    near = [image.pixelColor(at.x() + x, at.y() + y) for x in range(-12, 12) for y in range(-9, 9)]
    apart = [abs(each.red() - red) + abs(each.green() - green) + abs(each.blue() - blue) for each in near]
    return min(apart) < 90


def test_the_chart_library_is_not_imported_before_a_run_is_drawn() -> None:
    script = (
        "import sys; import quantcrafter.app.window.main_window, quantcrafter.app.window.layout.docks;"
        "import quantcrafter.app.charts.pane, quantcrafter.app.charts.view;"
        "print([name for name in ('pyqtgraph', 'numba', 'pandas', 'polars', 'plotly') if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=ROOT)
    assert told.stdout.strip() == "[]"
