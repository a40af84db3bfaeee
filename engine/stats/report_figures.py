"""The charts of a report, as plain dicts for plotly.js.

Importing plotly's Python objects would take longer than most runs, so the dicts are written here. Two shorthands keep
the file small, and are resolved by report.js: a trace without `x` uses the figure's `x`, a trace with `at` the
figure's `x` at these places; a colour `@name` is the style sheet's variable of that name, light or dark.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api.bars import Bars
from quantcrafter.engine.api.engine import InstrumentJob
from quantcrafter.engine.api.ports import FloatColumn
from quantcrafter.engine.data.labels import local_time, wall_ns, zone_name
from quantcrafter.engine.stats import curve
from quantcrafter.engine.stats.report_data import ReportData, ReportSeries
from quantcrafter.engine.trading_calendar.trading_days import trading_days

Figure = dict[str, Any]
Title = tuple[str, str]

MAX_BARS = 20_000
MAX_CANDLES = 4_000
MAX_CHART_TRADES = 5_000
MAX_INSTRUMENTS = 12
MAX_PANELS = 6
_MAX_NUMBERS = 400_000
_MAX_CURVE_POINTS = 6_000
_SHOWN_OVERLAYS = 8
_PRICE_PX, _PANEL_PX, _GAP_PX, _MARGIN_PX = 420, 110, 26, 84
_LABEL_LENGTH = 40
_SIGNIFICANT = 7
_CHARACTER_PX = 6.6
_CROWDED = 400
_WIDE_RANGE = 8.0
_FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif'
_LINE_COLORS = tuple(f"@line{number}" for number in range(1, 9))


def label(text: str) -> str:
    """Return user text for a chart: plotly reads HTML in labels, so it is escaped, after cutting it short."""
    short = text if len(text) <= _LABEL_LENGTH else text[: _LABEL_LENGTH - 3] + "..."
    return html.escape(" ".join(short.split()) or "unnamed")


def numbers(values: npt.NDArray[Any]) -> list[float | None]:
    """Return the values for a chart: seven significant digits of the largest, None for NaN and infinity."""
    column = np.asarray(values, dtype=np.float64)
    finite = np.isfinite(column)
    largest = float(np.abs(column[finite]).max(initial=0.0))
    decimals = _SIGNIFICANT - 1 - math.floor(math.log10(largest)) if largest > 0 else 0
    rounded = np.round(column, max(decimals, 0)) if decimals < 15 else column  # noqa: PLR2004 - digits of a double
    return [value if ok else None for value, ok in zip(rounded.tolist(), finite.tolist(), strict=True)]


def price_figure(data: ReportData, index: int) -> Figure:
    """Return the price chart of an instrument: bars, overlays, trades, and a panel for each other node."""
    job = data.instruments[index]
    own = [series for series in data.series if series.instrument == index and len(series.values) == len(job.bars)]
    size = bucket_size(len(job.bars), len(data.instruments), len(own))
    starts = np.arange(0, len(job.bars), size)
    traces = [_price_trace(job.bars, starts, size)]
    overlays = [series for series in own if series.overlay]
    for number, series in enumerate(overlays):
        traces.append(_line(series, starts, size, number, hidden=number >= _SHOWN_OVERLAYS))
    panels = list(dict.fromkeys(series.node for series in own if not series.overlay))[:MAX_PANELS]
    titles: list[Sequence[Title]] = []
    for position, node in enumerate(panels):
        inside = [each for each in own if each.node == node and not each.overlay]
        lines = [_line(series, starts, size, number) for number, series in enumerate(inside)]
        traces += [{**line, "yaxis": f"y{position + 2}", "showlegend": False} for line in lines]
        titles.append([(line["name"], line["line"]["color"]) for line in lines])
    traces += [*_roll_traces(job, size), *_trade_traces(data, index, size)]
    layout = _layout([([], _PRICE_PX), *((title, _PANEL_PX) for title in titles)])
    layout["xaxis"] |= {"type": "category", "range": [-0.5, len(starts) - 0.5], "rangeslider": {"visible": False}}
    if job.bars.timeframe.is_intraday:
        _name_zone(layout, job.bars.session.timezone)
    figure = {"x": bar_labels(job.bars, starts), "traces": traces, "layout": layout}
    return _with_log_choice(figure, job.bars.low, job.bars.high)


def bucket_size(bars: int, instruments: int, series: int) -> int:
    """Return how many bars become one point, so that the whole report stays small."""
    shown = min(instruments, MAX_INSTRUMENTS) or 1
    limit = max(500, min(MAX_BARS, _MAX_NUMBERS // (shown * (5 + series))))
    return max(1, math.ceil(bars / limit))


def bar_labels(bars: Bars, starts: npt.NDArray[np.integer]) -> list[str]:
    """Return a different text for each bar: its trading day, or its opening time at the exchange.

    The chart has one place a label, so nights, weekends and holidays leave no gaps. Where clocks are set back, a time
    that comes again has its distance to UTC behind it.
    """
    opens, zone = bars.open_ns[starts], bars.session.timezone
    if bars.timeframe.is_intraday:
        unit = "s" if bars.timeframe.unit == "s" else "m"
        local = wall_ns(opens, zone).astype("datetime64[ns]").astype(f"datetime64[{unit}]")
        texts = [text.replace("T", " ") for text in local.astype(str).tolist()]
    else:
        texts = trading_days(opens, bars.session).astype("datetime64[D]").astype(str).tolist()
    seen: set[str] = set()
    for place, text in enumerate(texts):
        if text in seen:
            texts[place] = f"{text} {local_time(int(opens[place]), zone):%z}"
            if texts[place] in seen:
                texts[place] = f"{text} #{place + 1}"
        seen.add(texts[place])
    return texts


def equity_figure(data: ReportData) -> Figure:
    """Return equity with buy-and-hold and benchmark above, drawdown below, at the steps that matter for the eye."""
    ledger, cash = data.ledger, data.settings.cash
    with np.errstate(all="ignore"):
        fall = curve.drawdown_curve(curve.grown_equity(ledger), cash)
        held = curve.buy_and_hold_curve(ledger, data.instruments, cash)
    steps = curve_points(ledger.equity, fall)
    width = {"width": 1.6}
    traces: list[dict[str, Any]] = [
        {"type": "scatter", "mode": "lines", "name": "Equity", "y": numbers(ledger.equity[steps])}
        | {"line": {**width, "color": "@accent"}},
        {"type": "scatter", "mode": "lines", "name": "Buy and hold", "y": numbers(held[steps])}
        | {"line": {"width": 1.2, "color": "@muted", "dash": "dot"}},
        *_benchmark_traces(data, steps),
        {"type": "scatter", "mode": "lines", "name": "Drawdown", "y": numbers(-fall[steps]), "yaxis": "y2"}
        | {"line": {"width": 1.2, "color": "@down"}, "fill": "tozeroy", "fillcolor": "@down-soft"}
        | {"hovertemplate": "%{y:.2f} %<extra>Drawdown</extra>", "showlegend": False},
    ]
    layout = _layout([([], 300), ([("Drawdown, %", "@down")], 140)])
    zone = data.times.zone
    layout["xaxis"] |= {"type": "date"}
    if data.times.is_intraday:
        _name_zone(layout, zone)
    if not (fall[steps] > 0).any():
        layout["yaxis2"] |= {"range": [-1, 0]}
    figure = {"x": (wall_ns(ledger.ts_ns[steps], zone) // 1_000_000).tolist(), "traces": traces, "layout": layout}
    lines = [ledger.equity, held, *([] if data.benchmark is None else [data.benchmark.growth * cash])]
    return _with_log_choice(figure, np.fmin.reduce(lines), np.fmax.reduce(lines))


def _benchmark_traces(data: ReportData, steps: npt.NDArray[np.intp]) -> list[dict[str, Any]]:
    """Return what the starting cash would have become in the benchmark, where there is one."""
    if data.benchmark is None:
        return []
    line = {"width": 1.2, "color": "@line1", "dash": "dash"}
    name = label(f"Benchmark {data.benchmark.name}")
    values = numbers(data.benchmark.growth[steps] * data.settings.cash)
    return [{"type": "scatter", "mode": "lines", "name": name, "y": values, "line": line}]


def curve_points(equity: FloatColumn, fall: FloatColumn) -> npt.NDArray[np.intp]:
    """Return the steps to draw: all of a short run, else each bucket's first, lowest, highest, and the deepest fall."""
    count = len(equity)
    if count <= _MAX_CURVE_POINTS:
        return np.arange(count)
    size = math.ceil(count / (_MAX_CURVE_POINTS // 3))
    whole = count // size * size
    first = np.arange(0, whole, size)
    buckets = equity[:whole].reshape(-1, size)
    tail = np.arange(whole, count)[:: max(1, size // 4)]
    extremes = (first, first + buckets.argmin(axis=1), first + buckets.argmax(axis=1), tail)
    return np.unique(np.concatenate((*extremes, [int(np.argmax(fall)), count - 1])))


def _with_log_choice(figure: Figure, low: FloatColumn, high: FloatColumn) -> Figure:
    """Let the reader choose a logarithmic scale where every value is positive; take it first for a wide range."""
    if len(low) and float(low.min()) > 0:
        wide = float(high.max()) > _WIDE_RANGE * float(low.min())
        return {**figure, "log": wide}
    return figure


def _price_trace(bars: Bars, starts: npt.NDArray[np.integer], size: int) -> dict[str, Any]:
    ends = np.minimum(starts + size, len(bars)) - 1
    if not len(bars) or len(starts) > MAX_CANDLES or size > 1:
        line = {"color": "@text", "width": 1.1}
        return {"type": "scatter", "mode": "lines", "name": "Close", "y": numbers(bars.close[ends]), "line": line}
    return {
        "type": "candlestick",
        "name": "Price",
        **{name: numbers(bars.column(name)) for name in ("open", "high", "low", "close")},
        "increasing": {"line": {"color": "@up", "width": 1}, "fillcolor": "@up-body"},
        "decreasing": {"line": {"color": "@down", "width": 1}, "fillcolor": "@down-body"},
    }


def _line(
    series: ReportSeries, starts: npt.NDArray[np.integer], size: int, number: int, *, hidden: bool = False
) -> dict[str, Any]:
    ends = np.minimum(starts + size, len(series.values)) - 1
    return {
        "type": "scatter",
        "mode": "lines",
        "name": label(series.name),
        "y": numbers(series.values[ends]),
        "line": {"color": _LINE_COLORS[number % len(_LINE_COLORS)], "width": 1.4},
        **({"visible": "legendonly"} if hidden else {}),
    }


def _trade_traces(data: ReportData, index: int, size: int) -> list[dict[str, Any]]:
    own = np.flatnonzero(data.ledger.trades["instrument"] == index)[-MAX_CHART_TRADES:]
    trades = data.ledger.trades[own]
    words = data.trades["exit_reason"][own]
    traces = [
        _joined(trades[trades["pnl"] > 0], size, "Winning trades", "@up"),
        _joined(trades[trades["pnl"] <= 0], size, "Losing trades", "@down"),
    ]
    held = [each for each in data.ledger.open_positions if each.instrument == index]
    for side, name, symbol in ((1, "Long entry", "triangle-up"), (-1, "Short entry", "triangle-down")):
        picked = trades[trades["side"] == side]
        still = [each for each in held if each.lots * side > 0]
        bars = [*picked["entry_bar"].tolist(), *(each.entry_bar for each in still)]
        prices = np.array([*picked["entry_price"].tolist(), *(each.entry_price for each in still)])
        color = "@long" if side > 0 else "@short"
        text = ["entry"] * len(picked) + ["entry, still open"] * len(still)
        traces.append(_marks(name, bars, prices, size, symbol, color, text))
    text = [f"{word.replace('_', ' ')}, {pnl:+,.2f}" for word, pnl in zip(words, trades["pnl"].tolist(), strict=True)]
    traces.append(_marks("Exit", trades["exit_bar"].tolist(), trades["exit_price"], size, "x", "@text", text))
    return [trace for trace in traces if trace["at"]]


def _roll_traces(job: InstrumentJob, size: int) -> list[dict[str, Any]]:
    """Return marks where a continuous series goes on with the next contract, at that contract's last close before."""
    rolls = job.rolls[-MAX_CHART_TRADES:]
    if not rolls:
        return []
    texts = [f"{label(each.old)} to {label(each.new)}" if each.old and each.new else "next contract" for each in rolls]
    texts = [f"{text}, {each.difference:+,.10g}" for text, each in zip(texts, rolls, strict=True)]
    prices = np.array([each.new_price for each in rolls])
    return [_marks("Roll", [each.bar for each in rolls], prices, size, "diamond", "@line3", texts)]


def _joined(trades: npt.NDArray[Any], size: int, name: str, color: str) -> dict[str, Any]:
    places: list[int | None] = []
    prices: list[float | None] = []
    for entry, leave in zip((trades["entry_bar"] // size).tolist(), (trades["exit_bar"] // size).tolist(), strict=True):
        places += [entry, leave, None]
    for entry, leave in zip(numbers(trades["entry_price"]), numbers(trades["exit_price"]), strict=True):
        prices += [entry, leave, None]
    line = {"color": color, "width": 1.6, "dash": "dot"}
    shape = {"type": "scatter", "mode": "lines", "name": name, "line": line, "hoverinfo": "skip"}
    return {**shape, "at": places, "y": prices}


def _marks(
    name: str, bars: Sequence[int], prices: npt.NDArray[Any], size: int, symbol: str, color: str, text: list[str]
) -> dict[str, Any]:
    marker: dict[str, Any] = {"symbol": symbol, "color": color}
    if len(bars) > _CROWDED:
        marker |= {"size": 5, "opacity": 0.7}
    else:
        marker |= {"size": 7 if symbol == "x" else 11, "line": {"width": 1, "color": "@paper"}}
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "at": [bar // size for bar in bars],
        "y": numbers(prices),
        "text": text,
        "hovertemplate": "%{y} (%{text})<extra>" + name + "</extra>",
        "marker": marker,
    }


def _layout(panels: Sequence[tuple[Sequence[Title], int]]) -> dict[str, Any]:
    """Return a layout with one y axis a panel (titles, height in pixels), from the top down, on a common x axis."""
    inner = sum(height for _, height in panels) + _GAP_PX * (len(panels) - 1)
    axis = {"gridcolor": "@grid", "linecolor": "@grid", "zerolinecolor": "@grid", "tickfont": {"size": 11}}
    layout: dict[str, Any] = {
        "height": inner + _MARGIN_PX,
        "margin": {"l": 0, "r": 8, "t": 44, "b": 40},
        "paper_bgcolor": "@paper",
        "plot_bgcolor": "@paper",
        "font": {"color": "@text", "size": 12, "family": _FONT},
        "hovermode": "x unified",
        "hoverlabel": {"bgcolor": "@card", "bordercolor": "@grid", "font": {"color": "@text", "size": 12}},
        "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "font": {"size": 11}},
        "dragmode": "zoom",
        "annotations": [],
        "xaxis": {
            **axis,
            "tickangle": 0,
            "ticklabeloverflow": "hide past div",
            "anchor": "y" if len(panels) == 1 else f"y{len(panels)}",
            "showgrid": False,
        },
    }
    top = inner
    for number, (titles, height) in enumerate(panels, start=1):
        domain = [max(0.0, (top - height) / inner), top / inner]
        name = "yaxis" if number == 1 else f"yaxis{number}"
        layout[name] = {**axis, "domain": domain, "side": "right", "fixedrange": True, "automargin": True}
        layout["annotations"] += _titles(titles, top / inner)
        top -= height + _GAP_PX
    return layout


def _name_zone(layout: dict[str, Any], zone: str) -> None:
    """Say below the time axis whose time it is."""
    layout["xaxis"] |= {"title": {"text": html.escape(zone_name(zone)), "font": {"size": 11}, "standoff": 4}}
    layout["margin"] = {**layout["margin"], "b": 56}
    layout["height"] += 16


def _titles(titles: Sequence[Title], top: float) -> list[dict[str, Any]]:
    """Return the names of a panel's lines, each in its colour, side by side above the panel at its left."""
    place = {
        "xref": "paper",
        "yref": "paper",
        "x": 0,
        "y": top,
        "xanchor": "left",
        "yanchor": "bottom",
        "showarrow": False,
    }
    shifts = [sum(len(text) * _CHARACTER_PX + 14 for text, _ in titles[:number]) for number in range(len(titles))]
    return [
        {**place, "xshift": shift, "text": text, "font": {"size": 11, "color": color}}
        for (text, color), shift in zip(titles, shifts, strict=True)
    ]


def shown_instruments(data: ReportData) -> list[tuple[int, InstrumentJob]]:
    """Return the instruments that get a chart: those with bars, up to the limit."""
    return [(number, job) for number, job in enumerate(data.instruments) if len(job.bars)][:MAX_INSTRUMENTS]
