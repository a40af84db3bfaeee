"""What tests of the data's dialogs and pane share: waiting for the data process, and reaching into forms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QDialog, QLineEdit, QTreeWidget, QWidget
from pytestqt.qtbot import QtBot

from quantcrafter.app.data.pane import DataPane
from quantcrafter.app.data.previewer import Previewer
from quantcrafter.app.data.source_form import SourceForm
from quantcrafter.app.inspector.row import FieldRow
from tests.support.modal import answering

PATIENCE_MS = 30_000


def seen(qtbot: QtBot, previewer: Previewer) -> None:
    """Wait until no preview is awaited."""
    qtbot.waitUntil(lambda: not previewer.is_busy, timeout=PATIENCE_MS)


def row_of(form: SourceForm, name: str) -> FieldRow:
    """Return the row of a field, with the focus in it."""
    assert form.view is not None
    form.view.focus((name,))
    return form.view.rows[(name,)]


def write(form: SourceForm, name: str, text: str) -> None:
    """Type a text into a field and press Enter."""
    line = row_of(form, name).editor.findChild(QLineEdit)
    assert line is not None
    line.setFocus()
    line.selectAll()
    QTest.keyClicks(line, text)
    QTest.keyClick(line, Qt.Key.Key_Return)
    QApplication.processEvents()


def pick(box: QComboBox, text: str) -> None:
    """Choose an entry of a list by the arrow keys."""
    box.setFocus()
    steps = box.findText(text) - box.currentIndex()
    for _ in range(abs(steps)):
        QTest.keyClick(box, Qt.Key.Key_Down if steps > 0 else Qt.Key.Key_Up)


def texts(tree: QTreeWidget) -> list[list[str]]:
    """Return every row of a tree, those below others too."""
    found = []
    for number in range(tree.topLevelItemCount()):
        top = tree.topLevelItem(number)
        assert top is not None
        items = (top, *(top.child(child) for child in range(top.childCount())))
        found += [[item.text(column) for column in range(tree.columnCount())] for item in items]
    return found


def drop_files(target: QWidget, paths: list[str]) -> bool:
    """Drag files onto a widget and let them go; return whether they were taken."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(path) for path in paths])
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(20, 20), copy, data, left, none)
    enter.ignore()
    QApplication.sendEvent(target, enter)
    if not enter.isAccepted():
        return False
    QApplication.sendEvent(target, QDropEvent(QPointF(20, 20), copy, data, left, none))
    return True


def rows_of(pane: DataPane) -> list[tuple[str, str, str]]:
    """Return symbol, timeframe and number of bars of each row that can be seen."""
    cells = [[pane.rows.index(row, column).data() for column in (0, 1, 4)] for row in range(pane.rows.rowCount())]
    return [(symbol, frame, bars) for symbol, frame, bars in cells]


def click_row(pane: DataPane, symbol: str) -> None:
    """Click the row of a symbol."""
    row = next(row for row in range(pane.rows.rowCount()) if pane.rows.index(row, 0).data() == symbol)
    place = pane.table.visualRect(pane.rows.index(row, 0)).center()
    QTest.mouseClick(pane.table.viewport(), Qt.MouseButton.LeftButton, pos=place)


def until(qtbot: QtBot, condition: Callable[[], bool]) -> None:
    """Wait for something the data process brings about."""
    qtbot.waitUntil(condition, timeout=PATIENCE_MS)


D = TypeVar("D", bound=QDialog)


@contextmanager
def using(kind: type[D], act: Callable[[D], object]) -> Iterator[None]:
    """Do `act` with the dialog that comes up in the block; if it fails, the dialog is closed and the test fails."""
    faults: list[BaseException] = []

    def done(dialog: D) -> None:
        try:
            act(dialog)
        except BaseException as fault:  # noqa: BLE001 - raised again below; Qt would swallow it here
            faults.append(fault)
            dialog.reject()

    with answering(kind, done):
        yield
    if faults:
        raise faults[0]
