from __future__ import annotations

import gc
import itertools
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QIconEngine, QStandardItem
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QTabBar, QWidget
from pytestqt.qtbot import QtBot

from quantcrafter.app.document.document import Document
from quantcrafter.app.document.edits import SetValues
from quantcrafter.app.services.settings import Settings
from quantcrafter.app.window.desktop import Desktop
from quantcrafter.app.window.dialogs import Dialogs
from quantcrafter.app.window.recovery.recovery_file import SwapFile
from quantcrafter.app.window.tour import TourGuide
from tests.support.children import child
from tests.support.desktop import EXAMPLES, copy_example, open_window, tab_of

CONTROL, SHIFT, ALT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)


@pytest.fixture
def empty(qtbot: QtBot) -> Iterator[Desktop]:
    with open_window(qtbot) as desktop:
        yield desktop


@pytest.fixture
def desktop(qtbot: QtBot, tmp_path: Path) -> Iterator[Desktop]:
    with open_window(qtbot, copy_example("golden_cross", tmp_path)) as desktop:
        yield desktop


def change(desktop: Desktop) -> None:
    tab_of(desktop).document.do(SetValues("fast", {"timeperiod": 21}), label="Set timeperiod")


def test_a_window_without_strategies_offers_how_to_begin(empty: Desktop, qtbot: QtBot) -> None:
    assert empty.shell.welcome.isVisible()
    assert empty.window.windowTitle() == "QuantCrafter"
    button = child(empty.shell.welcome, QPushButton, "welcome.file.new")

    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    assert empty.tabs.isVisible()
    assert not empty.shell.welcome.isVisible()
    assert set(tab_of(empty).document.graph().nodes) == {"bars"}


def test_an_opened_file_shows_its_graph_its_text_and_its_name(desktop: Desktop) -> None:
    tab = tab_of(desktop)

    assert {"fast", "slow", "cross", "size", "entry"} <= set(tab.canvas.scene.nodes)
    assert "Golden cross" in tab.yaml.editor.toPlainText()
    assert desktop.tabs.tabText(0) == "golden_cross"
    assert desktop.tabs.tabToolTip(0) == str(tab.path)
    assert [file.path for file in desktop.shell.recent.files.files()] == [tab.path]


def test_a_file_that_is_open_is_not_opened_twice(desktop: Desktop) -> None:
    path = tab_of(desktop).path
    assert path is not None
    desktop.file_controller.new()

    desktop.file_controller.open(path)

    assert desktop.tabs.count() == 2
    assert tab_of(desktop).path == path


def test_a_change_marks_the_tab_and_the_title_until_it_is_saved(desktop: Desktop, qtbot: QtBot) -> None:
    change(desktop)
    qtbot.waitUntil(desktop.window.isWindowModified)
    assert desktop.tabs.tabText(0).startswith("\N{BULLET}")

    QTest.keyClick(desktop.window, Qt.Key.Key_S, CONTROL)

    qtbot.waitUntil(lambda: not desktop.window.isWindowModified())
    assert desktop.tabs.tabText(0) == "golden_cross"
    path = tab_of(desktop).path
    assert path is not None
    assert "timeperiod: 21" in path.read_text(encoding="utf-8")


def test_undo_and_redo_by_keys_name_the_step(desktop: Desktop, qtbot: QtBot) -> None:
    before = tab_of(desktop).document.text
    change(desktop)
    undo = desktop.shell.actions.actions["edit.undo"]
    qtbot.waitUntil(undo.isEnabled)
    assert undo.text() == "Undo: Set timeperiod"

    QTest.keyClick(tab_of(desktop).canvas.view, Qt.Key.Key_Z, CONTROL)
    assert tab_of(desktop).document.text == before

    redo = desktop.shell.actions.actions["edit.redo"]
    qtbot.waitUntil(redo.isEnabled)
    QTest.keyClick(tab_of(desktop).canvas.view, Qt.Key.Key_Z, CONTROL | SHIFT)
    assert "timeperiod: 21" in tab_of(desktop).document.text


def test_typing_in_the_text_reaches_the_canvas(desktop: Desktop, qtbot: QtBot) -> None:
    tab = tab_of(desktop)
    tab.yaml.reveal_node("fast")
    text = tab.yaml.editor.toPlainText()

    tab.yaml.editor.selectAll()
    QApplication.clipboard().setText(text.replace("fast", "quick"))
    tab.yaml.editor.paste()

    qtbot.waitUntil(lambda: "quick" in tab.canvas.scene.nodes)


def test_selecting_on_the_canvas_shows_in_every_pane(desktop: Desktop, qtbot: QtBot) -> None:
    tab = tab_of(desktop)
    item = tab.canvas.scene.nodes["slow"]
    at = tab.canvas.view.mapFromScene(item.sceneBoundingRect().center())

    qtbot.mouseClick(tab.canvas.view.viewport(), Qt.MouseButton.LeftButton, pos=at)

    assert desktop.shell.front.selection == ("slow",)
    assert desktop.docks.inspector.ids == ("slow",)
    assert desktop.docks.outline.selection() == ("slow",)
    line = tab.yaml.editor.textCursor().blockNumber() + 1
    assert line == tab.yaml.line_of("slow")
    assert "slow" in desktop.shell.status.selection.text()


def test_selecting_in_the_outline_selects_on_the_canvas(desktop: Desktop) -> None:
    outline = desktop.docks.outline
    outline.selected.emit(("cross",))

    assert tab_of(desktop).canvas.scene.selected_ids() == ("cross",)
    assert desktop.docks.inspector.ids == ("cross",)


def test_going_through_the_text_selects_the_node_there(desktop: Desktop, qtbot: QtBot) -> None:
    tab = tab_of(desktop)
    desktop.window.activateWindow()
    tab.yaml.editor.setFocus()
    qtbot.waitUntil(tab.yaml.editor.hasFocus)

    for _ in range(tab.yaml.line_of("slow") - 1):
        QTest.keyClick(tab.yaml.editor, Qt.Key.Key_Down)
    QTest.keyClick(tab.yaml.editor, Qt.Key.Key_End)

    assert tab.canvas.scene.selected_ids() == ("slow",)
    assert tab.yaml.editor.hasFocus()


def test_a_problem_leads_to_its_node_and_line(desktop: Desktop, qtbot: QtBot) -> None:
    tab = tab_of(desktop)
    tab.document.do(SetValues("fast", {"timeperiod": -5}), label="Break it")
    qtbot.waitUntil(lambda: "Errors: 1" in desktop.shell.status.problems.text())
    assert "Errors: 1" in desktop.docks.docks["problems"].windowTitle()
    problem = tab.document.problems[0]

    desktop.docks.problems.activated.emit(problem)

    assert tab.canvas.scene.selected_ids() == ("fast",)
    assert tab.yaml.editor.textCursor().blockNumber() + 1 == problem.line


def test_the_command_palette_runs_what_is_typed(desktop: Desktop, qtbot: QtBot) -> None:
    desktop.window.activateWindow()
    QTest.keyClick(desktop.window, Qt.Key.Key_P, CONTROL | SHIFT)
    palette = desktop.shell.command_palette
    assert palette.isVisible()
    assert "Save as" in palette.titles()

    QTest.keyClicks(palette.search, "sel all")
    assert palette.titles()[0] == "Select all"
    QTest.keyClick(palette.search, Qt.Key.Key_Return)

    assert not palette.isVisible()
    qtbot.waitUntil(lambda: len(desktop.shell.front.selection) == 6)


def test_the_command_palette_goes_away_on_escape_and_says_when_nothing_fits(desktop: Desktop) -> None:
    QTest.keyClick(desktop.window, Qt.Key.Key_P, CONTROL | SHIFT)
    palette = desktop.shell.command_palette
    QTest.keyClicks(palette.search, "zzzz")
    assert palette.titles() == []
    assert palette.empty.isVisible()

    QTest.keyClick(palette.search, Qt.Key.Key_Escape)

    assert not palette.isVisible()


def test_every_action_can_be_run_or_says_that_it_cannot(desktop: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    for name in ("gallery", "settings", "shortcuts", "plugins", "about"):
        monkeypatch.setattr(Dialogs, name, lambda _self, name=name: asked.append(name))
    monkeypatch.setattr(TourGuide, "start", lambda _self: asked.append("tour"))
    monkeypatch.setattr(type(desktop.file_controller), "_ask_path", lambda _self, _tab: None)
    monkeypatch.setattr(type(desktop.file_controller), "_ask_export", lambda _self, _names, _suffix: None)
    monkeypatch.setattr(type(desktop.file_controller), "ask_open", lambda _self: None)
    monkeypatch.setattr(type(desktop.data_controller), "_ask", lambda *_: None)
    monkeypatch.setattr(type(desktop.store), "import_files", lambda _self: None)
    monkeypatch.setattr(type(desktop.store), "download", lambda _self: asked.append("download"))
    monkeypatch.setattr(type(desktop.node_files), "new", lambda _self: asked.append("node file"))
    tab_of(desktop).canvas.select_all()
    for action_id, action in desktop.shell.actions.actions.items():
        if action_id in {"file.quit", "file.close", "node.group", "node.rename"}:
            continue
        desktop.shell.actions.refresh()
        if action.isEnabled():
            action.trigger()
        QApplication.processEvents()

    dialogs = {"gallery", "settings", "shortcuts", "plugins", "tour", "about", "download", "node file"}
    assert set(asked) == dialogs


def focus_is_in(desktop: Desktop, name: str) -> bool:
    place = desktop.pane_focus.places().get(name)
    focused = QApplication.focusWidget()
    return place is not None and focused is not None and (focused is place or place.isAncestorOf(focused))


@pytest.mark.parametrize(("name", "key"), [("palette", Qt.Key.Key_1), ("inspector", Qt.Key.Key_2)])
def test_the_key_of_a_pane_goes_there_first_and_hides_it_from_there(
    name: str, key: Qt.Key, desktop: Desktop, qtbot: QtBot
) -> None:
    dock = desktop.docks.docks[name]
    qtbot.waitUntil(lambda: desktop.docks.is_shown(name))
    tab_of(desktop).canvas.setFocus()

    QTest.keyClick(desktop.window, key, ALT)
    qtbot.waitUntil(lambda: focus_is_in(desktop, name))
    assert not dock.isHidden()

    QTest.keyClick(desktop.window, key, ALT)
    assert dock.isHidden()
    assert focus_is_in(desktop, "canvas")

    QTest.keyClick(desktop.window, key, ALT)
    qtbot.waitUntil(lambda: focus_is_in(desktop, name))
    assert not dock.isHidden()

    focused = QApplication.focusWidget()
    assert focused is not None
    QTest.keyClick(focused, Qt.Key.Key_Escape)
    assert focus_is_in(desktop, "canvas")
    assert not dock.isHidden()


def test_f6_walks_through_all_that_is_shown_and_back(desktop: Desktop, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: desktop.docks.is_shown("problems"))
    tab_of(desktop).canvas.setFocus()
    order = ["text", "inspector", "outline", "problems", "palette", "canvas"]
    for name in order:
        QTest.keyClick(desktop.window, Qt.Key.Key_F6)
        qtbot.waitUntil(lambda name=name: focus_is_in(desktop, name))  # type: ignore[misc]
    for name in [*reversed(order[:-1]), "canvas"]:
        QTest.keyClick(desktop.window, Qt.Key.Key_F6, SHIFT)
        qtbot.waitUntil(lambda name=name: focus_is_in(desktop, name))  # type: ignore[misc]


def test_ctrl_tab_goes_to_the_next_strategy_and_back(desktop: Desktop) -> None:
    first = tab_of(desktop)
    desktop.file_controller.new()
    second = tab_of(desktop)
    desktop.shell.actions.refresh()
    QTest.keyClick(desktop.window, Qt.Key.Key_Tab, CONTROL)
    assert tab_of(desktop) is first
    QTest.keyClick(desktop.window, Qt.Key.Key_Tab, CONTROL | SHIFT)
    assert tab_of(desktop) is second


def test_enter_presses_the_button_that_has_the_focus_on_the_first_page(empty: Desktop) -> None:
    button = child(empty.shell.welcome, QPushButton, "welcome.file.new")
    button.setFocus()
    QTest.keyClick(button, Qt.Key.Key_Return)
    assert tab_of(empty).canvas.isVisible()


def test_components_and_inspector_keep_their_width_in_a_small_window(desktop: Desktop, qtbot: QtBot) -> None:
    docks = desktop.docks.docks
    desktop.window.resize(860, 600)
    qtbot.waitUntil(lambda: desktop.window.width() == 860)
    qtbot.wait(50)
    assert docks["palette"].width() >= 180
    assert docks["inspector"].width() >= 260
    desktop.window.resize(1280, 720)
    qtbot.waitUntil(lambda: desktop.window.width() == 1280)
    qtbot.wait(50)
    assert docks["palette"].width() >= 200


def test_a_pane_can_be_read_after_the_layout_was_reset(desktop: Desktop, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: desktop.docks.is_shown("problems"))
    desktop.docks.show_roomy("log")
    desktop.looks.reset_layout()
    qtbot.wait(50)
    assert desktop.docks.is_shown("problems")
    assert 80 <= desktop.docks.docks["problems"].height() <= 140
    desktop.docks.show("log")
    qtbot.waitUntil(lambda: desktop.docks.docks["log"].height() >= 140)


def test_no_menu_begins_or_ends_with_a_line_or_has_two_in_a_row(desktop: Desktop) -> None:
    for name, menu in desktop.shell.actions.menus.items():
        lines = [action.isSeparator() for action in menu.actions() if action.isVisible()]
        assert not lines or (not lines[0] and not lines[-1]), name
        assert not any(one and other for one, other in itertools.pairwise(lines)), name


def test_the_layout_is_there_at_the_next_start(qtbot: QtBot) -> None:
    with open_window(qtbot, EXAMPLES / "golden_cross.yaml") as desktop:
        desktop.window.resize(1100, 700)
        desktop.docks.docks["palette"].hide()
        desktop.looks.set_yaml_place("beside")

    with open_window(qtbot, EXAMPLES / "golden_cross.yaml") as desktop:
        assert desktop.docks.docks["palette"].isHidden()
        assert tab_of(desktop).splitter.orientation() == Qt.Orientation.Horizontal
        desktop.looks.reset_layout()
        assert not desktop.docks.docks["palette"].isHidden()
        assert tab_of(desktop).splitter.orientation() == Qt.Orientation.Vertical


def test_nothing_is_clipped_in_a_small_window_and_the_canvas_has_half_of_its_width(
    desktop: Desktop, qtbot: QtBot
) -> None:
    qtbot.waitUntil(lambda: desktop.docks.is_shown("inspector"))

    assert (desktop.window.width(), desktop.window.height()) == (1280, 720)
    inside = desktop.window.rect()
    shown = {name: dock for name, dock in desktop.docks.docks.items() if desktop.docks.is_shown(name)}
    assert {"palette", "inspector", "outline", "problems"} <= set(shown)
    for name, dock in shown.items():
        assert inside.contains(dock.geometry()), name
        assert dock.width() >= dock.minimumSizeHint().width(), name
    canvas = tab_of(desktop).canvas
    assert canvas.width() >= desktop.window.width() // 2
    assert canvas.height() >= desktop.window.height() * 0.45
    assert inside.contains(desktop.window.statusBar().geometry())


def test_a_yaml_file_dropped_on_the_window_opens(desktop: Desktop, qtbot: QtBot, tmp_path: Path) -> None:
    other = copy_example("rsi_pullback", tmp_path / "other")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(other)), QUrl.fromLocalFile(str(tmp_path / "picture.png"))])
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(20, 20), copy, data, left, none)
    QApplication.sendEvent(desktop.window, enter)
    assert enter.isAccepted()

    QApplication.sendEvent(desktop.window, QDropEvent(QPointF(20, 20), copy, data, left, none))

    qtbot.waitUntil(lambda: tab_of(desktop).path == other)


def test_tabs_are_closed_by_their_button_and_by_a_middle_click(desktop: Desktop, qtbot: QtBot) -> None:
    desktop.file_controller.new()
    bar = desktop.tabs.tabBar()

    qtbot.mouseClick(bar, Qt.MouseButton.MiddleButton, pos=bar.tabRect(1).center())
    assert desktop.tabs.count() == 1

    button = bar.tabButton(0, QTabBar.ButtonPosition.RightSide)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert desktop.tabs.count() == 0
    assert desktop.shell.welcome.isVisible()
    assert not desktop.docks.docks["palette"].isVisible()


def test_the_panes_come_back_as_they_were_with_the_next_strategy(desktop: Desktop) -> None:
    desktop.docks.docks["problems"].hide()
    desktop.file_controller.close_current()

    desktop.file_controller.new()

    assert desktop.docks.docks["palette"].isVisible()
    assert desktop.docks.docks["problems"].isHidden()


def test_the_theme_is_used_at_once_and_remembered(desktop: Desktop) -> None:
    from quantcrafter.app import theme

    desktop.shell.actions.trigger("view.theme_dark")
    assert theme.current() is theme.DARK
    assert Settings().theme == "dark"

    desktop.shell.actions.trigger("view.theme_light")
    assert theme.current() is theme.LIGHT


def test_docks_that_share_a_place_leave_their_titles_to_the_tabs(desktop: Desktop, qtbot: QtBot) -> None:
    docks = desktop.docks.docks
    qtbot.waitUntil(lambda: docks["outline"].titleBarWidget() is not None)
    assert docks["inspector"].titleBarWidget() is None

    docks["help"].hide()
    qtbot.waitUntil(lambda: docks["outline"].titleBarWidget() is None)
    docks["help"].show()
    qtbot.waitUntil(lambda: docks["outline"].titleBarWidget() is not None)


def test_a_pane_that_is_looked_at_for_the_first_time_gets_enough_height_and_later_what_the_user_gave_it(
    desktop: Desktop, qtbot: QtBot
) -> None:
    dock = desktop.docks.docks["log"]
    qtbot.waitUntil(lambda: desktop.docks.is_shown("problems"))

    desktop.docks.show("log")
    qtbot.waitUntil(lambda: dock.height() >= 150)

    desktop.window.resizeDocks([dock], [90], Qt.Orientation.Vertical)
    desktop.docks.show("problems")
    desktop.docks.show("log")
    QApplication.processEvents()
    assert dock.height() < 130


def test_after_the_last_strategy_was_closed_another_opens_with_all_its_panes(qtbot: QtBot, tmp_path: Path) -> None:
    first, second = copy_example("golden_cross", tmp_path), copy_example("rsi_pullback", tmp_path)
    with open_window(qtbot, first) as desktop:
        for name in desktop.docks.docks:
            desktop.docks.show(name)
        gone = tab_of(desktop)
        with qtbot.waitSignal(gone.destroyed):
            desktop.strategies.remove(gone)
        desktop.file_controller.open(second)

        assert desktop.docks.chart.session is tab_of(desktop).session
        assert desktop.docks.inspector.document is tab_of(desktop).document


def test_strategies_that_are_closed_are_given_free(qtbot: QtBot, tmp_path: Path) -> None:
    file = copy_example("golden_cross", tmp_path)

    def alive() -> Counter[str]:
        for _ in range(3):
            QCoreApplication.processEvents()
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        gc.collect()
        kinds = (QStandardItem, QIconEngine, QWidget, Document, SwapFile)
        return Counter(type(each).__name__ for each in gc.get_objects() if isinstance(each, kinds))

    with open_window(qtbot, file) as desktop:
        counts = []
        for _ in range(3):
            for _ in range(3):
                desktop.file_controller.open(file)
                desktop.window.grab()
                desktop.strategies.remove(tab_of(desktop))
            counts.append(alive())

    more = counts[2] - counts[1]
    assert more["Document"] == more["SwapFile"] == 0
    assert more.total() < 10  # a few Python objects come and go with what Qt asks for
