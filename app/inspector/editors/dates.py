"""The editor of dates: typed, or picked from a calendar that knows how far the data reach."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from PySide6.QtCore import QDate, QPoint, QSize, Qt
from PySide6.QtGui import QColor, QTextCharFormat
from PySide6.QtWidgets import QCalendarWidget, QFrame, QLabel, QToolButton, QVBoxLayout, QWidget
from shiboken6 import isValid

from quantcrafter.app.inspector.editors.texts import LineEditor
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme import current
from quantcrafter.app.theme.icons import icon

_LEAST = QSize(270, 215)

AskLimits = Callable[[Callable[[date, date], None]], None]
"""Takes a function that is called, then or later, with the first and the last day that there are data of."""


class DateEditor(LineEditor):
    """A line for a date, with a button that opens a calendar.

    Args:
        hint: what stands in the empty line.
        limits: asks for the days that can be chosen; None where any can.
        parent: the row.
    """

    def __init__(self, hint: str, limits: AskLimits | None = None, parent: QWidget | None = None) -> None:
        super().__init__(hint, parent)
        self._limits = limits
        self.calendar: CalendarPopup | None = None
        self.pick = QToolButton(self)
        self.pick.setIcon(icon("calendar"))
        self.pick.setAutoRaise(True)
        self.pick.setFixedSize(QSize(24, 24))
        self.pick.setToolTip(tr("Select a day"))
        self.pick.setAccessibleName(tr("Select a day"))
        self.pick.clicked.connect(self._open)
        self.box.addWidget(self.pick)

    def _open(self) -> None:
        popup = self.calendar = CalendarPopup(self)
        shown = QDate.fromString(self.line.text()[:10], Qt.DateFormat.ISODate)
        if shown.isValid():
            popup.days.setSelectedDate(shown)
        popup.days.clicked.connect(self._take)
        popup.days.activated.connect(self._take)
        popup.show_below(self)
        if self._limits is not None:
            self._limits(popup.limit)

    def _take(self, day: QDate) -> None:
        if self.calendar is not None:
            self.calendar.close()
        self.line.setText(day.toString(Qt.DateFormat.ISODate))
        self.finish()


def _dress(days: QCalendarWidget) -> None:
    """Give a calendar the theme's arrows, and weekends the colour of other days: markets tell their own."""
    for name, sign in (("qt_calendar_prevmonth", "chevron-left"), ("qt_calendar_nextmonth", "chevron-right")):
        button = days.findChild(QToolButton, name)
        if button is not None:
            button.setIcon(icon(sign))
    plain = QTextCharFormat()
    plain.setForeground(QColor(current().text))
    for day in (Qt.DayOfWeek.Saturday, Qt.DayOfWeek.Sunday):
        days.setWeekdayTextFormat(day, plain)
    head = QTextCharFormat()
    head.setForeground(QColor(current().text_dim))
    days.setHeaderTextFormat(head)


class CalendarPopup(QFrame):
    """A calendar over the form, which goes away when something else is clicked."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.days = QCalendarWidget(self)
        self.days.setVerticalHeaderFormat(QCalendarWidget.VerticalHeaderFormat.NoVerticalHeader)
        self.days.setGridVisible(False)
        self.days.setMinimumSize(_LEAST)
        _dress(self.days)
        self.about = QLabel(self)
        self.about.setContentsMargins(6, 2, 6, 4)
        self.about.setForegroundRole(self.about.palette().ColorRole.PlaceholderText)
        self.about.hide()
        box = QVBoxLayout(self)
        box.setContentsMargins(2, 2, 2, 2)
        box.addWidget(self.days)
        box.addWidget(self.about)

    def show_below(self, widget: QWidget) -> None:
        """Show it below a widget, or above where the screen ends, and never beyond the screen's edge."""
        self.adjustSize()
        place = widget.mapToGlobal(QPoint(0, widget.height()))
        edges = widget.screen().availableGeometry()
        if place.y() + self.height() > edges.bottom():
            place = widget.mapToGlobal(QPoint(0, -self.height()))
        self.move(max(edges.left(), min(place.x(), edges.right() - self.width())), max(edges.top(), place.y()))
        self.show()

    def limit(self, first: date, last: date) -> None:
        """Offer the days from the first to the one after the last, where a period that takes all ends."""
        if not isValid(self):  # closed before the answer came
            return
        after = QDate(last.year, last.month, last.day).addDays(1)
        chosen = self.days.selectedDate()
        self.days.setDateRange(QDate(first.year, first.month, first.day), after)
        if chosen > after:
            self.days.setSelectedDate(after)
        self.about.setText(tr("Data available: {first} to {last}.", first=first, last=last))
        self.about.show()
        self.adjustSize()
