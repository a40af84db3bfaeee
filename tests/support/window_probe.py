"""The desktop application with a window for tests to look through: it tells where things are, and changes nothing.

Each line of the standard input asks for one thing as JSON, `["name", arguments...]`; the answer is one line of JSON on
the standard output. Places are in pixels of the screen.
"""

from __future__ import annotations

import json
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

from PySide6.QtCore import QModelIndex, QObject, QPoint, QPointF, QRect, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QDialog,
    QLabel,
    QLineEdit,
    QMenu,
    QMenuBar,
    QTabBar,
    QToolButton,
    QTreeView,
    QWidget,
)

from quantcrafter.app.main import open_app
from quantcrafter.app.services.settings import Settings
from quantcrafter.app.window.desktop import Desktop
from quantcrafter.app.window.shell import Shell
from tests.support.children import children

MARK = "answer "
HEADER_Y = 12
SHELLS: list[Shell] = []
"""The window of the program, once it is made."""


class Probe(QObject):
    """Answers on the thread of the window, between two events."""

    asked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.asked.connect(self._answer, Qt.ConnectionType.QueuedConnection)

    def _answer(self, line: str) -> None:
        name, *arguments = json.loads(line)
        try:
            answer = {"is": getattr(Answers(), name)(*arguments)}
        except Exception:  # noqa: BLE001 - the test fails with it, the application goes on
            answer = {"error": traceback.format_exc()}
        sys.stdout.write(MARK + json.dumps(answer) + "\n")
        sys.stdout.flush()


class Answers:
    """What can be asked: a method for each."""

    @property
    def desktop(self) -> Desktop:
        """All parts of the program."""
        return SHELLS[-1].desktop

    # ------------------------------------------------------------------ widgets of all kinds

    def find(self, kind: str, text: str = "") -> list[dict[str, Any]]:
        """Return the visible widgets of a class that bear a text: on them, as their name or as their tooltip."""
        found = [widget for widget in QApplication.allWidgets() if widget.isVisible() and _is_a(widget, kind)]
        return [_describe(widget) for widget in found if not text or text in _texts(widget)]

    def windows(self) -> list[dict[str, Any]]:
        """Return what has a window of its own: the main window, dialogs, menus, popups."""
        return [_describe(widget) for widget in QApplication.topLevelWidgets() if widget.isVisible()]

    def focus(self) -> dict[str, Any] | None:
        """Return what keys go to."""
        widget = QApplication.focusWidget()
        return None if widget is None else _describe(widget)

    def entry(self, text: str) -> list[int] | None:
        """Return where an entry of an open menu, or of the menu bar, is."""
        for widget in QApplication.allWidgets():
            if isinstance(widget, QMenu | QMenuBar) and widget.isVisible():
                for action in widget.actions():
                    if action.isVisible() and action.text().replace("&", "").split("\t")[0] == text:
                        return _global(widget, widget.actionGeometry(action))
        return None

    def entries(self) -> list[list[str]]:
        """Return the texts of each open menu."""
        menus = [widget for widget in QApplication.topLevelWidgets() if isinstance(widget, QMenu)]
        return [
            [action.text() for action in menu.actions() if action.isVisible()] for menu in menus if menu.isVisible()
        ]

    def row(self, text: str, view: str = "") -> list[int] | None:
        """Return where a row of a visible list, table or tree is, by the text of one of its cells."""
        for widget in QApplication.allWidgets():
            if isinstance(widget, QAbstractItemView) and widget.isVisible() and (not view or view in _texts(widget)):
                index = _search(widget, text, QModelIndex())
                if index is not None:
                    return _global(widget.viewport(), widget.visualRect(index))
        return None

    def components_listed(self) -> bool:
        """Tell whether all components are read: until then the rows of their list move."""
        return self.desktop.docks.palette.index.is_complete

    def tab(self, text: str) -> list[int] | None:
        """Return where a tab is, of strategies or of docks."""
        for bar in QApplication.allWidgets():
            if isinstance(bar, QTabBar) and bar.isVisible():
                for index in range(bar.count()):
                    if bar.tabText(index).replace("&", "").startswith(text):
                        return _global(bar, bar.tabRect(index))
        return None

    def status(self) -> str:
        """Return what the status bar says."""
        return self.desktop.shell.status.currentMessage()

    # ------------------------------------------------------------------ the canvas

    def nodes(self) -> list[str]:
        """Return the nodes on the canvas."""
        return sorted(self._canvas.scene.nodes) if self.desktop.tab is not None else []

    def selection(self) -> list[str]:
        """Return the selected nodes."""
        return list(self.desktop.shell.front.selection)

    def wires(self) -> list[str]:
        """Return the wires on the canvas, as `rsi.value > levels.input`."""
        return sorted(f"{wire.source}.{wire.output} > {wire.target}.{wire.port}" for wire in self._canvas.scene.wires)

    def node(self, name: str) -> list[int]:
        """Return where the header of a node is."""
        body = self._canvas.scene.nodes[name].body()
        return self._scene_rect(body.left(), body.top(), body.width(), 2 * HEADER_Y)

    def body(self, name: str) -> list[int]:
        """Return where a whole node is."""
        body = self._canvas.scene.nodes[name].body()
        return self._scene_rect(body.left(), body.top(), body.width(), body.height())

    def port(self, node: str, side: str, port: str) -> list[int]:
        """Return where a port is (`side` is `in` or `out`)."""
        at = self._canvas.scene.nodes[node].port_scene_pos(side, port)
        return self._scene_rect(at.x() - 1, at.y() - 1, 2, 2)

    def canvas(self) -> list[int]:
        """Return where the canvas is."""
        view = self._canvas.view.viewport()
        return _global(view, view.rect())

    def empty(self) -> list[int]:
        """Return a place of the canvas that has nothing on it."""
        view = self._canvas.view
        for y in range(8, view.viewport().height() - 8, 24):
            for x in range(8, view.viewport().width() - 8, 24):
                at = QPoint(x, y)
                hit = self._canvas.scene.hit(view.mapToScene(at))
                free = hit.node is None and hit.wire is None and hit.frame is None
                if free and view.childAt(at) is view.viewport():
                    return _global(view.viewport(), QRect(at, at))
        raise LookupError("The canvas is full.")

    def zoom(self) -> float:
        """Return how large the canvas is drawn."""
        return float(self._canvas.view.transform().m11())

    @property
    def _canvas(self) -> Any:
        tab = self.desktop.tab
        if tab is None:
            raise LookupError("No strategy is open.")
        return tab.canvas

    def _scene_rect(self, x: float, y: float, width: float, height: float) -> list[int]:
        view = self._canvas.view
        ends = (view.mapFromScene(QPointF(x, y)), view.mapFromScene(QPointF(x + width, y + height)))
        return _global(view.viewport(), QRect(*ends))

    # ------------------------------------------------------------------ the inspector, text, runs

    def field(self, *path: str) -> dict[str, Any] | None:
        """Return a field of the inspector: what it shows, how it is marked, and where its parts are."""
        page = self.desktop.docks.inspector.page
        for view in page.views if page is not None else ():
            row = view.rows.get(tuple(path))
            if row is not None:
                inside = row.editor.focusProxy() or row.editor
                line = row.editor.findChild(QLineEdit)
                return {
                    "text": line.text() if line is not None else getattr(inside, "currentText", lambda: "")(),
                    "severity": row.severity,
                    "reason": row.reason.text() if row.reason.isVisible() else "",
                    "visible": row.isVisible() and not row.editor.visibleRegion().isEmpty(),
                    "focus": inside.hasFocus(),
                    "buttons": [_global(button, button.rect()) for button in children(row.editor, QToolButton)],
                    "rect": _global(inside, inside.rect()),
                    "label": _global(row.label, row.label.rect()),
                }
        return None

    def text(self) -> str:
        """Return the strategy's text, as saving would write it now."""
        return "" if self.desktop.tab is None else self.desktop.tab.document.text

    def runs(self) -> dict[str, Any]:
        """Return the result of the runs of the current strategy."""
        tab = self.desktop.tab
        if tab is None:
            return {}
        runs = self.desktop.runs.of(tab)
        return {"jobs": len(runs.jobs), "run": None if runs.run is None else runs.run.folder.name}

    def ran(self) -> str:
        """Return the text of the strategy that the shown run ran."""
        tab = self.desktop.tab
        run = None if tab is None else tab.session.run
        return "" if run is None else run.text

    def title(self) -> str:
        """Return the main window's title, with the star of unsaved changes."""
        return self.desktop.window.windowTitle().replace("[*]", "*" if self.desktop.window.isWindowModified() else "")

    def chart(self) -> dict[str, Any]:
        """Return which bars the chart shows, and where it is."""
        view = self.desktop.docks.chart.view
        return {"rect": _global(view, view.rect())}


def _is_a(widget: QWidget, kind: str) -> bool:
    return any(cls.__name__ == kind for cls in type(widget).__mro__)


def _texts(widget: QWidget) -> list[str]:
    """Return all that a user could call a widget by."""
    texts = [widget.accessibleName(), widget.toolTip().split(" (")[0], widget.objectName()]
    if isinstance(widget, QAbstractButton | QLabel | QLineEdit):
        texts.append(widget.text().replace("&", ""))
    if isinstance(widget, QLineEdit):
        texts.append(widget.placeholderText())
    if widget.isWindow():
        texts.append(widget.windowTitle())
    return texts


def _describe(widget: QWidget) -> dict[str, Any]:
    shown = getattr(widget, "text", getattr(widget, "toPlainText", widget.windowTitle))
    return {
        "class": type(widget).__name__,
        "name": widget.accessibleName() or widget.objectName(),
        "text": str(shown()),
        "rect": _global(widget, widget.rect()),
        "enabled": widget.isEnabled(),
        "dialog": isinstance(widget, QDialog),
    }


def _search(view: QAbstractItemView, text: str, parent: QModelIndex) -> QModelIndex | None:
    model = view.model()
    for row in range(model.rowCount(parent) if model is not None else 0):
        index = model.index(row, 0, parent)
        while index.isValid():
            rect = view.visualRect(index)
            if str(index.data()) == text and not rect.isEmpty() and view.viewport().rect().contains(rect.center()):
                return index
            index = index.siblingAtColumn(index.column() + 1)
        found = _search(view, text, model.index(row, 0, parent)) if isinstance(view, QTreeView) else None
        if found is not None:
            return found
    return None


def _global(widget: QWidget, rect: QRect) -> list[int]:
    """Return left, top, width and height on the screen."""
    at = widget.mapToGlobal(QPoint(rect.left(), rect.top()))
    return [at.x(), at.y(), rect.width(), rect.height()]


def _note_shells() -> None:
    """Have every window that is made noted."""
    make = Shell.__init__

    def noted(shell: Shell, settings: Settings) -> None:
        make(shell, settings)
        SHELLS.append(shell)

    Shell.__init__ = noted  # type: ignore[method-assign, assignment]


def main() -> int:
    """Start the application on files, and answer what is asked meanwhile."""
    _note_shells()
    probe = Probe()

    def listen() -> None:
        for line in sys.stdin:
            probe.asked.emit(line)

    threading.Thread(target=listen, daemon=True).start()
    return open_app([Path(name) for name in sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
