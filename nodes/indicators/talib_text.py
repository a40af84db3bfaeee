"""Help texts for the functions of TA-Lib, from its own description."""

from __future__ import annotations

from quantcrafter.nodes.indicators.talib_info import FunctionInfo, lookback

_NOTES = {
    "BETA": "Which of the two lines is the market matters: TA-Lib regresses the second on the first.",
    "DPO": "The average is compared with the price of timeperiod / 2 + 1 bars ago, so that nothing looks ahead.",
    "FRACTAL": "A swing is reported `rightbars` bars after its turning point, when it is known.",
    "HA": "A candle opens in the middle of the body before it, so that early candles depend on where the data begin.",
    "MAVP": "At each bar the average over that bar's period.",
    "MAXINDEX": "Counts bars from the first one with a value.",
    "MININDEX": "Counts bars from the first one with a value.",
    "MINMAXINDEX": "Counts bars from the first one with a value.",
    "MAMA": "`fastlimit` and `slowlimit` bound the weight of the newest bar.",
    "VWAP": "Cumulated from the first bar on, with no new start at a session's open.",
}

_OUTPUTS = {
    "upperband": "The upper band.",
    "middleband": "The middle line.",
    "lowerband": "The lower band.",
    "macd": "The fast average less the slow one.",
    "macdsignal": "The average of the macd line.",
    "macdhist": "The macd line less its signal line.",
    "fastk": "The raw line.",
    "fastd": "The average of fastk.",
    "slowk": "The smoothed line.",
    "slowd": "The average of slowk.",
    "k": "The smoothed line.",
    "d": "The average of k.",
    "j": "3 x k - 2 x d.",
    "aroonup": "100 where the highest high is the newest bar, 0 where it is the oldest.",
    "aroondown": "100 where the lowest low is the newest bar, 0 where it is the oldest.",
    "mama": "The quicker average.",
    "fama": "The slower, following average.",
    "swinghigh": "100 where a swing high is confirmed, `rightbars` bars after it; 0 elsewhere.",
    "swinglow": "100 where a swing low is confirmed, `rightbars` bars after it; 0 elsewhere.",
    "trend": "1 while the trend is up, -1 while it is down.",
    "supertrend": "The stop line.",
}


def describe(info: FunctionInfo) -> str:
    """Return the docstring of a function's component."""
    lines = [f"{info.title} (TA-Lib's {info.name}).", "", " ".join(_sentences(info))]
    return "\n".join(lines)


def describe_output(info: FunctionInfo, name: str) -> str:
    """Return what one output holds."""
    if info.is_candlestick:
        return "100 (bullish), -100 (bearish) or 0 (no pattern); some give 80 for a weaker form, 200 when confirmed."
    return _OUTPUTS.get(name, f"{info.title}." if name == "value" else f"{info.title}: {name}.")


def _sentences(info: FunctionInfo) -> list[str]:
    bars = lookback(info.name, {})
    sentences = [f"Group: {info.group}. Known at the close of each bar."]
    if info.is_candlestick:
        sentences.append("100 where a bullish pattern ends, -100 where a bearish one does, 0 elsewhere.")
        sentences.append(f"It needs {bars} bars before, and is 0 until then.")
    elif bars:
        if info.parameters:
            sentences.append(f"The first value comes after {bars} bars with the default parameters; NaN before.")
        else:
            sentences.append(f"The first value comes after {bars} bars; NaN before.")
    if info.name in _NOTES:
        sentences.append(_NOTES[info.name])
    sentences.append("After a gap in its inputs (NaN) it restarts.")
    return sentences
