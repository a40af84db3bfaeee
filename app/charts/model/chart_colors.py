"""The colours of the chart in a theme. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from quantcrafter.app.theme.colors import Theme, mix

CANDLE_COLORS = ("green_red", "red_green", "blue_orange")
"""What rises and what falls; the last pair is told apart by colour-blind eyes, the second is usual in East Asia."""

_DARK_SERIES = (
    "#f4b942",
    "#5fb3ff",
    "#d58cff",
    "#4fd6c2",
    "#ff8fb1",
    "#b7d968",
    "#ff9d5c",
    "#9aa8ff",
    "#e6dc6a",
    "#7ad1f0",
)
_LIGHT_SERIES = (
    "#b06f00",
    "#0f62c9",
    "#8a2fc0",
    "#00796f",
    "#c2185b",
    "#5b7f00",
    "#bf4a00",
    "#3f48c0",
    "#857300",
    "#00769c",
)
_PAIRS = {
    (True, "green_red"): ("#26a69a", "#ef5350"),
    (False, "green_red"): ("#089981", "#e03a45"),
    (True, "blue_orange"): ("#4c9df8", "#f0913a"),
    (False, "blue_orange"): ("#1666c5", "#d9730d"),
}


@dataclass(frozen=True, slots=True)
class ChartLook:
    """Colours as `#rrggbb`, by their use; opaque ones, which are much faster to draw than translucent ones.

    `series` are the colours of the graph's outputs, by their `slot`.
    """

    background: str
    grid: str
    line: str
    text: str
    text_dim: str
    up: str
    down: str
    up_soft: str
    down_soft: str
    profit: str
    loss: str
    crosshair: str
    label: str
    label_text: str
    selection: str
    on_selection: str
    raised: str
    border: str
    equity: str
    hold: str
    benchmark: str
    drawdown: str
    drawdown_soft: str
    exposure: str
    exposure_soft: str
    roll: str
    series: tuple[str, ...]

    def slot(self, number: int) -> str:
        """Return the colour of the output with this number; there are more outputs than colours at times."""
        return self.series[number % len(self.series)]


@lru_cache(maxsize=8)
def _look(theme_name: str, dark: bool, colors: tuple[str, ...], candle_colors: str) -> ChartLook:  # noqa: FBT001
    panel, divider, border, text, text_dim, accent, on_accent, raised, error = colors
    up, down = candle_pair(dark=dark, candle_colors=candle_colors)
    del theme_name
    good, bad = _PAIRS[dark, "blue_orange" if candle_colors == "blue_orange" else "green_red"]
    soft = 0.34 if dark else 0.3
    return ChartLook(
        background=panel,
        grid=mix(divider, panel, 0.7),
        line=border,
        text=text,
        text_dim=text_dim,
        up=up,
        down=down,
        up_soft=mix(up, panel, soft),
        down_soft=mix(down, panel, soft),
        profit=good,
        loss=bad,
        crosshair=text_dim,
        label=mix(text, panel, 0.82),
        label_text=panel,
        selection=accent,
        on_selection=on_accent,
        raised=raised,
        border=border,
        equity=accent,
        hold=text_dim,
        benchmark=(_DARK_SERIES if dark else _LIGHT_SERIES)[0],
        drawdown=error,
        drawdown_soft=mix(error, panel, 0.22),
        exposure=text_dim,
        exposure_soft=mix(text_dim, panel, 0.25),
        roll=(_DARK_SERIES if dark else _LIGHT_SERIES)[2],
        series=_DARK_SERIES if dark else _LIGHT_SERIES,
    )


def chart_look(theme: Theme, candle_colors: str) -> ChartLook:
    """Return the chart's colours in a theme, with one of `CANDLE_COLORS` for the candles."""
    colors = (
        theme.panel,
        theme.divider,
        theme.border,
        theme.text,
        theme.text_dim,
        theme.accent,
        theme.on_accent,
        theme.raised,
        theme.error,
    )
    return _look(theme.name, theme.dark, colors, candle_colors)


def candle_pair(*, dark: bool, candle_colors: str) -> tuple[str, str]:
    """Return the colours of rising and falling candles."""
    if candle_colors == "red_green":
        up, down = _PAIRS[dark, "green_red"]
        return down, up
    return _PAIRS[dark, candle_colors if candle_colors == "blue_orange" else "green_red"]


def series_color(theme: Theme, slot: int) -> str:
    """Return the colour of an output in a theme, as the chart draws it; for marks on its node."""
    colors = _DARK_SERIES if theme.dark else _LIGHT_SERIES
    return colors[slot % len(colors)]
