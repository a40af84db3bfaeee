"""The Arrange menu."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from quantcrafter.app.actions.conditions import has_selection, has_several, has_tab, has_three
from quantcrafter.app.actions.spec import ActionSpec, CanvasCall
from quantcrafter.app.actions.targets import Targets
from quantcrafter.app.services.i18n import tr

if TYPE_CHECKING:
    from quantcrafter.app.canvas.arrange import Align
    from quantcrafter.app.canvas.canvas import Canvas

NUDGE = 10.0
"""In scene units."""


def arrange_actions(to: Targets) -> tuple[ActionSpec, ...]:
    """Return the actions that place nodes."""
    return (
        ActionSpec(
            "arrange.auto",
            tr("Lay out automatically"),
            "arrange",
            CanvasCall(to.canvas, lambda canvas: canvas.auto_layout()),
            "Ctrl+L",
            icon="layout",
            enabled=has_tab,
        ),
        *_align_actions(to),
        ActionSpec(
            "arrange.distribute_horizontally",
            tr("Distribute horizontally"),
            "arrange",
            CanvasCall(to.canvas, lambda canvas: canvas.distribute("horizontal")),
            "Alt+Shift+H",
            icon="distribute",
            enabled=has_three,
            separated=True,
        ),
        ActionSpec(
            "arrange.distribute_vertically",
            tr("Distribute vertically"),
            "arrange",
            CanvasCall(to.canvas, lambda canvas: canvas.distribute("vertical")),
            "Alt+Shift+V",
            icon="distribute",
            enabled=has_three,
        ),
        *_nudge_actions(to),
    )


def _nudge_actions(to: Targets) -> tuple[ActionSpec, ...]:
    ways = (
        ("left", tr("Nudge to the left"), "Ctrl+Left", (-NUDGE, 0.0)),
        ("right", tr("Nudge to the right"), "Ctrl+Right", (NUDGE, 0.0)),
        ("up", tr("Nudge up"), "Ctrl+Up", (0.0, -NUDGE)),
        ("down", tr("Nudge down"), "Ctrl+Down", (0.0, NUDGE)),
    )
    return tuple(
        ActionSpec(
            f"arrange.nudge_{way}",
            title,
            "arrange/nudge",
            CanvasCall(to.canvas, partial(_nudge, by)),
            canvas_keys=(keys,),
            enabled=has_selection,
        )
        for way, title, keys, by in ways
    )


def _align_actions(to: Targets) -> tuple[ActionSpec, ...]:
    ways: tuple[tuple[Align, str, str], ...] = (
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
            CanvasCall(to.canvas, partial(_align, how)),
            keys,
            icon="align",
            enabled=has_several,
            separated=how in {"left", "top"},
        )
        for how, title, keys in ways
    )


def _nudge(by: tuple[float, float], canvas: Canvas) -> None:
    canvas.nudge(*by)


def _align(how: Align, canvas: Canvas) -> None:
    canvas.align(how)
