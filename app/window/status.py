"""The status bar: what just happened, how many problems there are, what is selected, and the zoom."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QStatusBar, QToolButton, QWidget

from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme.icons import icon
from quantcrafter.app.window.run_status import RunStatus
from quantcrafter.engine.api import Problem, Severity

MESSAGE_MS = 8_000


class StatusLine(QStatusBar):
    """The window's status bar. The problems and the zoom can be clicked."""

    problems_clicked = Signal()
    zoom_clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.problems = QToolButton()
        self.problems.setAutoRaise(True)
        self.problems.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.problems.setToolTip(tr("Show the problems"))
        self.problems.clicked.connect(self.problems_clicked)
        self.selection = QLabel()
        self.zoom = QToolButton()
        self.zoom.setAutoRaise(True)
        self.zoom.setToolTip(tr("Zoom to the whole graph"))
        self.zoom.clicked.connect(self.zoom_clicked)
        self.run = RunStatus()
        for widget in (self.run, self.selection, self.zoom, self.problems):
            self.addPermanentWidget(widget)
        self.clear_document()

    def say(self, message: str) -> None:
        """Show a message for some seconds."""
        self.showMessage(message, MESSAGE_MS)

    def show_problems(self, problems: Sequence[Problem]) -> None:
        """Show how many errors and warnings there are."""
        self.problems.setIcon(icon(_icon_of(problems)))
        self.problems.setText(problem_counts(problems) or tr("No problems"))
        self.problems.show()

    def show_selection(self, ids: Sequence[str], total: int) -> None:
        """Show what is selected, or how many nodes there are."""
        if len(ids) == 1:
            self.selection.setText(tr("Selected: {name}", name=ids[0]))
        elif ids:
            self.selection.setText(tr("Selected: {count} of {total}", count=len(ids), total=total))
        else:
            self.selection.setText(tr("Nodes: {total}", total=total))

    def show_zoom(self, factor: float) -> None:
        """Show the canvas' zoom, 1.0 being actual size."""
        self.zoom.setText("888 %")
        self.zoom.setMinimumWidth(self.zoom.sizeHint().width())  # what stands next to it stays in place
        self.zoom.setText(f"{factor * 100:.0f} %")
        self.zoom.show()

    def clear_document(self) -> None:
        """Show that no strategy is open."""
        self.run.show_nothing()
        self.selection.clear()
        self.problems.hide()
        self.zoom.hide()


def problem_counts(problems: Sequence[Problem]) -> str:
    """Return how many errors and warnings there are, as text; "" for none."""
    errors = sum(problem.severity is Severity.ERROR for problem in problems)
    warnings = len(problems) - errors
    parts = [
        tr("Errors: {count}", count=errors) if errors else "",
        tr("Warnings: {count}", count=warnings) if warnings else "",
    ]
    return "   ".join(filter(None, parts))


def _icon_of(problems: Sequence[Problem]) -> str:
    if any(problem.severity is Severity.ERROR for problem in problems):
        return "error"
    return "warning" if problems else "done"
