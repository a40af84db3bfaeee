"""The few colours and pictures that the canvas's own widgets take from the theme."""

from __future__ import annotations

from PySide6.QtGui import QIcon

from quantcrafter.app.canvas.candidates import Offer
from quantcrafter.app.theme import current
from quantcrafter.app.theme.icons import icon


def popup_style(name: str) -> str:
    """Return the style of what lies over the canvas for a moment: raised, with a line around it."""
    theme = current()
    return (
        f"QFrame#{name} {{ background: {theme.raised}; border: 1px solid {theme.border}; border-radius: 6px; }}"
        f" QListView {{ background: {theme.raised}; }}"
    )


def offer_icon(offer: Offer) -> QIcon:
    """Return the icon of an offer's family, in its colour."""
    family = offer.role.value if offer.role is not None else "bars"
    return icon(family, current().family(family))
