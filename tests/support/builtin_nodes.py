"""Every built-in column component, with parameters for a test."""

from __future__ import annotations

from typing import Any

import numpy as np

from quantcrafter.engine.api import Component, PositionNode
from quantcrafter.nodes import advisors, filters, indicators, logic
from quantcrafter.nodes.indicators.talib_family import FAMILY, TalibIndicator
from quantcrafter.testing import wired

_REQUIRED: dict[str, list[dict[str, Any]]] = {
    "constant": [{"value": 2.5}],
    "arithmetic": [{"op": op} for op in ("+", "-", "*", "/", "min", "max")],
    "compare": [{"op": op} for op in (">", ">=", "<", "<=", "==", "!=")],
    "change": [{"bars": 3, "kind": kind} for kind in ("difference", "percent", "ratio")],
    "formula": [
        {"formula": text, **{name: None for name in "abcdefgh" if name not in used}}
        for text, used in (
            ("(a - b) / b * 100", "ab"),
            ("where(a > b and not c < 100, max(a, b, c), -min(a, b)) + a[3]", "abc"),
            ("sqrt(a - b) + log(c) - exp(a / 10 - b / 10) + floor(a * 3) - ceil(-b * 2) + abs(a - c) ** 3", "abc"),
            ("(a == b) + (a != b) + (a < b <= h) + (b > h or a >= 100)", "abh"),
        )
    ],
    "notify": [{"text": "Look"}],
    "assert": [{"text": "Look"}, {"text": "Look", "every": "bar"}],
    "value_when": [{}, {"occurrence": 1}, {"occurrence": 3}],
    "breakout_outcome": [{}, {"stop_multiple": 0.01}, {"atr": None, "lower": None, "exit_short": None}],
    "latch": [{}, {"priority": "set"}],
    "opening_range": [{"minutes": 5}, {"minutes": 90}],
    "instrument_is": [{"symbols": ["TEST"]}, {"symbols": ["TESTED", "FIRST"]}],
    "rank": [{"bars": 2}, {"bars": 11}],
    "zscore": [{"bars": 2}, {"bars": 11}],
    "volatility": [{"bars": 2}, {"bars": 11}],
    "spread": [{}, {"scale": "log"}],
    "hedge_ratio": [{"bars": 7}, {"bars": 20, "scale": "log", "intercept": False}],
    "mean_reversion": [{"bars": 9}],
    "rolling_count": [{"bars": 1}, {"bars": 7}],
    "lag": [{"bars": 1}, {"bars": 7}],
    "crossover": [{"direction": "both"}],
    "levels": [
        {"direction": "both", "mode": mode, "long_entry": 99, "long_exit": 101, "short_entry": 101, "short_exit": 99}
        for mode in ("cross", "return", "inside")
    ],
    "breakout": [{"direction": "both", "entry_bars": 5, "exit_bars": 1}],
    "band_reversal": [{"direction": "both"}],
    "candlestick": [{"direction": "both", "hold": hold} for hold in (0, 3)],
    "rule": [{"combine": "any", "combine_exits": "all"}],
    "vote": [{"need": 1}, {"need": 2}],
    "time_window": [{"start": "09:45", "end": "15:30"}, {"start": "15:30", "end": "09:45", "timezone": "Asia/Tokyo"}],
    "weekdays": [{"days": ["mon", "thu"]}],
    "volatility_band": [{"minimum": 99, "maximum": 101}],
    "trend": [{}, {"direction": "down", "slope_bars": 4}],
}

HAND_WRITTEN = tuple(
    cls
    for cls in (*indicators.COMPONENTS, *logic.COMPONENTS, *advisors.COMPONENTS, *filters.COMPONENTS)
    if isinstance(cls, type) and not cls.path_parameters() and not issubclass(cls, PositionNode)
)
TALIB_NAMES = FAMILY.names()


def parameters_of(cls: type[Component]) -> list[dict[str, Any]]:
    """Return the parameter sets worth testing of a component."""
    return _REQUIRED.get(cls.name, [{}])


def variants(cls: type[Component]) -> list[Component]:
    """Return the component with each of the parameter sets worth testing."""
    return [wired(cls, **values) for values in parameters_of(cls)]


def talib_component(name: str, seed: int | None = None) -> Component:
    """Return `ta.NAME` with its default parameters, or with random ones."""
    cls = FAMILY.build(name)
    assert issubclass(cls, TalibIndicator)
    if seed is None:
        return wired(cls)
    random = np.random.default_rng(seed)
    values: dict[str, Any] = {}
    for item in cls.info.parameters:
        if item.choices:
            values[item.name] = int(random.integers(0, len(item.choices)))
        elif item.is_integer:
            values[item.name] = int(random.integers(int(item.low), int(item.low) + 20))
        else:
            values[item.name] = float(random.uniform(max(item.low, 0.05), min(item.high, 3.0)))
    if "minperiod" in values:
        values["maxperiod"] = values["minperiod"] + 5
    return wired(cls, **values)
