from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import (
    QAbstractTableModel,
    QCoreApplication,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import QPainter, QPaintEvent, QTextDocument
from PySide6.QtWidgets import QDialog, QGraphicsItem, QLabel, QPushButton, QWidget
from pytestqt.exceptions import capture_exceptions
from pytestqt.qtbot import QtBot
from shiboken6 import delete

from quantcrafter import app
from quantcrafter.app.guard import guard_class, is_guarded, overrides
from quantcrafter.app.panes.yaml_view.highlighter import YamlHighlighter
from quantcrafter.app.theme import current
from tests.support.command_line import ROOT, clean_environment
from tests.support.desktop import copy_example
from tests.support.qt_classes import qt_classes


def test_every_method_that_qt_calls_is_guarded() -> None:
    found = [(cls, name) for cls in qt_classes() for name in overrides(cls)]

    assert len(found) > 180
    assert [(cls, name) for cls, name in found if not is_guarded(vars(cls)[name])] == []


def test_what_qt_calls_stands_in_classes_only() -> None:
    """A method put on a single object, or a property in a method's place, would not be seen by the guard."""
    names = {name for cls in qt_classes() for name in overrides(cls) if not name.islower()}
    for file in Path(app.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            targets = node.targets if isinstance(node, ast.Assign) else []
            assert not [target for target in targets if isinstance(target, ast.Attribute) and target.attr in names], (
                f"{file}:{getattr(node, 'lineno', 0)}"
            )


class _Faulty(QWidget):
    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        raise ValueError("no size")

    def event(self, event: QEvent) -> bool:
        raise SystemExit(str(event.type()))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        raise KeyError(watched, event)


class _FaultyItem(QGraphicsItem):
    def boundingRect(self) -> QRectF:  # noqa: N802 - Qt's name
        raise ValueError("no box")


class _FaultyModel(QAbstractTableModel):
    def rowCount(self, _parent: QModelIndex | QPersistentModelIndex | None = None) -> int:  # noqa: N802 - Qt's name
        raise ValueError("no rows")

    def data(self, _index: QModelIndex | QPersistentModelIndex, _role: int = 0) -> object:
        raise ValueError("no data")

    def flags(self, _index: QModelIndex | QPersistentModelIndex) -> Qt.ItemFlag:
        raise ValueError("no flags")


class _FaultyDialog(QDialog):
    def done(self, _result: int) -> None:
        raise ValueError("never done")


class _FaultyPaint(QWidget):
    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        painter = QPainter(self)
        painter.save()
        raise ValueError("no picture")


for _cls in (_Faulty, _FaultyItem, _FaultyModel, _FaultyDialog, _FaultyPaint):
    guard_class(_cls)


def test_a_method_that_raises_answers_what_its_qt_class_answers(qtbot: QtBot) -> None:  # noqa: ARG001 - Qt runs
    with capture_exceptions() as caught:
        widget = _Faulty()
        model = _FaultyModel()
        answers = (widget.sizeHint(), widget.eventFilter(widget, QEvent(QEvent.Type.User)), model.flags(QModelIndex()))
        QCoreApplication.sendEvent(widget, QEvent(QEvent.Type.User))
        delete(widget)

    assert answers == (QSize(-1, -1), False, Qt.ItemFlag.NoItemFlags)
    assert {error[0] for error in caught} >= {ValueError, KeyError, SystemExit}


def test_a_method_that_raises_and_is_abstract_answers_an_empty_value(qtbot: QtBot) -> None:  # noqa: ARG001 - Qt runs
    with capture_exceptions():
        model = _FaultyModel()
        answers = (model.rowCount(), model.data(QModelIndex()), _FaultyItem().boundingRect())

    assert answers == (0, None, QRectF())


def test_a_dialog_whose_end_raises_can_be_closed(qtbot: QtBot) -> None:
    dialog = _FaultyDialog()
    qtbot.addWidget(dialog)
    dialog.show()
    with capture_exceptions() as caught:
        qtbot.keyClick(dialog, Qt.Key.Key_Escape)

    assert not dialog.isVisible()
    assert len(caught) == 1


@pytest.mark.qt_log_ignore("Painter ended with", extend=True)
def test_a_paint_that_raises_leaves_no_painter_behind(qtbot: QtBot) -> None:
    widget = _FaultyPaint()
    qtbot.addWidget(widget)
    with capture_exceptions() as caught:
        widget.show()
        qtbot.waitUntil(lambda: bool(caught))
        for _ in range(3):
            widget.repaint()
        widget.grab()

    assert len(caught) >= 3
    assert not widget.paintingActive()


def test_a_guarded_method_can_be_a_slot_of_a_signal_that_carries_more(qtbot: QtBot) -> None:
    class Closing(QLabel):
        closed = 0

        def close(self) -> bool:
            self.closed += 1
            return super().close()

    guard_class(Closing)
    label, button = Closing(), QPushButton()
    qtbot.addWidget(label)
    qtbot.addWidget(button)
    button.clicked.connect(label.close)
    button.click()

    assert label.closed == 1


@pytest.mark.parametrize(
    "text",
    [
        "x:\n  a: ''\n",
        'x:\n  a: ""\n',
        'x:\n  a: "',
        "x:\n  a: '",
        'x:\n  a: "# no"',
        "x:\n  a: ''''\n",
        "x:\n  ? a: ''\n",
        "x:\n  '': ''\n",
        "x:\n  a:  \t\n  b: ''\t#\n",
        "x:\n\ta: ''\n",
        "x:\n  - a: ''\n",
        "x:\n  a: {'': \"\"}\n",
        "x:\n  🎉: ''\n",
    ],
)
def test_an_empty_text_in_quotes_is_coloured_like_any_other(text: str, qtbot: QtBot) -> None:  # noqa: ARG001 - Qt runs
    document = QTextDocument()
    highlighter = YamlHighlighter(document, current(), document)
    document.setPlainText(text)
    for length in range(len(text)):  # as if it were typed
        document.setPlainText(text[:length])

    assert highlighter.document() is document


@pytest.mark.slow
def test_the_app_lives_on_whatever_method_raises(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.planted_faults", str(copy_example("rsi_pullback", tmp_path))],
        cwd=ROOT,
        env=clean_environment(tmp_path / "home", QT_QPA_PLATFORM="offscreen"),
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )

    assert done.returncode == 7, done.stderr[-3000:]
    places, called, raised = map(int, done.stdout.split())
    assert places > 180
    assert called > 60
    assert raised > called
    log = (tmp_path / "home" / "logs" / "desktop.log").read_text(encoding="utf-8")
    assert "ValueError: planted in " in log
    assert (
        f"{2 ** (raised.bit_length() - 1)} times so far" in log
    )  # one way to a fault: written down once, then counted
    assert len(list((tmp_path / "home" / "logs").glob("desktop-*.txt"))) == 1
    assert {line for line in log.splitlines() if "Error: " in line and "ValueError: planted in " not in line} == set()
    assert list((tmp_path / "home" / "recovery").glob("*.swap"))  # the edits are not lost either
