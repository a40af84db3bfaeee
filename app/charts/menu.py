"""The context menu of the chart."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from quantcrafter.app.charts.chart_commands import ChartCommand, ChartCommands
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.theme.icons import icon

if TYPE_CHECKING:
    from quantcrafter.app.charts.pane import ChartPane


def _roll_switch(pane: ChartPane) -> tuple[tuple[str, str, Callable[[bool], object], bool], ...]:
    """Return the switch for rolls of futures, where the instrument has any."""
    if pane.state is None or not pane.state.model.rolls.all:
        return ()
    shown = pane.settings.chart_rolls
    return ((tr("Futures rolls"), "toggle_rolls", lambda _checked: pane.commands.toggle_rolls(), shown),)


def chart_menu(pane: ChartPane) -> QMenu:
    """Return the menu for the chart as it is now."""
    state, settings = pane.state, pane.settings
    menu = QMenu(pane)
    menu.setAccessibleName(tr("Available actions"))
    entries: tuple[tuple[str, str, str, ChartCommand], ...] = (
        (tr("Show all"), "zoom-fit", "fit", ChartCommands.fit),
        (tr("Zoom to the trade"), "", "zoom_to_trade", ChartCommands.zoom_to_trade),
        (tr("Go to a date..."), "", "ask_date", ChartCommands.ask_date),
        (tr("Copy image"), "copy", "copy", ChartCommands.copy),
        (tr("Save as PNG..."), "export", "export", lambda chart: chart.export("png")),
        (tr("Save as SVG..."), "export", "export", lambda chart: chart.export("svg")),
    )
    for title, picture, name, command in entries:
        action = menu.addAction(title)
        action.setObjectName(name)
        if picture:
            action.setIcon(icon(picture))
        action.setEnabled(name != "zoom_to_trade" or (state is not None and state.trade is not None))
        action.triggered.connect(lambda _checked=False, command=command: pane.commands.do(command))
    menu.insertSeparator(menu.actions()[3])
    why = QAction(tr("Why at this bar?"), menu)
    why.setObjectName("why")
    why.setEnabled(pane.session is not None and pane.session.bar is not None)
    why.triggered.connect(pane.why_asked)
    menu.insertAction(menu.actions()[0], why)
    menu.insertSeparator(menu.actions()[1])
    menu.addSeparator()
    switches = (
        (tr("Auto"), "set_auto", pane.commands.set_auto, state is None or not state.scales),
        (tr("Log scale"), "set_log", pane.commands.set_log, settings.chart_log),
        *_roll_switch(pane),
    )
    for title, name, switch, is_on in switches:
        action = menu.addAction(title)
        action.setObjectName(name)
        action.setCheckable(True)
        action.setChecked(is_on)
        action.triggered.connect(lambda checked, switch=switch: switch(checked))
    return menu
