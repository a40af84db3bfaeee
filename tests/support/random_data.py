"""Data files for strategies that are drawn at random: bars of several instruments, feeds, a rate, noise and events."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

FEEDS = (("F", "feed.csv"), ("G", "other.csv"))
_START = {"24x7": "2021-03-01T00:00", "us_stocks": "2021-03-01T14:30"}


@dataclass(frozen=True)
class Calendar:
    """What the instruments of a strategy have in common: their times, and whether there are corporate actions."""

    symbols: tuple[str, ...]
    timeframe: str
    session: str
    longer: tuple[str, ...]
    bars: int
    actions: bool

    @classmethod
    def draw(cls, rng: random.Random, *, least: int = 1) -> Calendar:
        """Draw one, of at least so many instruments."""
        symbols = ("AA", "BB", "CC")[: max(least, rng.choice((1, 1, 2, 3)))]
        timeframe, session = rng.choice((("1d", "24x7"), ("1d", "24x7"), ("1h", "us_stocks"), ("15m", "24x7")))
        longer = {"1d": ("1w", "1mo"), "1h": ("1d", "1w"), "15m": ("1h", "4h", "1d")}[timeframe]
        actions = timeframe == "1d" and rng.random() < 0.25
        return cls(symbols, timeframe, session, longer, rng.choice((60, 150, 250)), actions)

    def opens(self) -> npt.NDArray[np.datetime64]:
        """Return when the bars open (UTC)."""
        start = np.datetime64(_START[self.session], "m")
        if self.timeframe == "1h":
            # Seven bars a day, before the clocks change and on days without a holiday.
            days = np.arange(self.bars // 7 + 1)
            weekdays = (days // 5) * 7 + days % 5
            minutes = (weekdays[:, None] * 1440 + np.arange(7) * 60).ravel()[: self.bars]
        else:
            minutes = np.arange(self.bars) * {"1d": 1440, "15m": 15}[self.timeframe]
        return start + minutes.astype("timedelta64[m]")


def write_data(folder: Path, calendar: Calendar, seed: int) -> None:
    """Write every file that a strategy of that calendar may read."""
    rng = np.random.default_rng([seed, 1])
    opens = calendar.opens()
    _write_costs(folder, opens, seed)
    for number, symbol in enumerate(calendar.symbols):
        kept = rng.random(len(opens)) < (1.0 if number == 0 else 0.8)
        kept[: int(rng.integers(0, 20)) if number else 0] = False
        own, actions = _walk(rng, int(kept.sum())), _actions(rng, calendar, kept)
        spreads = np.random.default_rng([seed, 2, number]).choice([0.0, 1.0, 2.0, 7.0], (len(own), 1))
        _write(folder / f"{symbol}.csv", opens[kept], own, actions, spreads)
    members = "\n".join(f"{symbol},{number % 2},{number}" for number, symbol in enumerate(calendar.symbols))
    (folder / "members.csv").write_text(f"symbol,sector,place\n{members}\n", encoding="utf-8")
    for _, path in FEEDS:
        _write(folder / path, opens, _walk(rng, len(opens)))
    _write(folder / "fx.csv", opens, _walk(rng, len(opens), start=1.2, swing=0.003, decimals=5))
    noise = rng.uniform(1.0, 2.0, (len(opens), 2)).round(4)
    both = np.column_stack([noise[:, 0], noise.max(axis=1), noise.min(axis=1), noise[:, 1], np.ones(len(opens))])
    _write(folder / "noise.csv", opens, both)
    events = "\n".join(f"{opens[k]},news" for k in range(5, len(opens), 40))
    (folder / "events.csv").write_text(f"time,name\n{events}\n", encoding="utf-8")
    signals = "\n".join(
        f"{opens[k]},{rng.choice(['buy', 'sell', 'exit'])},{rng.normal():.3f}" for k in range(3, len(opens), 9)
    )
    (folder / "signals.csv").write_text(f"time,signal,value\n{signals}\n", encoding="utf-8")


def _write_costs(folder: Path, opens: npt.NDArray[np.datetime64], seed: int) -> None:
    """Write fundings of every eight hours, and swaps of every third day."""
    rng, days = np.random.default_rng([seed, 3]), opens.astype("datetime64[D]")
    times = np.arange(days[0].astype("datetime64[m]"), days[-1] + 3, np.timedelta64(8, "h"))
    fundings = [f"{when},{rate:.6f}" for when, rate in zip(times, rng.normal(0.0, 0.0005, len(times)), strict=True)]
    (folder / "fundings.csv").write_text("\n".join(["time,rate", *fundings]) + "\n", encoding="utf-8")
    swaps = [f"{day},{rng.normal():.3f},{rng.normal():.3f}" for day in np.arange(days[0] - 3, days[-1] + 3, 3)]
    (folder / "swaps.csv").write_text("\n".join(["date,long,short", *swaps]) + "\n", encoding="utf-8")


def _walk(
    rng: np.random.Generator, n: int, *, start: float = 100.0, swing: float = 0.02, decimals: int = 2
) -> npt.NDArray[np.float64]:
    """Return rows of open, high, low, close and volume: with gaps, flat stretches and bars without volume."""
    still = rng.random(n) < 0.05
    close = start * np.exp(np.cumsum(np.where(still, 0.0, rng.normal(0.0, swing, n))))
    open_ = np.concatenate([[start], close[:-1]]) * np.exp(np.where(still, 0.0, rng.normal(0.0, swing / 3, n)))
    ends = np.stack([open_, close])
    high = ends.max(axis=0) * (1.0 + np.where(still, 0.0, rng.exponential(swing / 3, n)))
    low = ends.min(axis=0) * (1.0 - np.where(still, 0.0, rng.exponential(swing / 3, n)))
    prices = np.column_stack([open_, high, low, close]).round(decimals)
    prices[:, 1], prices[:, 2] = prices.max(axis=1), prices.min(axis=1)
    volume = np.where(rng.random(n) < 0.05, 0.0, np.floor(rng.uniform(10, 3_000, n)))
    return np.column_stack([prices, volume])


def _actions(
    rng: np.random.Generator, calendar: Calendar, kept: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64] | None:
    """Return columns of splits and dividends, where the calendar has them."""
    if not calendar.actions:
        return None
    n = int(kept.sum())
    split = np.where(rng.random(n) < 0.02, rng.choice([2.0, 1.5, 0.5], n), 1.0)
    dividend = np.where(rng.random(n) < 0.05, rng.uniform(0.1, 1.0, n).round(2), 0.0)
    split[0], dividend[0] = 1.0, 0.0
    return np.column_stack([split, dividend])


def _write(
    path: Path,
    opens: npt.NDArray[np.datetime64],
    rows: npt.NDArray[np.float64],
    actions: npt.NDArray[np.float64] | None = None,
    spreads: npt.NDArray[np.float64] | None = None,
) -> None:
    names = "time,open,high,low,close,volume" + ("" if actions is None else ",split,dividend")
    names += "" if spreads is None else ",width"
    table = np.column_stack([each for each in (rows, actions, spreads) if each is not None])
    lines = [f"{when},{','.join(map(repr, row))}" for when, row in zip(opens, table.tolist(), strict=True)]
    path.write_text("\n".join([names, *lines]) + "\n", encoding="utf-8")
