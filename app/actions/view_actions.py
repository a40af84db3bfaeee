"""The View menu."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from quantcrafter.app.actions.conditions import has_selection, has_tab, is_pane_shown
from quantcrafter.app.actions.spec import ActionCall, ActionSpec, CanvasCall
from quantcrafter.app.actions.targets import LookCommands, PaneCommands, Targets
from quantcrafter.app.services.i18n import LANGUAGES, tr

if TYPE_CHECKING:
    from quantcrafter.app.actions.front import Front


def view_actions(to: Targets) -> tuple[ActionSpec, ...]:
    """Return the actions that change the display, but not the strategy."""
    return (
        ActionSpec(
            "view.command_palette",
            tr("Find an action..."),
            "view",
            ActionCall(to.window, lambda window: window.show_command_palette()),
            "Ctrl+Shift+P",
            icon="search",
            listed=False,
        ),
        *_zoom_actions(to),
        *_pane_actions(to),
        *_yaml_actions(to),
        *_theme_actions(to),
        *_language_actions(to),
        ActionSpec(
            "view.minimap",
            tr("Minimap"),
            "view",
            ActionCall(to.looks, lambda looks: looks.toggle_minimap()),
            "Ctrl+Alt+M",
            checked=lambda front: front.settings.minimap,
            separated=True,
        ),
        ActionSpec(
            "view.full_screen",
            tr("Full screen"),
            "view",
            ActionCall(to.looks, lambda looks: looks.toggle_full_screen()),
            "F11",
            checked=lambda front: front.is_full_screen,
        ),
        ActionSpec(
            "view.next_tab",
            tr("Next strategy"),
            "view",
            ActionCall(to.tabs, lambda tabs: tabs.step(1)),
            "Ctrl+PgDown",
            ("Ctrl+Tab",),
        ),
        ActionSpec(
            "view.previous_tab",
            tr("Previous strategy"),
            "view",
            ActionCall(to.tabs, lambda tabs: tabs.step(-1)),
            "Ctrl+PgUp",
            ("Ctrl+Shift+Tab",),
        ),
        ActionSpec(
            "view.reset_layout",
            tr("Reset the layout"),
            "view",
            ActionCall(to.looks, lambda looks: looks.reset_layout()),
        ),
    )


def _zoom_actions(to: Targets) -> tuple[ActionSpec, ...]:
    return (
        ActionSpec(
            "view.zoom_in",
            tr("Zoom in"),
            "view",
            CanvasCall(to.canvas, lambda canvas: canvas.zoom_in()),
            "Ctrl++",
            ("Ctrl+=",),
            icon="zoom-in",
            enabled=has_tab,
            separated=True,
        ),
        ActionSpec(
            "view.zoom_out",
            tr("Zoom out"),
            "view",
            CanvasCall(to.canvas, lambda canvas: canvas.zoom_out()),
            "Ctrl+-",
            icon="zoom-out",
            enabled=has_tab,
        ),
        ActionSpec(
            "view.zoom_reset",
            tr("Actual size"),
            "view",
            CanvasCall(to.canvas, lambda canvas: canvas.zoom_reset()),
            "Ctrl+0",
            enabled=has_tab,
        ),
        ActionSpec(
            "view.fit_all",
            tr("Zoom to the whole graph"),
            "view",
            CanvasCall(to.canvas, lambda canvas: canvas.fit_all()),
            "Ctrl+1",
            canvas_keys=("Home",),
            icon="zoom-fit",
            enabled=has_tab,
        ),
        ActionSpec(
            "view.fit_selection",
            tr("Zoom to the selection"),
            "view",
            CanvasCall(to.canvas, lambda canvas: canvas.fit_selection()),
            "Ctrl+2",
            enabled=has_selection,
        ),
    )


def _pane_actions(to: Targets) -> tuple[ActionSpec, ...]:
    panes = (
        ("palette", tr("Components"), "Alt+1"),
        ("inspector", tr("Inspector"), "Alt+2"),
        ("outline", tr("Outline"), "Alt+3"),
        ("help", tr("Node help"), "Alt+4"),
        ("problems", tr("Problems"), "Alt+5"),
        ("chart", tr("Chart"), "Ctrl+Alt+C"),
        ("results", tr("Results"), "Ctrl+Alt+R"),
        ("why", tr("Why"), "Alt+9"),
        ("history", tr("History"), "Ctrl+H"),
        ("parity", tr("Engines"), ""),
        ("log", tr("Log"), "Alt+0"),
    )
    return (
        *(
            ActionSpec(
                f"view.{name}",
                title,
                "view/panes",
                ActionCall(to.panes, partial(_toggle, name)),
                keys,
                enabled=has_tab,
                checked=is_pane_shown(name),
            )
            for name, title, keys in panes
        ),
        *_walk_actions(to),
    )


def _walk_actions(to: Targets) -> tuple[ActionSpec, ...]:
    return (
        ActionSpec(
            "view.next_pane",
            tr("Go to the next pane"),
            "view/panes",
            ActionCall(to.panes, lambda panes: panes.step(1)),
            "F6",
            enabled=has_tab,
            separated=True,
        ),
        ActionSpec(
            "view.previous_pane",
            tr("Go to the previous pane"),
            "view/panes",
            ActionCall(to.panes, lambda panes: panes.step(-1)),
            "Shift+F6",
            enabled=has_tab,
        ),
    )


def _yaml_actions(to: Targets) -> tuple[ActionSpec, ...]:
    places = (
        ("below", tr("YAML below the canvas"), "Alt+6"),
        ("beside", tr("YAML beside the canvas"), "Alt+7"),
        ("hidden", tr("Canvas only"), "Alt+8"),
    )
    return tuple(
        ActionSpec(
            f"view.yaml_{place}",
            title,
            "view/panes",
            ActionCall(to.looks, partial(_place_yaml, place)),
            keys,
            checked=partial(_has_yaml_place, place),
            separated=place == "below",
        )
        for place, title, keys in places
    )


def _theme_actions(to: Targets) -> tuple[ActionSpec, ...]:
    themes = (("system", tr("Use the system setting")), ("light", tr("Light")), ("dark", tr("Dark")))
    return tuple(
        ActionSpec(
            f"view.theme_{name}",
            title,
            "view/theme",
            ActionCall(to.looks, partial(_use_theme, name)),
            checked=partial(_has_theme, name),
        )
        for name, title in themes
    )


def _language_actions(to: Targets) -> tuple[ActionSpec, ...]:
    system = ActionSpec(
        "view.language_system",
        tr("Use the system setting"),
        "view/language",
        ActionCall(to.looks, partial(_use_language, "")),
        checked=partial(_has_language, ""),
    )
    return (
        system,
        *(
            ActionSpec(
                f"view.language_{code}",
                name,
                "view/language",
                ActionCall(to.looks, partial(_use_language, code)),
                checked=partial(_has_language, code),
            )
            for code, name in LANGUAGES.items()
        ),
    )


def _toggle(pane: str, panes: PaneCommands) -> None:
    panes.toggle(pane)


def _place_yaml(place: str, looks: LookCommands) -> None:
    looks.set_yaml_place(place)


def _has_yaml_place(place: str, front: Front) -> bool:
    return front.settings.yaml_place == place


def _use_theme(theme: str, looks: LookCommands) -> None:
    looks.set_theme(theme)


def _has_theme(theme: str, front: Front) -> bool:
    return front.settings.theme == theme


def _use_language(language: str, looks: LookCommands) -> None:
    looks.set_language(language)


def _has_language(language: str, front: Front) -> bool:
    return front.settings.language == language
