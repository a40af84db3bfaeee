"""The Arrange menu."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.actions.conditions import has_several, has_tab, has_three
from app.actions.spec import ActionSpec
from app.services.i18n import tr

if TYPE_CHECKING:
    from app.window.main_window import MainWindow


def arrange_actions() -> tuple[ActionSpec, ...]:
    """Return what places nodes."""
    return (
        ActionSpec(
            "arrange.auto",
            tr("Lay out automatically"),
            "arrange",
            lambda window: window.on_canvas("auto_layout"),
            "Ctrl+L",
            icon="layout",
            enabled=has_tab,
            toolbar=True,
        ),
        *_align_actions(),
        ActionSpec(
            "arrange.distribute_horizontally",
            tr("Distribute horizontally"),
            "arrange",
            lambda window: window.on_canvas("distribute", "horizontal"),
            "Alt+Shift+H",
            icon="distribute",
            enabled=has_three,
            separated=True,
        ),
        ActionSpec(
            "arrange.distribute_vertically",
            tr("Distribute vertically"),
            "arrange",
            lambda window: window.on_canvas("distribute", "vertical"),
            "Alt+Shift+V",
            icon="distribute",
            enabled=has_three,
        ),
    )


def _align_actions() -> tuple[ActionSpec, ...]:
    ways = (
        ("left", tr("Align left edges"), "Alt+Shift+Left"),
        ("center", tr("Align centres in a column"), "Alt+Shift+C"),
        ("right", tr("Align right edges"), "Alt+Shift+Right"),
        ("top", tr("Align top edges"), "Alt+Shift+Up"),
        ("middle", tr("Align centres in a row"), "Alt+Shift+M"),
        ("bottom", tr("Align bottom edges"), "Alt+Shift+Down"),
    )
    return tuple(
        ActionSpec(
            f"arrange.align_{how}",
            title,
            "arrange",
            _align(how),
            keys,
            icon="align",
            enabled=has_several,
            separated=how in {"left", "top"},
        )
        for how, title, keys in ways
    )


def _align(how: str) -> Callable[[MainWindow], None]:
    return lambda window: window.on_canvas("align", how)
