"""What TA-Lib says about its functions: inputs, parameters with their ranges, outputs."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from quantcrafter.nodes.indicators.talib_import import functions, talib

CANDLESTICKS = "Candlestick patterns"

_REAL_TYPES = (0, 1)
_CHOICE_TYPE = 3
_INT_LIMIT = 2**31 - 1
_REAL_LIMIT = 1e300

# MAVP refuses a minimum above its maximum: look for the range of each with the other out of the way.
_FREE = {("MAVP", "minperiod"): {"maxperiod": 100_000}, ("MAVP", "maxperiod"): {"minperiod": 1}}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter by TA-Lib's own name; both ends of the range are allowed.

    `choices` names the moving averages in TA-Lib's order, for a parameter that chooses one, and is empty otherwise.
    """

    name: str
    description: str
    default: float
    low: float
    high: float
    is_integer: bool
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FunctionInfo:
    """One TA-Lib function.

    `arguments` are what the function is called with, in order: `input`, `input0`, `input1` and `periods` are series
    of the user's choice, the rest are columns of the bars. A single
    output is called `value`, several keep TA-Lib's names.
    """

    name: str
    title: str
    group: str
    flags: frozenset[str]
    arguments: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    outputs: tuple[str, ...]

    @property
    def is_candlestick(self) -> bool:
        """Whether it finds a candlestick pattern."""
        return self.group == CANDLESTICKS


@cache
def names_by_group() -> Mapping[str, tuple[str, ...]]:
    """Return the names of all functions by TA-Lib's group, in TA-Lib's order."""
    return {group: tuple(names) for group, names in talib().get_function_groups().items()}


@cache
def function_info(name: str) -> FunctionInfo:
    """Return the description of the function `name`, such as `SMA`."""
    lib, key = functions(), name.encode()
    raw = lib._ta_getFuncInfo(key)  # noqa: SLF001 - TA-Lib's description calls have no public name
    inputs = [lib._ta_getInputParameterInfo(key, i) for i in range(raw["num_inputs"])]  # noqa: SLF001 - as above
    options = [lib._ta_getOptInputParameterInfo(key, i) for i in range(raw["num_opt_inputs"])]  # noqa: SLF001 - as above
    outputs = [lib._ta_getOutputParameterInfo(key, i) for i in range(raw["num_outputs"])]  # noqa: SLF001 - as above
    group = CANDLESTICKS if raw["group"] == "Pattern Recognition" else raw["group"]
    return FunctionInfo(
        name,
        raw["display_name"],
        group,
        frozenset(raw["function_flags"] or ()),
        tuple(_arguments(inputs)),
        tuple(_parameter(name, option) for option in options),
        tuple(output["name"] for output in outputs) if len(outputs) > 1 else ("value",),
    )


def lookback(name: str, values: Mapping[str, Any]) -> int:
    """Return TA-Lib's lookback for these parameters, or -1 when it refuses them."""
    return _lookback(name, tuple(values.items()))


@lru_cache(maxsize=4096)
def _lookback(name: str, values: tuple[tuple[str, Any], ...]) -> int:
    """Ask TA-Lib, once for each set of parameters: an editor asks again for every node at every key."""
    lib = functions()
    return int(lib.Function(name, getattr(lib, name), **dict(values)).lookback)


@cache
def average_names() -> tuple[str, ...]:
    """Return the names of TA-Lib's moving averages in the order of their numbers."""
    kinds = type(talib().MA_Type)
    numbers = {number: kind for kind, number in vars(kinds).items() if kind.isupper()}
    return tuple(numbers[number] for number in sorted(numbers))


def _arguments(inputs: list[dict[str, Any]]) -> list[str]:
    arguments = []
    for item in inputs:
        if item["price_series"]:
            arguments += item["price_series"]
        else:
            arguments.append(item["name"].replace("price", "input"))
    return arguments


def _parameter(function: str, option: dict[str, Any]) -> Parameter:
    name, default = option["name"], option["default_value"]
    is_integer = option["type"] not in _REAL_TYPES
    low, high = _range(function, name, default, is_integer=is_integer)
    choices = average_names()[: int(high) + 1] if option["type"] == _CHOICE_TYPE else ()
    return Parameter(name, option["help"].rstrip("."), default, low, high, is_integer, choices)


def _range(function: str, parameter: str, default: float, *, is_integer: bool) -> tuple[float, float]:
    """Find the ends of a parameter's range by halving: TA-Lib's own bindings do not tell them.

    A lookback below 0 means that TA-Lib refuses the value.
    """
    lib = functions()
    probe = lib.Function(function, getattr(lib, function), **_FREE.get((function, parameter), {}))

    def accepts(value: float) -> bool:
        probe.set_function_args(**{parameter: value})
        return int(probe.lookback) >= 0

    if is_integer:
        return _edge(accepts, int(default), -_INT_LIMIT), _edge(accepts, int(default), _INT_LIMIT)
    ends = [
        _to_real(_edge(lambda n: accepts(_to_real(n)), _to_ordinal(default), _to_ordinal(limit)))
        for limit in (-_REAL_LIMIT, _REAL_LIMIT)
    ]
    return ends[0] + 0.0, ends[1]


def _edge(accepts: Callable[[int], bool], good: int, bad: int) -> int:
    if accepts(bad):
        return bad
    while abs(good - bad) > 1:
        middle = (good + bad) // 2
        if accepts(middle):
            good = middle
        else:
            bad = middle
    return good


def _to_ordinal(value: float) -> int:
    """Return the place of a double among all doubles, so that halving ends at the exact bound."""
    bits: int = struct.unpack("<q", struct.pack("<d", abs(value)))[0]
    return bits if value >= 0 else -bits


def _to_real(ordinal: int) -> float:
    value: float = struct.unpack("<d", struct.pack("<q", abs(ordinal)))[0]
    return value if ordinal >= 0 else -value
