"""Monthly returns as a table of heat: a row a year, a column a month, and the year's own."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QEvent, QLocale, QRect, QSize, Qt
from PySide6.QtGui import QColor, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QToolTip, QWidget

from quantcrafter.app.services.i18n import language, tr
from quantcrafter.app.theme import changed as theme_changed
from quantcrafter.app.theme import current
from quantcrafter.app.theme.colors import mix

_FULL_PCT, _FULL_YEAR_PCT, _FULL_HEAT = 10.0, 40.0, 0.55
_LEFT, _ROW, _LEAST, _PAD = 52, 24, 46, 8
_MONTHS = 12


class MonthsPage(QScrollArea):
    """Shows percent by year and month."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.table = _Months()
        self.setWidget(self.table)

    def show_months(self, years: Mapping[int, Mapping[int, float]]) -> None:
        """Show other returns; month 0 is the whole year."""
        self.table.show_years(years)


class _Months(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.years: list[tuple[int, Mapping[int, float]]] = []
        theme_changed.connect(self.update)

    def show_years(self, years: Mapping[int, Mapping[int, float]]) -> None:
        self.years = sorted(years.items(), reverse=True)
        self.setAccessibleName(tr("Monthly returns, %"))
        self.setMinimumSize(self.sizeHint())
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's
        return QSize(_LEFT + (_MONTHS + 1) * _LEAST + 2 * _PAD, (len(self.years) + 1) * _ROW + 2 * _PAD)

    def cell(self, row: int, month: int) -> QRect:
        """Return the place of a month of the row-th year; month 0 is the year, which stands last."""
        width = min((self.width() - _LEFT - 2 * _PAD) // (_MONTHS + 1), 2 * _LEAST)
        column = (month - 1) if month else _MONTHS
        return QRect(_PAD + _LEFT + column * width, _PAD + (row + 1) * _ROW, width, _ROW)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's
        del event
        theme = current()
        painter = QPainter(self)
        if not self.years:
            painter.setPen(QColor(theme.text_dim))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, tr("There are no monthly returns."))
            return
        locale = QLocale(language())
        painter.setPen(QColor(theme.text_dim))
        corner = QRect(_PAD, _PAD, _LEFT, _ROW)
        painter.drawText(corner, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, "%")
        for month in range(_MONTHS + 1):
            head = locale.standaloneMonthName(month, QLocale.FormatType.ShortFormat) if month else tr("Year")
            painter.drawText(self.cell(-1, month), Qt.AlignmentFlag.AlignCenter, head)
        for row, (year, months) in enumerate(self.years):
            painter.setPen(QColor(theme.text_dim))
            place = QRect(_PAD, _PAD + (row + 1) * _ROW, _LEFT, _ROW)
            painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, str(year))
            for month in range(_MONTHS + 1):
                value = months.get(month)
                if value is not None:
                    cell = self.cell(row, month).adjusted(1, 1, -1, -1)
                    full = _FULL_PCT if month else _FULL_YEAR_PCT
                    heat = min(abs(value) / full, 1.0) * _FULL_HEAT
                    painter.fillRect(cell, QColor(mix(theme.done if value > 0 else theme.error, theme.panel, heat)))
                    painter.setPen(QColor(theme.text))
                    painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, f"{round(value, 1) + 0.0:,.1f}")
        painter.end()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            for row, (year, months) in enumerate(self.years):
                for month, value in months.items():
                    if self.cell(row, month).contains(event.pos()):
                        when = f"{year}-{month:02}" if month else str(year)
                        QToolTip.showText(event.globalPos(), f"{when}: {value:+,.2f} %", self)
                        return True
            QToolTip.hideText()
            return True
        return super().event(event)
