"""PeriodRow: from when until when a strategy runs, within what the data have."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from PySide6.QtCore import QDate, QSignalBlocker, Signal
from PySide6.QtWidgets import QCheckBox, QDateEdit, QHBoxLayout, QLabel, QWidget

from quantcrafter.app.document.edits import UNSET
from quantcrafter.app.services.i18n import tr

_NS = 1_000_000_000


class PeriodRow(QWidget):
    """Two optional days. The Qt signal `changed` is emitted when one of them changes.

    Args:
        run: the `run` section as written; its `start` and `end` are shown.
    """

    changed = Signal()

    def __init__(self, run: Mapping[str, Any], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._touched: set[str] = set()
        self._days = {name: as_day(run.get(name)) for name in ("start", "end")}
        self._limits: tuple[date, date] | None = None
        self.boxes = {"start": QCheckBox(tr("From"), self), "end": QCheckBox(tr("Before"), self)}
        self.edits = {name: QDateEdit(self) for name in self.boxes}
        self.about = QLabel(tr("Period of the run"), self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.about)
        row.addStretch(1)
        for name, box in self.boxes.items():
            edit = self.edits[name]
            edit.setCalendarPopup(True)
            edit.setDisplayFormat("yyyy-MM-dd")
            edit.setAccessibleName(box.text())
            row.addWidget(box)
            row.addWidget(edit)
            box.toggled.connect(lambda on, name=name: self._toggled(name, on=on))
            edit.dateChanged.connect(lambda _day, name=name: self._picked(name))
        self.boxes["start"].setToolTip(tr("Only bars that open on this day (UTC) or later."))
        self.boxes["end"].setToolTip(tr("Only bars that open before this day (UTC)."))
        self._show()

    @property
    def span_ns(self) -> tuple[int | None, int | None]:
        """The period in UTC ns, None where it is open."""
        start, end = (self._days[name] for name in ("start", "end"))
        return (None if start is None else _ns(start), None if end is None else _ns(end))

    def changes(self) -> dict[str, Any]:
        """Return what the user changed of `start` and `end`; UNSET for what is open now."""
        return {
            name: UNSET if (day := self._days[name]) is None else day.isoformat()
            for name in ("start", "end")
            if name in self._touched
        }

    def show_limits(self, first_ns: int, last_ns: int) -> None:
        """Offer the days that the data have."""
        self._limits = (day_of(first_ns), day_of(last_ns) + timedelta(days=1))
        self._show()

    def _show(self) -> None:
        for name, box in self.boxes.items():
            edit, day = self.edits[name], self._days[name]
            with QSignalBlocker(box), QSignalBlocker(edit):
                box.setChecked(day is not None)
                edit.setEnabled(day is not None)
                if self._limits is not None:
                    low, high = self._limits
                    low, high = (min(low, day), max(high, day)) if day is not None else (low, high)
                    edit.setDateRange(_qdate(low), _qdate(high))
                    day = day or (self._limits[0] if name == "start" else self._limits[1])
                if day is not None:
                    edit.setDate(_qdate(day))
        self._keep_apart()

    def _keep_apart(self) -> None:
        """Let the period end after its beginning."""
        start, end = self._days["start"], self._days["end"]
        low, high = self._limits or (date(1900, 1, 1), date(2199, 12, 31))
        with QSignalBlocker(self.edits["start"]), QSignalBlocker(self.edits["end"]):
            self.edits["end"].setMinimumDate(_qdate(max(low, start + timedelta(days=1)) if start else low))
            self.edits["start"].setMaximumDate(_qdate(min(high, end - timedelta(days=1)) if end else high))

    def _toggled(self, name: str, *, on: bool) -> None:
        self._touched.add(name)
        self._days[name] = _day(self.edits[name].date()) if on else None
        self.edits[name].setEnabled(on)
        self._keep_apart()
        self.changed.emit()

    def _picked(self, name: str) -> None:
        if self.boxes[name].isChecked():
            self._touched.add(name)
            self._days[name] = _day(self.edits[name].date())
            self._keep_apart()
            self.changed.emit()


def as_day(value: object) -> date | None:
    """Return the day of a value that a file has for a date or time; None for none, or one that is not a date."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value).date()
        except ValueError:
            return None
    return None


def day_of(ts_ns: int) -> date:
    """Return the day of a moment in UTC."""
    return datetime.fromtimestamp(ts_ns // _NS, UTC).date()


def _ns(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * _NS


def _qdate(day: date) -> QDate:
    return QDate(day.year, day.month, day.day)


def _day(day: QDate) -> date:
    return date(day.year(), day.month(), day.day())
