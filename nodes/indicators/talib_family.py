"""`ta.NAME`: every function of TA-Lib as an indicator, made from TA-Lib's own description of it."""

from __future__ import annotations

import math
import threading
import types
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, Self, cast

import numpy as np
import numpy.typing as npt
from pydantic import BeforeValidator, model_validator

from quantcrafter.engine.api import (
    Bars,
    BarsInput,
    Component,
    FloatColumn,
    Indicator,
    Message,
    Output,
    Role,
    SeriesInput,
    param,
    port,
)
from quantcrafter.engine.api.compiled import SHORT_ROWS, is_kept
from quantcrafter.engine.api.frozen import read_only
from quantcrafter.engine.api.pairs import ComputedInPairs
from quantcrafter.engine.api.running_means import running_means
from quantcrafter.engine.api.units import NUMBER, PRICE, VOLUME, SeriesUnit
from quantcrafter.nodes.indicators.talib_import import functions, talib
from quantcrafter.nodes.indicators.talib_info import (
    FunctionInfo,
    Parameter,
    average_names,
    function_info,
    lookback,
    names_by_group,
)
from quantcrafter.nodes.indicators.talib_memory import bars_remembered
from quantcrafter.nodes.indicators.talib_stream import TalibFollower
from quantcrafter.nodes.indicators.talib_text import describe, describe_output

_SERIES_HELP = {
    "input": "The line to compute from, such as bars.close.",
    "input0": "The first line.",
    "input1": "The second line.",
    "periods": "The period to use at each bar, cut to the range from minperiod to maxperiod.",
}


CARRYING = frozenset("SMA EMA DEMA TEMA RMA TRIX MACD RSI CMO".split())  # noqa: SIM905 - so many names
"""Functions that carry what they have seen from bar to bar: none finds back to one after a value was missing.

So their last value says whether there was a gap, and no look at all values is needed before.
"""


_NUMBERS = frozenset(
    """
    ADX ADXR AROON AROONOSC BETA BOP CCI CMO CORREL DX IMI MFI MINUS_DI NATR PLUS_DI PPO ROC ROCP ROCR ROCR100 RSI STOCH
    STOCHF STOCHRSI TRIX ULTOSC WILLR
    """.split()  # noqa: SIM905 - so many names
)
_VOLUMES = frozenset(("OBV", "AD", "ADOSC"))
_AS_INPUT = frozenset(
    """
    ACCBANDS APO ATR AVGPRICE BBANDS DEMA DONCHIAN EMA HMA HT_TRENDLINE KAMA KC LINEARREG LINEARREG_INTERCEPT MA MACD
    MACDEXT MACDFIX MAMA MAVP MAX MEDPRICE MIDPOINT MIDPRICE MIN MINUS_DM MOM PLUS_DM RMA SAR SAREXT SMA STDDEV SUM T3
    TEMA TRANGE TRIMA TSF TYPPRICE WCLPRICE WMA ZLEMA
    """.split()  # noqa: SIM905 - so many names
)
"""Functions whose results are plain numbers, volumes, or in the unit of their input; of bars, that is a price."""


class TalibIndicator(Indicator, ComputedInPairs):
    """Base of the indicators made from TA-Lib."""

    info: ClassVar[FunctionInfo]

    def arguments(self) -> dict[str, Any]:
        """Return the parameters as TA-Lib takes them: moving averages by number."""
        return {
            item.name: item.choices.index(getattr(self, item.name)) if item.choices else getattr(self, item.name)
            for item in self.info.parameters
        }

    def output_unit(self, inputs: Mapping[str, SeriesUnit | None]) -> SeriesUnit | None:
        """Return the unit of the outputs; None for functions of which it is not known."""
        name = self.info.name
        if name in _NUMBERS:
            return NUMBER
        if name in _VOLUMES:
            return VOLUME
        if name in _AS_INPUT:
            return inputs.get("input") if "input" in type(self).model_fields else PRICE
        return None

    def warmup(self) -> int:
        return lookback(self.info.name, self.arguments())

    def lookback(self) -> int | None:
        return bars_remembered(self.info, self.arguments(), self.warmup())

    @cached_property
    def terms(self) -> tuple[dict[str, Any], int, bool]:
        """What a call takes, the warm-up, and whether each value follows from its bar alone."""
        warmup = self.warmup()
        # A sum or a sine of a missing value is missing; what has a period can make a number of it, even of period 1.
        return self.arguments(), warmup, warmup == 0 and not self.info.parameters and self.lookback() == 0

    @model_validator(mode="after")
    def _parameters_go_together(self) -> Self:
        if self.info.parameters and self.warmup() < 0:
            values = ", ".join(f"{item.name} {getattr(self, item.name)}" for item in self.info.parameters)
            raise ValueError(
                Message(
                    "TA-Lib's {name} doesn't take these parameters together: {values}",
                    name=self.info.name,
                    values=values,
                )
            )
        return self

    def compute(self, *args: Any, **inputs: Any) -> FloatColumn | tuple[FloatColumn, ...]:
        """Call TA-Lib on each stretch of bars that has all inputs; it restarts after a gap (NaN or infinite)."""
        del args
        columns = self.columns(inputs)
        arguments, warmup, _ = self.terms
        function = getattr(functions(), self.info.name)
        length = len(columns[0])
        if self.info.name in CARRYING and length > warmup:
            line: FloatColumn | tuple[FloatColumn, ...] = function(*columns, **arguments)
            if _has_no_gap(columns, line):
                return line
        stretches = self.stretches(columns)
        if stretches == [(0, length)]:
            result = function(*columns, **arguments)
            if type(result) is np.ndarray:
                return self._complete(result, warmup)
            return tuple(self._complete(part, warmup) for part in result)
        outputs = [self._empty(length) for _ in self.outputs]
        for start, stop in stretches:
            result = function(*(column[start:stop] for column in columns), **arguments)
            parts = result if isinstance(result, tuple) else (result,)
            for output, part in zip(outputs, parts, strict=True):
                output[start + warmup : stop] = part[warmup:]
        return outputs[0] if len(outputs) == 1 else tuple(outputs)

    def pairs_with(self, other: TalibIndicator) -> bool:
        return self.info.name == other.info.name == "SMA"

    def compute_pair(self, other: TalibIndicator, inputs: Mapping[str, Any]) -> tuple[FloatColumn, FloatColumn] | None:
        """Return two moving averages of one line; None if it is short, has a gap, or the loop isn't compiled yet."""
        (line,) = self.columns(inputs)
        short, long = (self, other) if self.terms[1] <= other.terms[1] else (other, self)
        quick, slow = short.terms[1], long.terms[1]
        if len(line) < SHORT_ROWS or len(line) <= slow or not is_kept(running_means):
            return None
        means = {each: np.empty(len(line)) for each in ("short", "long")}
        running_means(read_only(line), quick + 1, slow + 1, means["short"], means["long"])
        if not _has_no_gap([line], (means["short"], means["long"])):
            return None
        return (means["short"], means["long"]) if short is self else (means["long"], means["short"])

    def columns(self, inputs: Mapping[str, Any]) -> list[FloatColumn]:
        """Return the columns that TA-Lib is given."""
        columns = [np.ascontiguousarray(_column(name, inputs), np.float64) for name in self.info.arguments]
        if self.info.name == "MAVP":
            arguments, _, _ = self.terms
            columns[1] = np.clip(columns[1], arguments["minperiod"], arguments["maxperiod"])
        return columns

    def stretches(self, columns: list[FloatColumn]) -> list[tuple[int, int]]:
        """Return start and end (exclusive) of each run of bars that TA-Lib is called on."""
        _, warmup, by_bar = self.terms
        return [(0, len(columns[0]))] if by_bar else _stretches(columns, warmup)

    def follower(self) -> TalibFollower:
        return TalibFollower(self)

    def _complete(self, part: npt.NDArray[Any], warmup: int) -> FloatColumn:
        """Return a column as float64; TA-Lib marks the warm-up of whole numbers by 0."""
        if part.dtype == np.float64:
            return part
        column = part.astype(np.float64)
        if not self.info.is_candlestick:
            column[:warmup] = np.nan
        return column

    def _empty(self, length: int) -> FloatColumn:
        return np.full(length, 0.0 if self.info.is_candlestick else np.nan)


class TalibFamily:
    """All functions of the installed TA-Lib; a class is built when it is first asked for."""

    role = Role.INDICATOR

    def __init__(self) -> None:
        self._classes: dict[str, type[TalibIndicator]] = {}
        self._lock = threading.Lock()

    def names(self) -> tuple[str, ...]:
        """Return `ta.NAME` for every function, group by group."""
        return tuple(f"ta.{name}" for group in names_by_group().values() for name in group)

    def build(self, name: str) -> type[Component]:
        """Return the component class of one of `names()`; the same class at every call.

        Raises:
            KeyError: `name` is none of them.
        """
        with self._lock:
            if name not in self._classes:
                if name not in self.names():
                    raise KeyError(name)
                self._classes[name] = _build(function_info(name.removeprefix("ta.")))
            return self._classes[name]


def _column(name: str, inputs: Mapping[str, Any]) -> FloatColumn:
    if name in _SERIES_HELP and inputs.get(name) is not None:
        return cast("FloatColumn", inputs[name])
    bars: Bars = inputs["bars"]
    return bars.column("close" if name == "input" else name)


def _has_no_gap(columns: list[FloatColumn], result: FloatColumn | tuple[FloatColumn, ...]) -> bool:
    """Return whether the last values, in and out, say of a function that carries that no other one is missing.

    But for those before its first bar: TA-Lib begins there. Zero says nothing: the RSI of what is missing is zero.
    """
    parts = result if isinstance(result, tuple) else (result,)
    return all(math.isfinite(part[-1]) and part[-1] != 0.0 for part in parts) and all(
        math.isfinite(column[-1]) for column in columns
    )


def _stretches(columns: list[FloatColumn], warmup: int) -> list[tuple[int, int]]:
    """Return start and end (exclusive) of each run of bars with all inputs that is longer than the warm-up."""
    length = len(columns[0])
    with np.errstate(all="ignore"):
        # One pass over a column that has all its values: the usual case.
        complete = all(math.isfinite(np.add.reduce(column)) for column in columns)
    if complete:
        return [(0, length)] if length > warmup else []
    valid = np.isfinite(columns[0])
    for column in columns[1:]:
        valid &= np.isfinite(column)
    edges = np.flatnonzero(np.diff(valid, prepend=False, append=False)).reshape(-1, 2)
    return [(start, stop) for start, stop in edges.tolist() if stop - start > warmup]


def _build(info: FunctionInfo) -> type[TalibIndicator]:
    fields = {**_ports(info), **{item.name: _parameter(item) for item in info.parameters}}
    namespace: dict[str, Any] = {
        "__module__": __name__,
        "__doc__": describe(info),
        "__annotations__": {name: annotation for name, (annotation, _) in fields.items()},
        "name": f"ta.{info.name}",
        "category": info.group,
        "formula_source": f"TA-Lib {talib().__ta_version__.decode().split()[0]}, TA_{info.name}",
        "info": info,
        "outputs": tuple(Output(name, description=describe_output(info, name)) for name in info.outputs),
        **{name: default for name, (_, default) in fields.items()},
    }
    made = types.new_class(info.name, (TalibIndicator,), exec_body=lambda body: body.update(namespace))
    return cast("type[TalibIndicator]", made)


def _ports(info: FunctionInfo) -> dict[str, tuple[Any, Any]]:
    series = [name for name in info.arguments if name in _SERIES_HELP]
    if len(series) == len(info.arguments):
        return {name: (SeriesInput, port(_SERIES_HELP[name])) for name in series}
    columns = ", ".join(name for name in info.arguments if name not in series)
    ports: dict[str, tuple[Any, Any]] = {
        "bars": (BarsInput, port(f"The bars whose {columns} it uses.", default="bars"))
    }
    if series:
        ports["input"] = (
            SeriesInput | None,
            port("The line to compute from; the close of the bars if left out.", default=None, advanced=True),
        )
    return ports


def _parameter(item: Parameter) -> tuple[Any, Any]:
    description = f"{item.description}."
    if item.choices:
        names = item.choices
        return (
            Annotated[Literal[names], BeforeValidator(_average)],
            param(description, default=names[int(item.default)]),
        )
    kind: type[int | float] = int if item.is_integer else float
    return kind, param(description, default=kind(item.default), ge=item.low, le=item.high)


def _average(value: object) -> object:
    """Accept a moving average by TA-Lib's number, or in small letters."""
    names = average_names()
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(names):
        return names[value]
    return value.upper() if isinstance(value, str) else value


FAMILY = TalibFamily()
