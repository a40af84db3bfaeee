"""How the panels share the height of the chart. No Qt."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

GAP = 1.0
"""The line between two panels, in pixels."""


@dataclass(frozen=True, slots=True)
class PanelSpec:
    """A panel that wants a place.

    `weight` is its share of what is left once every panel has its least height; `fixed` ones get no more than that.
    Of panels that do not fit, those of the lowest `rank` are left out first.
    """

    key: str
    weight: float
    least: float
    rank: int = 0
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class PanelPlace:
    """Where a panel is, in pixels from the top of the chart."""

    key: str
    top: float
    bottom: float

    @property
    def height(self) -> float:
        """In pixels."""
        return self.bottom - self.top


def arrange(
    specs: Sequence[PanelSpec], height: float, weights: Mapping[str, float]
) -> tuple[tuple[PanelPlace, ...], tuple[str, ...]]:
    """Return the places of the panels that fit, from top to bottom, and the keys of those that do not.

    `weights` holds the user's own weights by key. The panel of the highest rank is always there.
    """
    kept = list(specs)
    left_out: list[str] = []
    while len(kept) > 1 and _least(kept) > height:
        lowest = min(reversed(kept), key=lambda spec: spec.rank)
        kept.remove(lowest)
        left_out.append(lowest.key)
    spare = max(height - _least(kept), 0.0)
    shares = {spec.key: 0.0 if spec.fixed else weights.get(spec.key, spec.weight) for spec in kept}
    total = sum(shares.values()) or 1.0
    places, top = [], 0.0
    for spec in kept:
        bottom = top + min(spec.least, height) + spare * shares[spec.key] / total
        places.append(PanelPlace(spec.key, _to_pixel(top), _to_pixel(bottom)))
        top = bottom + GAP
    return tuple(places), tuple(reversed(left_out))


def resized(places: Sequence[PanelPlace], specs: Sequence[PanelSpec], above: int, pixels: float) -> dict[str, float]:
    """Return weights that move the line below panel number `above` down by pixels, as far as both sides allow."""
    by_key = {spec.key: spec for spec in specs}
    spare = {place.key: max(place.height - by_key[place.key].least, 0.0) for place in places}
    upper, lower = places[above].key, places[above + 1].key
    pixels = min(max(pixels, -spare[upper]), spare[lower])
    if by_key[upper].fixed or by_key[lower].fixed:
        pixels = 0.0
    spare[upper] += pixels
    spare[lower] -= pixels
    return spare


def _to_pixel(y: float) -> int:
    """Return the nearest pixel, halves always down the screen: two lines a pixel apart stay two lines."""
    return math.floor(y + 0.5)


def _least(specs: Sequence[PanelSpec]) -> float:
    return sum(spec.least for spec in specs) + GAP * (len(specs) - 1)
