"""A trader at work in the window: everything is done by mouse and keyboard, nothing by calling the program's parts."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QCursor, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QFileDialog, QLineEdit, QWidget

from quantcrafter.app.inspector.row import FieldRow
from quantcrafter.app.window.desktop import Desktop
from quantcrafter.app.window.tabs.tab import StrategyTab
from tests.support import mouse
from tests.support.modal import answering, choosing

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
LEFT, NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
PATIENCE_S = 10


class Trader:
    """Works in a window.

    Args:
        window: the window, on the screen.
        can_drag: whether the palette can be dragged from, which needs a real screen; it is used by keys if not.
    """

    def __init__(self, desktop: Desktop, *, can_drag: bool) -> None:
        self.desktop = desktop
        self.can_drag = can_drag

    @property
    def tab(self) -> StrategyTab:
        """The current strategy."""
        if self.desktop.tab is None:
            raise AssertionError("No strategy is open.")
        return self.desktop.tab

    @property
    def nodes(self) -> set[str]:
        """The ids of the nodes that can be seen."""
        return set(self.tab.canvas.scene.nodes)

    def press(self, code: Qt.Key, modifiers: Qt.KeyboardModifier = mouse.NONE) -> None:
        """Press keys while the canvas has the focus."""
        QTest.keyClick(self.tab.canvas.view, code, modifiers)
        QApplication.processEvents()

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        """Let the program work until something can be seen."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"Waited in vain: {what}.")
            QTest.qWait(10)

    # ------------------------------------------------------------------ nodes

    def add_by_quick_add(self, search: str, name: str) -> None:
        """Press Tab on the canvas, type, press Enter; then give the new node its name."""
        before = self.nodes
        self.press(Qt.Key.Key_Tab)
        popup = self.tab.canvas.quick_add_controller.popup
        self.wait(popup.isVisible, "quick-add")
        QTest.keyClicks(popup.search, search)
        QTest.keyClick(popup.search, Qt.Key.Key_Return)
        self._name_the_new_one(before, name)

    def add_from_palette(self, search: str, name: str, at: tuple[float, float]) -> None:
        """Search in the palette and drag what is found first to a place (parts of the canvas), or press Enter."""
        before = self.nodes
        palette = self.desktop.docks.palette
        palette.box.setFocus()
        palette.box.selectAll()
        QTest.keyClicks(palette.box, search)
        self.wait(lambda: palette.model.rowCount() > 0, f"'{search}' in the palette")
        if self.can_drag:
            view = self.tab.canvas.view.viewport()
            self._drag(palette.view.viewport(), QPoint(60, 10), view, QPoint(
                round(view.width() * at[0]), round(view.height() * at[1]))
            )  # fmt: skip
        else:
            QTest.keyClick(palette.box, Qt.Key.Key_Return)
        self._name_the_new_one(before, name)

    def _name_the_new_one(self, before: set[str], name: str) -> None:
        self.wait(lambda: len(self.nodes) == len(before) + 1, f"a node for '{name}'")
        (new,) = self.nodes - before
        self.wait(lambda: self.desktop.shell.front.selection == (new,), f"'{new}' selected")
        if new != name:
            self.tab.canvas.view.setFocus()
            self.press(Qt.Key.Key_F2)
            line = QApplication.focusWidget()
            if not isinstance(line, QLineEdit):
                raise AssertionError("F2 opened no line for the name.")
            line.selectAll()
            QTest.keyClicks(line, name)
            QTest.keyClick(line, Qt.Key.Key_Return)
            self.wait(lambda: name in self.nodes, f"the name '{name}'")

    def _drag(self, source: QWidget, start: QPoint, target: QWidget, end: QPoint) -> None:
        """Drag between widgets by the window system: Qt waits inside the drag, so the moves are sent by timers."""
        handle = self.desktop.window.windowHandle()
        goal = target.mapTo(self.desktop.window, end)

        def post(kind: QMouseEvent.Type, place: QPoint, held: Qt.MouseButton) -> None:
            everywhere = self.desktop.window.mapToGlobal(place)
            QCursor.setPos(everywhere)
            button = LEFT if kind == QMouseEvent.Type.MouseButtonRelease else NONE
            event = QMouseEvent(kind, QPointF(place), QPointF(everywhere), button, held, mouse.NONE)
            QApplication.postEvent(handle, event)

        near = goal - QPoint(9, 9)
        QTimer.singleShot(150, lambda: post(QMouseEvent.Type.MouseMove, near, LEFT))
        QTimer.singleShot(300, lambda: post(QMouseEvent.Type.MouseMove, goal, LEFT))
        QTimer.singleShot(450, lambda: post(QMouseEvent.Type.MouseButtonRelease, goal, NONE))
        mouse.press(source, start)
        for step in (QPoint(4, 2), QPoint(30, 10)):
            mouse.move(source, start + step)

    # ------------------------------------------------------------------ wires

    def arrange(self) -> None:
        """Lay the graph out and show all of it."""
        self.press(Qt.Key.Key_L, CONTROL)
        self.press(Qt.Key.Key_1, CONTROL)

    def wire(self, source: str, output: str, target: str, port: str) -> None:
        """Pull a wire from an output to an input."""
        view, scene = self.tab.canvas.view, self.tab.canvas.scene
        start = view.mapFromScene(scene.nodes[source].port_scene_pos("out", output))
        end = view.mapFromScene(scene.nodes[target].port_scene_pos("in", port))
        mouse.drag(view.viewport(), [start, end])
        wanted = (source, output, target, port)
        self.wait(
            lambda: any((wire.source, wire.output, wire.target, wire.port) == wanted for wire in scene.wires),
            f"a wire from {source}.{output} to {target}.{port}",
        )

    # ------------------------------------------------------------------ parameters

    def select(self, node: str) -> None:
        """Click a node's header."""
        view = self.tab.canvas.view
        body = self.tab.canvas.scene.nodes[node].body()
        at = view.mapFromScene(QPointF(body.x() + body.width() / 2, body.y() + 12))
        mouse.click(view.viewport(), at)
        self.wait(lambda: self.desktop.shell.front.selection == (node,), f"'{node}' selected")

    def select_nothing(self) -> None:
        """Click the empty canvas."""
        mouse.click(self.tab.canvas.view.viewport(), QPoint(4, 4))
        self.wait(lambda: self.desktop.shell.front.selection == (), "nothing selected")

    def fill(self, value: str, *path: str) -> None:
        """Type or choose a value in the inspector's field of a path."""
        inspector = self.desktop.docks.inspector
        inspector.refresh()
        row = self._row(path)
        editor = row.editor
        combo = editor.findChild(QComboBox)
        line = editor.findChild(QLineEdit)
        if combo is not None and not combo.isEditable():
            combo.setFocus()
            QTest.keyClicks(combo, value)
        elif line is not None:
            line.setFocus()
            line.selectAll()
            QTest.keyClicks(line, value)
            QTest.keyClick(line, Qt.Key.Key_Return)
        else:
            raise AssertionError(f"{path} has nothing to type into.")
        QApplication.processEvents()

    def _row(self, path: tuple[str, ...]) -> FieldRow:
        page = self.desktop.docks.inspector.page
        for view in page.views if page is not None else ():
            if view.focus(path):
                return view.rows[path]
        raise AssertionError(f"The inspector has no field {path}.")

    # ------------------------------------------------------------------ files

    def save_as(self, path: Path) -> None:
        """Save under a name, by the file dialog."""
        with answering(QFileDialog, choosing(path)):
            self.press(Qt.Key.Key_S, CONTROL | SHIFT)
        self.desktop.window.activateWindow()  # what a window manager does when a dialog closes
        self.wait(self.desktop.window.isActiveWindow, "the window active again")

    def undo_all(self) -> int:
        """Press Ctrl+Z until nothing is left; return how often."""
        return self._step(Qt.Key.Key_Z, CONTROL, "edit.undo")

    def redo_all(self) -> int:
        """Press Ctrl+Shift+Z until nothing is left; return how often."""
        return self._step(Qt.Key.Key_Z, CONTROL | SHIFT, "edit.redo")

    def _step(self, code: Qt.Key, modifiers: Qt.KeyboardModifier, action: str) -> int:
        self.tab.canvas.view.setFocus()
        count = 0
        QTest.qWait(20)
        while self.desktop.shell.actions.actions[action].isEnabled():
            self.press(code, modifiers)
            count += 1
            QTest.qWait(1)
        return count
