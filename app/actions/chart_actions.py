"""The Chart menu."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from quantcrafter.app.actions.conditions import has_run
from quantcrafter.app.actions.spec import ActionCall, ActionSpec
from quantcrafter.app.actions.targets import Targets
from quantcrafter.app.services.i18n import tr

if TYPE_CHECKING:
    from quantcrafter.app.actions.front import Front
    from quantcrafter.app.charts.chart_commands import ChartCommand, ChartCommands


def chart_actions(to: Targets) -> tuple[ActionSpec, ...]:
    """Return the actions that show a run on the chart and navigate in it."""
    return (
        ActionSpec(
            "chart.show_node",
            tr("Show on chart"),
            "chart",
            ActionCall(to.navigation, lambda navigation: navigation.toggle_on_chart()),
            "Ctrl+Alt+V",
            icon="eye",
            enabled=_has_shown_selection,
            checked=_is_node_shown,
        ),
        *_moving_actions(to),
        *_style_actions(to),
        *_color_actions(to),
        *_panel_actions(to),
        ActionSpec(
            "chart.log",
            tr("Log scale"),
            "chart",
            _command(to, lambda chart: chart.toggle_log()),
            enabled=has_run,
            checked=lambda front: front.settings.chart_log,
            separated=True,
        ),
        ActionSpec(
            "chart.rolls",
            tr("Futures rolls"),
            "chart",
            _command(to, lambda chart: chart.toggle_rolls()),
            enabled=has_run,
            checked=lambda front: front.settings.chart_rolls,
        ),
        ActionSpec(
            "chart.save_png",
            tr("Save the chart as PNG..."),
            "chart",
            _command(to, lambda chart: chart.export("png")),
            enabled=has_run,
            separated=True,
        ),
        ActionSpec(
            "chart.save_svg",
            tr("Save the chart as SVG..."),
            "chart",
            _command(to, lambda chart: chart.export("svg")),
            enabled=has_run,
        ),
    )


def _moving_actions(to: Targets) -> tuple[ActionSpec, ...]:
    entries: tuple[tuple[str, str, ChartCommand, str, str], ...] = (
        ("fit", tr("Show everything on the chart"), lambda chart: chart.fit(), "Ctrl+Alt+0", "zoom-fit"),
        ("trade", tr("Zoom to the trade"), lambda chart: chart.zoom_to_trade(), "Ctrl+Alt+T", ""),
        ("date", tr("Go to a date..."), lambda chart: chart.ask_date(), "Ctrl+Alt+G", ""),
        ("previous_trade", tr("Previous trade"), lambda chart: chart.previous_trade(), "Ctrl+Alt+Left", "chevron-left"),
        ("next_trade", tr("Next trade"), lambda chart: chart.next_trade(), "Ctrl+Alt+Right", "chevron-right"),
    )
    return tuple(
        ActionSpec(
            f"chart.{name}",
            title,
            "chart",
            _command(to, command),
            keys,
            icon=picture,
            enabled=has_run,
            separated=name == "fit",
        )
        for name, title, command, keys, picture in entries
    )


def _style_actions(to: Targets) -> tuple[ActionSpec, ...]:
    styles = (("candles", tr("Candles")), ("heikin_ashi", tr("Heikin-Ashi")), ("line", tr("Line")))
    return tuple(
        ActionSpec(
            f"chart.style_{style}",
            title,
            "chart/style",
            _command(to, partial(_set_style, style)),
            enabled=has_run,
            checked=partial(_has_style, style),
        )
        for style, title in styles
    )


def _color_actions(to: Targets) -> tuple[ActionSpec, ...]:
    pairs = (
        ("green_red", tr("Green rises, red falls")),
        ("red_green", tr("Red rises, green falls")),
        ("blue_orange", tr("Blue rises, orange falls")),
    )
    return tuple(
        ActionSpec(
            f"chart.colors_{pair}",
            title,
            "chart/colors",
            _command(to, partial(_set_colors, pair)),
            enabled=has_run,
            checked=partial(_has_colors, pair),
        )
        for pair, title in pairs
    )


def _panel_actions(to: Targets) -> tuple[ActionSpec, ...]:
    panels = (
        ("volume", tr("Volume")),
        ("equity", tr("Equity and buy-and-hold")),
        ("drawdown", tr("Drawdown")),
        ("exposure", tr("Exposure")),
    )
    return tuple(
        ActionSpec(
            f"chart.panel_{panel}",
            title,
            "chart/panels",
            _command(to, partial(_toggle_panel, panel)),
            enabled=has_run,
            checked=partial(_has_panel, panel),
        )
        for panel, title in panels
    )


def _command(to: Targets, command: ChartCommand) -> ActionCall[ChartCommands]:
    """Return the call of something that the chart can do; our errors are shown over the chart."""
    return ActionCall(to.chart, lambda chart: chart.do(command))


def _set_style(style: str, chart: ChartCommands) -> None:
    chart.set_style(style)


def _has_style(style: str, front: Front) -> bool:
    return front.settings.chart_style == style


def _set_colors(colors: str, chart: ChartCommands) -> None:
    chart.set_colors(colors)


def _has_colors(colors: str, front: Front) -> bool:
    return front.settings.chart_colors == colors


def _toggle_panel(panel: str, chart: ChartCommands) -> None:
    chart.toggle_panel(panel)


def _has_panel(panel: str, front: Front) -> bool:
    return panel in front.settings.chart_panels


def _has_shown_selection(front: Front) -> bool:
    return bool(front.selection) and has_run(front)


def _is_node_shown(front: Front) -> bool:
    choice = front.chart_choice
    if choice is None or front.canvas is None or not _has_shown_selection(front):
        return False
    from quantcrafter.app.canvas.run.run_names import (
        names_in_run,  # with the first run: it would delay the first paint
    )

    names = names_in_run(front.canvas.document, front.canvas.scope, front.selection)
    return all(choice.is_shown(name) for name in names)
