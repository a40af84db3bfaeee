"""The View menu."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.actions.conditions import has_selection, has_tab
from app.actions.spec import ActionSpec, on_canvas
from app.services.i18n import LANGUAGES, tr

if TYPE_CHECKING:
    from app.window.main_window import MainWindow


def view_actions() -> tuple[ActionSpec, ...]:
    """Return what changes how things are shown, and nothing in the strategy."""
    return (
        ActionSpec(
            "view.command_palette",
            tr("Find an action..."),
            "view",
            lambda window: window.show_command_palette(),
            "Ctrl+Shift+P",
            icon="search",
            listed=False,
        ),
        *_zoom_actions(),
        *_pane_actions(),
        *_yaml_actions(),
        *_theme_actions(),
        *_language_actions(),
        ActionSpec(
            "view.minimap",
            tr("Minimap"),
            "view",
            lambda window: window.looks.toggle_minimap(),
            "Ctrl+Alt+M",
            checked=lambda window: window.settings.minimap,
            separated=True,
        ),
        ActionSpec(
            "view.full_screen",
            tr("Full screen"),
            "view",
            lambda window: window.looks.toggle_full_screen(),
            "F11",
            checked=lambda window: window.isFullScreen(),
        ),
        ActionSpec(
            "view.next_tab",
            tr("Next strategy"),
            "view",
            lambda window: window.tabs.step(1),
            "Ctrl+PgDown",
            ("Ctrl+Tab",),
        ),
        ActionSpec(
            "view.previous_tab",
            tr("Previous strategy"),
            "view",
            lambda window: window.tabs.step(-1),
            "Ctrl+PgUp",
            ("Ctrl+Shift+Tab",),
        ),
        ActionSpec("view.reset_layout", tr("Reset the layout"), "view", lambda window: window.looks.reset_layout()),
    )


def _zoom_actions() -> tuple[ActionSpec, ...]:
    return (
        ActionSpec(
            "view.zoom_in",
            tr("Zoom in"),
            "view",
            on_canvas("zoom_in"),
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
            on_canvas("zoom_out"),
            "Ctrl+-",
            icon="zoom-out",
            enabled=has_tab,
        ),
        ActionSpec(
            "view.zoom_reset",
            tr("Actual size"),
            "view",
            on_canvas("zoom_reset"),
            "Ctrl+0",
            enabled=has_tab,
        ),
        ActionSpec(
            "view.fit_all",
            tr("Fit the whole graph"),
            "view",
            on_canvas("fit_all"),
            "Ctrl+1",
            canvas_keys=("Home",),
            icon="zoom-fit",
            enabled=has_tab,
        ),
        ActionSpec(
            "view.fit_selection",
            tr("Fit the selection"),
            "view",
            on_canvas("fit_selection"),
            "Ctrl+2",
            enabled=has_selection,
        ),
    )


def _pane_actions() -> tuple[ActionSpec, ...]:
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
                f"view.{name}", title, "view/panes", _toggle(name), keys, enabled=has_tab, checked=_is_shown(name)
            )
            for name, title, keys in panes
        ),
        *_walk_actions(),
    )


def _walk_actions() -> tuple[ActionSpec, ...]:
    return (
        ActionSpec(
            "view.next_pane",
            tr("Go to the next pane"),
            "view/panes",
            lambda window: window.pane_focus.step(1),
            "F6",
            enabled=has_tab,
            separated=True,
        ),
        ActionSpec(
            "view.previous_pane",
            tr("Go to the previous pane"),
            "view/panes",
            lambda window: window.pane_focus.step(-1),
            "Shift+F6",
            enabled=has_tab,
        ),
    )


def _yaml_actions() -> tuple[ActionSpec, ...]:
    places = (
        ("below", tr("YAML below the canvas"), "Alt+6"),
        ("beside", tr("YAML beside the canvas"), "Alt+7"),
        ("hidden", tr("Canvas alone"), "Alt+8"),
    )
    return tuple(
        ActionSpec(
            f"view.yaml_{place}",
            title,
            "view/panes",
            _place_yaml(place),
            keys,
            checked=_setting_is("yaml_place", place),
            separated=place == "below",
        )
        for place, title, keys in places
    )


def _theme_actions() -> tuple[ActionSpec, ...]:
    themes = (("system", tr("As the system")), ("light", tr("Light")), ("dark", tr("Dark")))
    return tuple(
        ActionSpec(
            f"view.theme_{name}",
            title,
            "view/theme",
            _use_theme(name),
            checked=_setting_is("theme", name),
        )
        for name, title in themes
    )


def _language_actions() -> tuple[ActionSpec, ...]:
    system = ActionSpec(
        "view.language_system",
        tr("As the system"),
        "view/language",
        _use_language(""),
        checked=_setting_is("language", ""),
    )
    return (
        system,
        *(
            ActionSpec(
                f"view.language_{code}",
                name,
                "view/language",
                _use_language(code),
                checked=_setting_is("language", code),
            )
            for code, name in LANGUAGES.items()
        ),
    )


def _toggle(pane: str) -> Callable[[MainWindow], None]:
    return lambda window: window.pane_focus.toggle(pane)


def _is_shown(pane: str) -> Callable[[MainWindow], bool]:
    return lambda window: window.has_panes() and window.docks.is_shown(pane)


def _place_yaml(place: str) -> Callable[[MainWindow], None]:
    return lambda window: window.looks.set_yaml_place(place)


def _use_theme(theme: str) -> Callable[[MainWindow], None]:
    return lambda window: window.looks.set_theme(theme)


def _use_language(language: str) -> Callable[[MainWindow], None]:
    return lambda window: window.looks.set_language(language)


def _setting_is(name: str, value: str) -> Callable[[MainWindow], bool]:
    return lambda window: bool(getattr(window.settings, name) == value)
