"""Small strategies as files: bars of a few numbers with the signal next to them, run as a user would run them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from quantcrafter.engine.plugins import Registry, load_registry
from quantcrafter.engine.runtime.results.result import RunResult
from quantcrafter.engine.runtime.running.run import run

Row = Sequence[Any]
"""Open, high, low, close, then words: signals such as `enter_long`, `volume=40`, `value=1.5` (else there is none)."""

TEN = "{use: fixed_quantity, quantity: 10}"
_FIRST_DAY = date(2024, 1, 1)
_LOGIC = """\
data:
  enter_long: {use: feed, symbol: S, data: csv, path: enter_long.csv, session: 24x7}
  exit_long: {use: feed, symbol: S, data: csv, path: exit_long.csv, session: 24x7}
  enter_short: {use: feed, symbol: S, data: csv, path: enter_short.csv, session: 24x7}
  exit_short: {use: feed, symbol: S, data: csv, path: exit_short.csv, session: 24x7}
  values: {use: feed, symbol: S, data: csv, path: values.csv, session: 24x7}
logic:
  el: {use: compare, left: enter_long.close, op: "==", right: 2}
  xl: {use: compare, left: exit_long.close, op: "==", right: 2}
  es: {use: compare, left: enter_short.close, op: "==", right: 2}
  xs: {use: compare, left: exit_short.close, op: "==", right: 2}
  one: {use: arithmetic, left: values.volume, op: "/", right: values.volume}
  v: {use: arithmetic, left: values.volume, op: "*", right: one}
advisors:
  go: {use: rule, enter_long: [el], exit_long: [xl], enter_short: [es], exit_short: [xs]}
"""
_BY_VOLUME = """\
logic:
  el: {use: compare, left: bars.volume, op: "==", right: 2}
  xl: {use: compare, left: bars.volume, op: "==", right: 3}
  es: {use: compare, left: bars.volume, op: "==", right: 4}
  xs: {use: compare, left: bars.volume, op: "==", right: 5}
advisors:
  go: {use: rule, enter_long: [el], exit_long: [xl], enter_short: [es], exit_short: [xs]}
"""
SIGNALS = {"enter_long": 2, "exit_long": 3, "enter_short": 4, "exit_short": 5}


@cache
def registry() -> Registry:
    """Return what is installed."""
    return load_registry()


@dataclass
class SmallCase:
    """A strategy of one execution node. `node` is its name and settings, `risk` its risk managers.

    Bars of several instruments carry at most one signal each. The words `value=` of a bar are the series `v`.
    """

    node: str = "use: market"
    risk: Sequence[str] = ()
    money: str = TEN
    run: str = "{cash: 100000}"
    instrument: str = ""
    extra: str = ""

    def write(self, folder: Path, bars: Sequence[Row] | Mapping[str, Sequence[Row]]) -> Path:
        """Write the strategy and its data, and return the strategy's path."""
        tables = bars if isinstance(bars, Mapping) else {"A": bars}
        several = isinstance(bars, Mapping)
        for symbol, rows in tables.items():
            _write(folder / f"{symbol}.csv", [(*row[:4], _volume(row, coded=several)) for row in rows])
        lines = ["quantcrafter: 1", "instruments:"]
        more = f", {self.instrument}" if self.instrument else ""
        lines += [
            f"  - {{symbol: {symbol}, data: csv, path: {symbol}.csv, timeframe: 1d, session: 24x7{more}}}"
            for symbol in tables
        ]
        if not several:
            for name in SIGNALS:
                _write(folder / f"{name}.csv", [(2.0 if name in _words(row) else 1.0,) * 4 + (0.0,) for row in bars])
            _write(folder / "values.csv", [(1.0,) * 4 + (_number(row, "value", 0.0),) for row in bars])
        lines += [_BY_VOLUME.rstrip() if several else _LOGIC.rstrip()]
        names = [f"r{number}" for number in range(len(self.risk))]
        if names:
            lines += ["risk:", *(f"  {name}: {{{rule}}}" for name, rule in zip(names, self.risk, strict=True))]
        wired = f", risk: [{', '.join(names)}]" if names else ""
        lines += ["money:", f"  size: {self.money}", "execution:"]
        lines += [f"  entry: {{{self.node}, signals: [go], money: size{wired}}}", f"run: {self.run}", self.extra]
        path = folder / "case.yaml"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    def trade(self, folder: Path, bars: Sequence[Row] | Mapping[str, Sequence[Row]]) -> RunResult:
        """Run the strategy from its files."""
        return run(self.write(folder, bars), registry=registry())


def fills_of(result: RunResult) -> list[tuple[Any, ...]]:
    """Return bar, side, quantity, price and reason of each fill, with its symbol first where there are several."""
    names: tuple[str, ...] = ("bar", "side", "quantity", "price", "reason")
    if len(result.instruments) > 1:
        names = ("instrument", *names)
    return _rows(result.fills, names)


def trades_of(result: RunResult, *names: str) -> list[tuple[Any, ...]]:
    """Return these columns of each trade."""
    return _rows(result.trades, names)


def orders_of(result: RunResult, *names: str) -> list[tuple[Any, ...]]:
    """Return these columns of each order."""
    return _rows(result.orders, names)


def blocked_of(result: RunResult) -> list[tuple[int, str]]:
    """Return bar and reason of each entry that was not made."""
    return [(int(row["bar"]), str(row["reason"])) for row in result.blocked.rows()]


def equity_of(result: RunResult) -> list[Any]:
    """Return the equity of each step."""
    return [pytest.approx(float(value), abs=1e-6) for value in result.equity["value"]]


def assert_fills(result: RunResult, *wanted: tuple[Any, ...]) -> None:
    """Compare all fills with `(bar, side, quantity, price, reason)`, exact except for the last bits of a float."""
    assert_rows(fills_of(result), wanted)


def assert_rows(found: Sequence[tuple[Any, ...]], wanted: Sequence[tuple[Any, ...]]) -> None:
    """Compare rows, numbers but for their last bits."""
    assert len(found) == len(wanted), f"{found} instead of {wanted}"
    for mine, theirs in zip(found, wanted, strict=True):
        same = len(mine) == len(theirs) and all(
            a == (b if b is None or isinstance(b, str) else pytest.approx(b, abs=1e-9))
            for a, b in zip(mine, theirs, strict=True)
        )
        assert same, f"{mine} instead of {theirs}, in {found}"


def _rows(table: Any, names: Sequence[str]) -> list[tuple[Any, ...]]:
    return [tuple(_plain(row[name]) for name in names) for row in table.rows()]


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, str) else float(value)


def _words(row: Row) -> list[str]:
    return " ".join(str(word) for word in row[4:]).split()


def _number(row: Row, name: str, default: float) -> float:
    return next((float(word.partition("=")[2]) for word in _words(row) if word.startswith(f"{name}=")), default)


def _volume(row: Row, *, coded: bool) -> float:
    if coded:
        return next((SIGNALS[word] for word in _words(row) if word in SIGNALS), 1.0)
    return _number(row, "volume", 1000.0)


def _write(path: Path, rows: Sequence[Sequence[float]]) -> None:
    lines = [
        ",".join([str(_FIRST_DAY + timedelta(days=day)), *(repr(float(value)) for value in row)])
        for day, row in enumerate(rows)
    ]
    path.write_text("\n".join(["time,open,high,low,close,volume", *lines]) + "\n", encoding="utf-8")
