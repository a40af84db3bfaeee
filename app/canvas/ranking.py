"""The order of quick-add's offers: how well the words match, and what users connect to what. No Qt."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from quantcrafter.app.canvas.candidates import Offer, Wanted
from quantcrafter.app.services.fuzzy import match_score
from quantcrafter.app.services.type_names import family_member

START = ("ta.SMA", "ta.RSI", "ta.EMA", "crossover", "levels", "percent_of_equity", "market", "percent_stop", "trend")
"""What a new strategy begins with."""

READ_BY: Mapping[str, tuple[str, ...]] = {
    "bars": ("ta.SMA", "ta.RSI", "ta.EMA", "ta.MACD", "ta.BBANDS", "ta.ATR", "breakout", "crossover", "trend"),
    "series": ("crossover", "levels", "trend", "compare", "crosses_above", "crosses_below", "between"),
    "condition": ("rule", "and", "or", "not", "condition"),
    "signal": ("market", "vote"),
    "filter": ("market",),
    "risk": ("market",),
    "money": ("market",),
    "ta.SMA": ("crossover", "trend", "compare"),
    "ta.EMA": ("crossover", "trend", "compare"),
    "ta.RSI": ("levels", "crosses_above", "compare"),
    "ta.MACD": ("crossover", "crosses_above", "compare"),
    "ta.BBANDS": ("band_reversal", "compare"),
    "ta.ATR": ("atr_stop", "compare", "volatility_band"),
}
"""Before the user has habits: what usually reads a component's output, or one of that type."""

FED_BY: Mapping[str, tuple[str, ...]] = {
    "bars": ("bars", "resample", "feed"),
    "series": ("bars.close", "ta.SMA", "ta.EMA", "ta.RSI", "ta.MACD", "ta.ATR", "bars.high", "bars.low"),
    "condition": ("compare", "crosses_above", "crosses_below", "and", "between"),
    "signal": ("crossover", "levels", "rule", "breakout"),
    "filter": ("trend", "condition", "time_window", "weekdays"),
    "risk": ("percent_stop", "percent_target", "atr_stop", "atr_target"),
    "money": ("percent_of_equity", "risk_percent", "fixed_cash", "fixed_quantity"),
}
"""What usually feeds an input of that type."""


def pair_key(source: str, target: str) -> str:
    """Return what a wire between two components is counted by."""
    return f"{source}>{target}"


def rank(
    offers: Iterable[Offer], query: str, counts: Mapping[str, int], wanted: Wanted | None = None
) -> tuple[Offer, ...]:
    """Return the offers that fit the wire and match every word of the query, the likeliest first."""
    likely = _likely(wanted)
    found = []
    for number, offer in enumerate(offers):
        if wanted is not None and wanted.port(offer) is None:
            continue
        score = match(offer, query)
        if score is not None:
            found.append((-score - _habit(offer, counts, wanted) - likely.get(offer.use, 0.0), number, offer))
    found.sort(key=lambda entry: entry[:2])
    return tuple(offer for _, _, offer in found)


def _likely(wanted: Wanted | None) -> dict[str, float]:
    """Return the points of the built-in tables, falling from 20 with the place in its list."""
    if wanted is None:
        lists: tuple[tuple[str, ...], ...] = (START,)
    else:
        table = FED_BY if wanted.gives else READ_BY
        lists = (table.get(wanted.use, ()), table.get(str(wanted.type), ()))
    points: dict[str, float] = {}
    for depth, names in enumerate(lists):
        for place, name in enumerate(names):
            points[name] = max(points.get(name, 0.0), 20.0 - 5.0 * depth - place)
    return points


def _habit(offer: Offer, counts: Mapping[str, int], wanted: Wanted | None) -> float:
    """Return the points of what the user has connected before, which outweigh the tables after a few times."""
    if wanted is None:
        return 5.0 * math.log2(1 + counts.get(offer.key, 0))
    pair = pair_key(offer.use, wanted.use) if wanted.gives else pair_key(wanted.use, offer.use)
    return 10.0 * math.log2(1 + counts.get(pair, 0)) + math.log2(1 + counts.get(offer.key, 0))


def match(offer: Offer, query: str) -> float | None:
    """Return how well an offer matches all words of a query (0 for none), or None when one of them is not found."""
    about = f"{offer.category} {family_member(offer.role)}"
    return match_score(query, (offer.title, offer.use), ((about, 55.0), (offer.summary, 50.0)))
