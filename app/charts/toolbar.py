"""The row of buttons above the chart."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QColor, QIcon, QKeyEvent, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QComboBox, QLineEdit, QMenu, QSizePolicy, QToolBar, QToolButton, QWidget

from quantcrafter.app.charts.chart_commands import ChartCommand, ChartCommands
from quantcrafter.app.charts.model.chart_colors import ChartLook
from quantcrafter.app.charts.model.chart_state import DRAWDOWN, EQUITY, EXPOSURE, VOLUME
from quantcrafter.app.charts.model.choice import ChartChoice
from quantcrafter.app.charts.model.dates import parse_date
from quantcrafter.app.charts.model.outputs import ChartOutput, PlotPlace
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme import current
from quantcrafter.app.theme.icons import icon

_ICON = 16
_SWATCH = 14
_LIGHT = 0.55
"""Colours that are lighter get a dark tick."""
_ARROW = " \N{BLACK DOWN-POINTING SMALL TRIANGLE}"


class DateBox(QLineEdit):
    """Where a date is typed to go there."""

    entered = Signal(object)
    """The `datetime` that was typed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setPlaceholderText("YYYY-MM-DD")
        self.setToolTip(tr("Go to a date: a year, a month, a day, or a day and a time"))
        self.setAccessibleName(tr("Go to date"))
        self.setFixedWidth(116)
        self.returnPressed.connect(self._enter)
        self.textEdited.connect(lambda _text: self._mark(wrong=False))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        if event.key() == Qt.Key.Key_Escape:
            self.clear()
            self._mark(wrong=False)
        super().keyPressEvent(event)

    def _enter(self) -> None:
        moment = parse_date(self.text())
        self._mark(wrong=moment is None)
        if moment is not None:
            self.entered.emit(moment)

    def _mark(self, *, wrong: bool) -> None:
        self.setStyleSheet(f"QLineEdit {{ border-color: {current().error}; }}" if wrong else "")


def _swatch(color: str, ratio: float, *, shown: bool) -> QPixmap:
    """Return the box of a line in a menu: filled with its colour and ticked if it is shown, an outline if not.

    A menu draws either an icon or a check mark: this is both.
    """
    picture = QPixmap(round(_SWATCH * ratio), round(_SWATCH * ratio))
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(color), 2))
    painter.setBrush(QColor(color) if shown else Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(QRectF(1, 1, _SWATCH - 2, _SWATCH - 2), 2, 2)
    if shown:
        dark = QColor(color).lightnessF() > _LIGHT
        painter.setPen(QPen(QColor("black" if dark else "white"), 2))
        painter.drawPolyline([QPointF(x * _SWATCH, y * _SWATCH) for x, y in ((0.24, 0.52), (0.43, 0.7), (0.76, 0.3))])
    painter.end()
    return picture


def _head(menu: QMenu, title: str) -> None:
    """Begin a part of a menu under a title; a section of Qt's would be a mere line under a style sheet."""
    if menu.actions():
        menu.addSeparator()
    action = menu.addAction(title)
    action.setEnabled(False)
    font = action.font()
    font.setBold(True)
    action.setFont(font)


class ChartToolbar(QToolBar):
    """The buttons. What they do is asked for by `wanted`, which carries a `ChartCommand`."""

    wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setIconSize(QSize(_ICON, _ICON))
        self.setMovable(False)
        self.setObjectName("chart.toolbar")
        self.instruments = QComboBox()
        self.instruments.setAccessibleName(tr("Instrument"))
        self.instruments.setToolTip(tr("Instrument"))
        self.instruments.activated.connect(lambda index: self._ask(lambda chart: chart.show_instrument(index)))
        self._instrument_action = self.addWidget(self.instruments)
        self.style_button = self._menu_button(tr("Price style"))
        self.styles = self._choices(
            self.style_button,
            lambda name: lambda chart: chart.set_style(name),
            (("candles", tr("Candles")), ("heikin_ashi", tr("Heikin-Ashi")), ("line", tr("Line"))),
        )
        self.output_button = self._menu_button(tr("Nodes to show"))
        self.output_button.setText(tr("Nodes") + _ARROW)
        self.output_button.menu().aboutToShow.connect(self._fill_outputs)
        self._outputs: tuple[ChartChoice, ChartLook] | None = None
        self.panel_button = self._menu_button(tr("Other panels"))
        self.panel_button.setText(tr("Panels") + _ARROW)
        self.panels = self._panel_entries()
        self.addSeparator()
        self.auto = self._toggle(tr("Auto"), tr("Fit the scales to the visible bars"), ChartCommands.set_auto)
        self.log = self._toggle(tr("Log scale"), tr("Logarithmic scale"), ChartCommands.set_log)
        self._button("zoom-in", tr("Zoom in"), ChartCommands.zoom_in)
        self._button("zoom-out", tr("Zoom out"), ChartCommands.zoom_out)
        self._button("zoom-fit", tr("Show all"), ChartCommands.fit)
        self.addSeparator()
        self._button("chevron-left", tr("Previous trade"), ChartCommands.previous_trade)
        self._button("chevron-right", tr("Next trade"), ChartCommands.next_trade)
        self.date = DateBox()
        self.date.entered.connect(lambda moment: self._ask(lambda chart: chart.go_to_date(moment)))
        self.addWidget(self.date)
        spacer = QWidget()
        spacer.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.addWidget(spacer)
        self.export_button = self._menu_button(tr("Save the drawing"))
        self.export_button.setIcon(icon("export"))
        for kind, title in (("png", tr("Save as PNG...")), ("svg", tr("Save as SVG..."))):
            self._add(self.export_button.menu(), title, partial(ChartCommands.export, kind=kind))

    # ------------------------------------------------------------------ what it shows

    def show_instruments(self, symbols: Iterable[str], chosen: int) -> None:
        """List the instruments; with one alone there is nothing to choose."""
        names = list(symbols)
        if names != [self.instruments.itemText(at) for at in range(self.instruments.count())]:
            self.instruments.clear()
            self.instruments.addItems(names)
        self.instruments.setCurrentIndex(chosen)
        self._instrument_action.setVisible(len(names) > 1)

    def show_choices(self, style: str, panels: Iterable[str], *, auto: bool, log: bool) -> None:
        """Mark what is chosen."""
        for name, action in self.styles.items():
            action.setChecked(name == style)
        self.style_button.setText(self.styles[style].text() + _ARROW)
        chosen = set(panels)
        for name, action in self.panels.items():
            action.setChecked(name in chosen)
        self.auto.setChecked(auto)
        self.log.setChecked(log)

    def show_outputs(self, choice: ChartChoice, look: ChartLook) -> None:
        """Have the outputs that can be shown listed once their menu is opened."""
        self._outputs = (choice, look)
        self.output_button.setEnabled(bool(choice.outputs))

    def _fill_outputs(self) -> None:
        """List the outputs, each with its colour, by where they are drawn."""
        menu = self.output_button.menu()
        menu.clear()
        if self._outputs is None:
            return
        choice, look = self._outputs
        titles = {
            PlotPlace.OVERLAY: tr("On the price plot"),
            PlotPlace.PLOT: tr("In separate plots"),
            PlotPlace.STRIP: tr("As strips"),
        }
        for place, title in titles.items():
            outputs = [each for each in choice.outputs if each.place is place]
            if outputs:
                _head(menu, title)
                for output in outputs:
                    self._output(menu, choice, look, output)
        if choice.outputs:
            menu.addSeparator()
            self._add(menu, tr("Reset to the default selection"), ChartCommands.reset_outputs)

    # ------------------------------------------------------------------ making

    def _output(self, menu: QMenu, choice: ChartChoice, look: ChartLook, output: ChartOutput) -> None:
        action = self._add(menu, output.name.replace("&", "&&"), lambda chart: chart.toggle_output(output))
        action.setCheckable(True)
        action.setChecked(choice.is_shown(output.node, output.output))
        ratio = self.devicePixelRatioF()
        action.setIcon(QIcon(_swatch(look.slot(output.slot), ratio, shown=action.isChecked())))
        action.setIconVisibleInMenu(True)

    def _panel_entries(self) -> dict[str, QAction]:
        titles = {
            VOLUME: tr("Volume"),
            EQUITY: tr("Equity and buy-and-hold"),
            DRAWDOWN: tr("Drawdown"),
            EXPOSURE: tr("Exposure"),
        }
        found = {}
        for name, title in titles.items():
            found[name] = self._add(self.panel_button.menu(), title, partial(ChartCommands.toggle_panel, name=name))
            found[name].setCheckable(True)
        return found

    def _choices(
        self, button: QToolButton, command: Callable[[str], ChartCommand], entries: Iterable[tuple[str, str]]
    ) -> dict[str, QAction]:
        found = {}
        for name, title in entries:
            found[name] = self._add(button.menu(), title, command(name))
            found[name].setCheckable(True)
        return found

    def _menu_button(self, tip: str) -> QToolButton:
        button = QToolButton()
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.setMenu(QMenu(button))
        self.addWidget(button)
        return button

    def _toggle(self, text: str, tip: str, switch: Callable[[ChartCommands, bool], object]) -> QAction:
        action = self.addAction(text)
        action.setCheckable(True)
        action.setToolTip(tip)
        action.triggered.connect(lambda checked: self._ask(lambda chart: switch(chart, checked)))
        return action

    def _button(self, picture: str, tip: str, command: ChartCommand) -> None:
        action = self.addAction(icon(picture), tip)
        action.triggered.connect(lambda _checked=False: self._ask(command))

    def _add(self, menu: QMenu, title: str, command: ChartCommand) -> QAction:
        action = menu.addAction(title)
        action.triggered.connect(lambda _checked=False: self._ask(command))
        return action

    def _ask(self, command: ChartCommand) -> None:
        self.wanted.emit(command)
