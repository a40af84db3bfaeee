"""The Chart menu."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.actions.spec import ActionSpec
from app.services.i18n import tr

if TYPE_CHECKING:
    from app.window.main_window import MainWindow


def chart_actions() -> tuple[ActionSpec, ...]:
    """Return what shows a run on the chart, and moves about in it."""
    return (
        ActionSpec(
            "chart.show_node",
            tr("Show on chart"),
            "chart",
            _toggle_nodes,
            "Ctrl+Alt+V",
            icon="eye",
            enabled=_has_shown_selection,
            checked=_is_node_shown,
        ),
        *_moving_actions(),
        *_style_actions(),
        *_color_actions(),
        *_panel_actions(),
        _action("chart.log", tr("Log scale"), "set_log", checked="chart_log"),
        ActionSpec(
            "chart.save_png",
            tr("Save the chart as PNG..."),
            "chart",
            _command("export", "png"),
            enabled=has_run,
            separated=True,
        ),
        ActionSpec(
            "chart.save_svg", tr("Save the chart as SVG..."), "chart", _command("export", "svg"), enabled=has_run
        ),
    )


def has_run(window: MainWindow) -> bool:
    """Return whether the strategy in front was run."""
    return window.has_panes() and window.tab is not None and window.tab.session.run is not None


def _moving_actions() -> tuple[ActionSpec, ...]:
    entries = (
        ("fit", tr("Show everything on the chart"), "fit", "Ctrl+Alt+0", "zoom-fit"),
        ("trade", tr("Zoom to the trade"), "zoom_to_trade", "Ctrl+Alt+T", ""),
        ("date", tr("Go to a date..."), "ask_date", "Ctrl+Alt+G", ""),
        ("previous_trade", tr("Previous trade"), "previous_trade", "Ctrl+Alt+Left", "chevron-left"),
        ("next_trade", tr("Next trade"), "next_trade", "Ctrl+Alt+Right", "chevron-right"),
    )
    return tuple(
        ActionSpec(
            f"chart.{name}",
            title,
            "chart",
            _command(command),
            keys,
            icon=picture,
            enabled=has_run,
            separated=name == "fit",
        )
        for name, title, command, keys, picture in entries
    )


def _style_actions() -> tuple[ActionSpec, ...]:
    styles = (("candles", tr("Candles")), ("heikin_ashi", tr("Heikin-Ashi")), ("line", tr("Line")))
    return tuple(
        ActionSpec(
            f"chart.style_{style}",
            title,
            "chart/style",
            _command("set_style", style),
            enabled=has_run,
            checked=_setting_is("chart_style", style),
        )
        for style, title in styles
    )


def _color_actions() -> tuple[ActionSpec, ...]:
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
            _command("set_colors", pair),
            enabled=has_run,
            checked=_setting_is("chart_colors", pair),
        )
        for pair, title in pairs
    )


def _panel_actions() -> tuple[ActionSpec, ...]:
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
            _command("toggle_panel", panel),
            enabled=has_run,
            checked=_is_panel_shown(panel),
        )
        for panel, title in panels
    )


def _action(action_id: str, title: str, command: str, *, checked: str) -> ActionSpec:
    """Return an action that switches a setting of the chart."""
    return ActionSpec(
        action_id,
        title,
        "chart",
        lambda window: _command(command, not getattr(window.settings, checked))(window),
        enabled=has_run,
        checked=lambda window: bool(getattr(window.settings, checked)),
        separated=True,
    )


def _command(name: str, argument: object = None) -> Callable[[MainWindow], None]:
    """Return what brings the chart to the front and runs a command of it."""

    def call(window: MainWindow) -> None:
        window.docks.show("chart")
        window.docks.chart.commands.do(name, argument)

    return call


def _setting_is(name: str, value: str) -> Callable[[MainWindow], bool]:
    return lambda window: bool(getattr(window.settings, name) == value)


def _is_panel_shown(panel: str) -> Callable[[MainWindow], bool]:
    return lambda window: panel in window.settings.chart_panels


def _paths(window: MainWindow) -> tuple[str, ...]:
    """Return the selected nodes as a run knows them: inside a block by the block's name and theirs."""
    from app.canvas.run.level import prefix_of

    prefix = prefix_of(window.tab.document, window.scope) if window.tab is not None else None
    return () if prefix is None else tuple(f"{prefix}{node}" for node in window.selection)


def _toggle_nodes(window: MainWindow) -> None:
    window.docks.show("chart")
    for node in _paths(window):
        window.docks.chart.commands.toggle_node(node)


def _has_shown_selection(window: MainWindow) -> bool:
    return bool(window.selection) and has_run(window)


def _is_node_shown(window: MainWindow) -> bool:
    if not _has_shown_selection(window):
        return False
    choice = window.docks.chart_choice
    return choice is not None and all(choice.is_shown(node) for node in _paths(window))
