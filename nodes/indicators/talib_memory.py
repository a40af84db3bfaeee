"""How long TA-Lib's functions remember: the bars after which the past no longer shows in double precision.

A function over a window remembers its window. A smoothing with weight a keeps (1 - a)^n of what it held n bars ago; it
has forgotten once that is below 2^-53. Smoothings in a row add up their memories.

Everything that is not in these tables remembers all. Besides the cumulative functions (OBV, CUMSUM, VWAP) and the
stop-and-reverse rules (SAR, SUPERTREND) that is the Hilbert transform (HT_*, MAMA): it feeds the period that it finds
back into itself and branches on it, so that a difference in the last bit may show again much later.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from quantcrafter.nodes.indicators.talib_info import CANDLESTICKS, FunctionInfo

Values = Mapping[str, float]

_KAMA_SLOWEST = (2 / 31) ** 2
_DEFAULT_AVERAGE = 11
_AVERAGES: dict[str, Callable[[float], float]]


def memory(weight: float, times: int = 1) -> int:
    """Return the bars after which `times` smoothings in a row, each of this weight, have forgotten.

    The k-th smoothing in a row holds C(n, k - 1) (1 - a)^n of a value n bars back.
    """
    if weight >= 1:
        return 0
    decay = -math.log1p(-weight)
    bars = start = 54 * math.log(2) / decay
    for _ in range(20):
        bars = start + (times - 1) * math.log(max(bars * decay, 1.0)) / decay
    return math.ceil(bars)


def exponential(period: float, times: int = 1) -> int:
    """Return the memory of exponential averages over `period` bars, weight 2 / (period + 1)."""
    return memory(2 / (period + 1), times)


def wilder(period: float, times: int = 1) -> int:
    """Return the memory of Wilder's averages over `period` bars, weight 1 / period."""
    return memory(1 / period, times)


_AVERAGES = {
    "SMA": lambda _: 0,
    "WMA": lambda _: 0,
    "TRIMA": lambda _: 0,
    "HMA": lambda _: 0,
    "DISABLED": lambda _: 0,
    "EMA": exponential,
    "DEMA": lambda period: exponential(period, 2),
    "TEMA": lambda period: exponential(period, 3),
    "T3": lambda period: exponential(period, 6),
    "ZLEMA": exponential,
    "RMA": wilder,
    "KAMA": lambda _: memory(_KAMA_SLOWEST),
}


def average(info: FunctionInfo, values: Values, kind: str, period: str) -> float:
    """Return the memory of the moving average that parameter `kind` chooses, over parameter `period`."""
    parameter = next(item for item in info.parameters if item.name == kind)
    number = int(values[kind])
    if number == _DEFAULT_AVERAGE:
        number = int(parameter.default)
    rule = _AVERAGES.get(parameter.choices[number])
    return rule(values[period]) if rule else math.inf


def _pairs(*pairs: tuple[str, str]) -> Callable[[FunctionInfo, Values], float]:
    return lambda info, values: sum(average(info, values, kind, period) for kind, period in pairs)


def _of(rule: Callable[..., int], *periods: str, times: int = 1) -> Callable[[FunctionInfo, Values], float]:
    return lambda _, values: sum(rule(values[period], times) for period in periods)


_OSCILLATOR = _pairs(("matype", "fastperiod"), ("matype", "slowperiod"))
_MACD = _of(exponential, "fastperiod", "slowperiod", "signalperiod")
_STOCHASTIC = _pairs(("slowk_matype", "slowk_period"), ("slowd_matype", "slowd_period"))
_WILDER = _of(wilder, "timeperiod")

_RULES: dict[str, Callable[[FunctionInfo, Values], float]] = {
    "EMA": _of(exponential, "timeperiod"),
    "DEMA": _of(exponential, "timeperiod", times=2),
    "TEMA": _of(exponential, "timeperiod", times=3),
    "TRIX": _of(exponential, "timeperiod", times=3),
    "T3": _of(exponential, "timeperiod", times=6),
    "ZLEMA": _of(exponential, "timeperiod"),
    "RMA": _WILDER,
    "KAMA": lambda _info, _values: memory(_KAMA_SLOWEST),
    "MA": _pairs(("matype", "timeperiod")),
    "MAVP": _pairs(("matype", "maxperiod")),
    "BBANDS": _pairs(("matype", "timeperiod")),
    "APO": _OSCILLATOR,
    "PPO": _OSCILLATOR,
    "PVO": _OSCILLATOR,
    "MACD": _MACD,
    "MACDFIX": lambda _, values: exponential(12) + exponential(26) + exponential(values["signalperiod"]),
    "MACDEXT": _pairs(("fastmatype", "fastperiod"), ("slowmatype", "slowperiod"), ("signalmatype", "signalperiod")),
    "STOCH": _STOCHASTIC,
    "KDJ": _STOCHASTIC,
    "STOCHF": _pairs(("fastd_matype", "fastd_period")),
    "STOCHRSI": lambda info, values: (
        wilder(values["timeperiod"]) + average(info, values, "fastd_matype", "fastd_period")
    ),
    "RSI": _WILDER,
    "CMO": _WILDER,
    "RVI": _WILDER,
    "DX": _WILDER,
    "ADX": _of(wilder, "timeperiod", times=2),
    "ADXR": _of(wilder, "timeperiod", times=2),
    "PLUS_DI": _WILDER,
    "MINUS_DI": _WILDER,
    "PLUS_DM": _WILDER,
    "MINUS_DM": _WILDER,
    "ATR": _WILDER,
    "NATR": _WILDER,
    "KC": lambda _, values: max(exponential(values["timeperiod"]), wilder(values["atrperiod"])),
    "ERI": _of(exponential, "timeperiod"),
    "EFI": _of(exponential, "timeperiod"),
    "CVI": _of(exponential, "timeperiod"),
    "MASSI": _of(exponential, "fastperiod", times=2),
    "SMI": _of(exponential, "fastperiod", "slowperiod", "signalperiod"),
    "TSI": _of(exponential, "firstperiod", "secondperiod"),
    "HA": lambda _info, _values: memory(0.5),
}

# Functions that look at a window only. They are named, so that a function which a newer TA-Lib brings counts as one
# that remembers all, until it is known better.
_WINDOWED = frozenset(
    """
    AC ACCBANDS ADD ADR AO AROON AROONOSC AVGDEV AVGPRICE BETA BOP CCI CMF CMOU COPPOCK CORREL DIV DONCHIAN DPO ER FOSC
    FRACTAL HMA IMI LINEARREG LINEARREG_ANGLE LINEARREG_INTERCEPT LINEARREG_SLOPE MARKETFI MAX MEDPRICE MFI MIDPOINT
    MIDPRICE MIN MINMAX MOM MULT PERCENTILE PERCENTRANK QSTICK ROC ROCP ROCR ROCR100 RVOL SMA STDDEV SUB SUM TRANGE
    TRIMA TSF TYPPRICE ULTOSC VAR VHF VORTEX VWMA WCLPRICE WILLR WMA
    """.split()  # noqa: SIM905 - sixty names read better as words than as sixty quoted lines
)
_WINDOWED_GROUPS = frozenset({CANDLESTICKS, "Math Transform"})


def bars_remembered(info: FunctionInfo, values: Values, warmup: int) -> int | None:
    """Return after how many bars the output no longer depends on what came before; None means never.

    A ratio of two smoothings, such as RSI, keeps its value while its input stands still, and with it its memory.
    """
    rule = _RULES.get(info.name)
    if rule is not None:
        bars = warmup + rule(info, values)
        return None if math.isinf(bars) else int(bars)
    return warmup if info.name in _WINDOWED or info.group in _WINDOWED_GROUPS else None
