"""Which columns the tables of a run show, and how their values read. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from quantcrafter.app.services.i18n import known, tr
from quantcrafter.engine.data.labels import DEFAULT_ZONE, with_zone
from quantcrafter.engine.runtime.results.run_view import RunView
from quantcrafter.engine.stats.metric_catalog import Metric, Value
from quantcrafter.engine.stats.run_times import RunTimes
from quantcrafter.engine.stats.tables import Table

Column = npt.NDArray[Any]
Kind = Literal["text", "word", "price", "amount", "quantity", "percent", "whole", "time"]

NO_VALUE = "\N{EN DASH}"
_SMALL = 1.0


@dataclass(frozen=True, slots=True)
class Shown:
    """A column of a table: the name that filters and files know it by, its title, and what its values are.

    `signed` values are coloured as gain and loss.
    """

    name: str
    title: str
    kind: Kind
    signed: bool = False

    @property
    def numeric(self) -> bool:
        """Whether values are numbers, which stand at the right."""
        return self.kind not in ("text", "word")


@dataclass(frozen=True, slots=True)
class ShownTable:
    """A table as it is shown: its columns, and where in the run each of its rows happened.

    `instrument` and `bar` have shape (rows,); `trade` tells that a row is a trade's row of `RunView.trades`. `times`
    says how its times are shown, and `time_bars` has the bar of each time, by the name of its column; -1 for none.
    """

    shown: tuple[Shown, ...]
    values: Table
    instrument: Column
    bar: Column
    times: RunTimes
    time_bars: Mapping[str, Column]
    trade: bool = False

    def title(self, shown: Shown) -> str:
        """Return a column's title, with the zone of its times."""
        return self.times.head(shown.title) if shown.kind == "time" else shown.title

    def text(self, shown: Shown, row: int) -> str:
        """Return a cell as people read it; a dash where there is no value."""
        value = self.values[shown.name][row]
        if shown.kind != "time":
            return text_of(shown.kind, value.item() if isinstance(value, np.generic) else value)
        if not value:
            return NO_VALUE
        return self.times.text(int(value), str(self.values["instrument"][row]), int(self.time_bars[shown.name][row]))

    def file_columns(self, rows: Column) -> dict[str, Column]:
        """Return rows for a file: the columns by name, times as text, and the zone of the times."""
        columns = {shown.name: self.values[shown.name][rows] for shown in self.shown}
        moments = {_time_name(name): columns[name] for name in self.time_bars}
        texts = self.times.file_columns(moments, self.values["instrument"][rows])
        named = {_time_name(name): column for name, column in columns.items()}
        return {**named, **texts}

    def wall_times(self, name: str) -> Column:
        """Return a column of times as the clocks of each row's exchange show them, in ns as if they were UTC."""
        return self.times.wall_ns(self.values[name], self.values["instrument"])


def _time_name(name: str) -> str:
    """Return what a file calls a column of times."""
    return name.replace("_ts_ns", "_time").replace("ts_ns", "time")


def trades_sheet(run: RunView) -> ShownTable:
    """Return the closed trades, with what each returned and how long it lasted."""
    table = run.trades
    entry, cost = np.abs(table["entry_price"]), table["entry_value"]
    with np.errstate(all="ignore"):
        columns = {
            "number": np.arange(1, len(table) + 1),
            **table.columns,
            "return_pct": np.where(cost > 0, 100.0 * table["pnl"] / cost, np.nan),
            "bars": table["exit_bar"] - table["entry_bar"],
            "mae_pct": np.where(entry > 0, 100.0 * table["mae"] / entry, np.nan),
            "mfe_pct": np.where(entry > 0, 100.0 * table["mfe"] / entry, np.nan),
        }
    shown = (
        Shown("number", tr("No."), "whole"),
        Shown("instrument", tr("Instrument"), "text"),
        Shown("side", tr("Side"), "word"),
        Shown("entry_ts_ns", tr("Entry time"), "time"),
        Shown("exit_ts_ns", tr("Exit time"), "time"),
        Shown("pnl", tr("Profit"), "amount", signed=True),
        Shown("return_pct", tr("Return"), "percent", signed=True),
        Shown("bars", tr("Bars"), "whole"),
        Shown("exit_reason", tr("Exit reason"), "word"),
        Shown("quantity", tr("Quantity"), "quantity"),
        Shown("entry_price", tr("Entry price"), "price"),
        Shown("exit_price", tr("Exit price"), "price"),
        Shown("mae_pct", tr("MAE"), "percent"),
        Shown("mfe_pct", tr("MFE"), "percent"),
        Shown("commission", tr("Commission"), "amount"),
        Shown("slippage", tr("Slippage"), "amount"),
        *((Shown("parts", tr("Parts"), "whole"),) if "parts" in columns else ()),
        *((Shown("pair", tr("Pair"), "whole"),) if "pair" in columns else ()),
    )
    bars = {"entry_ts_ns": table["entry_bar"], "exit_ts_ns": table["exit_bar"]}
    return ShownTable(shown, Table(columns), _numbers(run, table), table["entry_bar"], run.times, bars, trade=True)


def parts_sheet(run: RunView) -> ShownTable:
    """Return the parts in which positions were closed, with the number of the trade that each belongs to."""
    table = run.parts
    number = np.where(table["trade"] < 0, np.nan, table["trade"] + 1.0)
    shown = (
        Shown("number", tr("Trade"), "whole"),
        Shown("instrument", tr("Instrument"), "text"),
        Shown("side", tr("Side"), "word"),
        Shown("exit_ts_ns", tr("Exit time"), "time"),
        Shown("pnl", tr("Profit"), "amount", signed=True),
        Shown("exit_reason", tr("Exit reason"), "word"),
        Shown("quantity", tr("Quantity"), "quantity"),
        Shown("entry_price", tr("Entry price"), "price"),
        Shown("exit_price", tr("Exit price"), "price"),
        Shown("commission", tr("Commission"), "amount"),
        Shown("slippage", tr("Slippage"), "amount"),
    )
    values = Table({"number": number, **table.columns})
    bars = {"exit_ts_ns": table["exit_bar"]}
    return ShownTable(shown, values, _numbers(run, table), table["exit_bar"], run.times, bars)


def orders_sheet(run: RunView) -> ShownTable:
    """Return the orders with their life."""
    table = run.orders
    closed = np.array([-1 if bar is None else bar for bar in table["closed_bar"]], dtype=np.int64)
    numbers = _numbers(run, table)
    created_ns, closed_ns = _close_times(run, numbers, table["created_bar"]), _close_times(run, numbers, closed)
    columns = {**table.columns, "created_ts_ns": created_ns, "closed_ts_ns": closed_ns}
    shown = (
        Shown("order_id", tr("Order"), "whole"),
        Shown("instrument", tr("Instrument"), "text"),
        Shown("reason", tr("Purpose"), "word"),
        Shown("rule", tr("Node"), "text"),
        Shown("side", tr("Side"), "word"),
        Shown("order_type", tr("Type"), "word"),
        Shown("quantity", tr("Quantity"), "quantity"),
        Shown("price", tr("Order price"), "price"),
        Shown("created_ts_ns", tr("Created"), "time"),
        Shown("status", tr("Status"), "word"),
        Shown("closed_ts_ns", tr("Ended"), "time"),
        Shown("fill_price", tr("Fill price"), "price"),
        Shown("status_reason", tr("Why"), "word"),
    )
    bars = {"created_ts_ns": table["created_bar"], "closed_ts_ns": closed}
    latest = np.where(closed >= 0, closed, table["created_bar"])
    return ShownTable(shown, Table(columns), numbers, latest, run.times, bars)


def blocked_sheet(run: RunView) -> ShownTable:
    """Return the entry signals that became no order."""
    table = run.blocked
    side = np.where(table["flags"] & 1, "long", "short")
    shown = (
        Shown("ts_ns", tr("Time"), "time"),
        Shown("instrument", tr("Instrument"), "text"),
        Shown("side", tr("Side"), "word"),
        Shown("reason", tr("Blocked by"), "word"),
    )
    values = Table({**table.columns, "side": side})
    return ShownTable(shown, values, _numbers(run, table), table["bar"], run.times, {"ts_ns": table["bar"]})


def interventions_sheet(run: RunView) -> ShownTable:
    """Return what rules and the broker did beyond the signals; a row of the whole account stands at its step."""
    table = run.interventions
    shown = (
        Shown("ts_ns", tr("Time"), "time"),
        Shown("kind", tr("What happened"), "word"),
        Shown("node", tr("Node"), "text"),
        Shown("instrument", tr("Instrument"), "text"),
        Shown("before", tr("Before"), "amount"),
        Shown("after", tr("After"), "amount"),
    )
    bars = {"ts_ns": np.where(table["instrument"] == "", -1, table["bar"])}
    return ShownTable(shown, table, _numbers(run, table), _bars_at(run, table), run.times, bars)


def notices_sheet(run: RunView) -> ShownTable:
    """Return what nodes noted, with their texts."""
    table = run.notices
    shown = (
        Shown("ts_ns", tr("Time"), "time"),
        Shown("kind", tr("What happened"), "word"),
        Shown("node", tr("Node"), "text"),
        Shown("instrument", tr("Instrument"), "text"),
        Shown("text", tr("Text"), "text"),
    )
    return ShownTable(shown, table, _numbers(run, table), table["bar"], run.times, {"ts_ns": table["bar"]})


def cashflows_sheet(run: RunView) -> ShownTable:
    """Return money that came or went without a fill; what was withdrawn from the account stands at its step."""
    table = run.cashflows
    shown = (
        Shown("ts_ns", tr("Time"), "time"),
        Shown("instrument", tr("Instrument"), "text"),
        Shown("kind", tr("Purpose"), "word"),
        Shown("amount", tr("Amount"), "amount", signed=True),
    )
    bars = {"ts_ns": np.where(table["instrument"] == "", -1, table["bar"])}
    return ShownTable(shown, table, _numbers(run, table), _bars_at(run, table), run.times, bars)


def _bars_at(run: RunView, table: Table) -> Column:
    """Return each row's bar; for the whole account the first instrument's latest one at that time."""
    whole = table["instrument"] == ""
    latest = np.searchsorted(run.instruments[0].bars.close_ns, table["ts_ns"], side="right") - 1
    return np.asarray(np.where(whole, np.maximum(latest, 0), table["bar"]))


def text_of(kind: Kind, value: Any) -> str:
    """Return a value that is no time as people read it; a dash where there is none."""
    if value is None or (isinstance(value, float) and not np.isfinite(value)):
        return NO_VALUE
    return _TEXTS[kind](value)


def word(value: str) -> str:
    """Return a word of the books, such as `take_profit`, in the language in use; empty for `none`."""
    return "" if value == "none" else known(value.replace("_", " "))


def metric_name(metric: Metric, zone: str = "") -> str:
    """Return what a figure is called, with the unit where its value does not show it, and the zone of a time."""
    name = known(metric.label)
    if metric.unit == "time" and zone:
        return with_zone(name, zone)
    return f"{name}, {known(metric.unit)}" if metric.unit in ("days", "bars") else name


def value_text(metric: Metric, value: Value, zone: str = DEFAULT_ZONE) -> str:
    """Return a figure with its unit in the language in use; a time is that of a zone."""
    text = metric.text(value, zone)
    number = text.removesuffix(" a year")
    return text if number == text else tr("{number} per year", number=number)


_TEXTS: dict[Kind, Callable[[Any], str]] = {
    "text": str,
    "word": lambda value: word(str(value)),
    "price": lambda value: f"{value:,.2f}" if abs(value) >= _SMALL else f"{value:.6g}",
    "amount": lambda value: f"{value + 0.0:,.2f}",
    "quantity": lambda value: f"{value:,.10g}",
    "percent": lambda value: f"{value + 0.0:,.2f} %",
    "whole": lambda value: f"{int(value)}",
}


def _numbers(run: RunView, table: Table) -> Column:
    """Return the index of each row's instrument."""
    names = table["instrument"]
    numbers = np.zeros(len(names), dtype=np.int64)
    for number, job in enumerate(run.instruments):
        numbers[names == job.symbol] = number
    return numbers


def _close_times(run: RunView, numbers: Column, bars: Column) -> Column:
    times = np.zeros(len(bars), dtype=np.int64)
    for number, job in enumerate(run.instruments):
        own = (numbers == number) & (bars >= 0)
        times[own] = job.bars.close_ns[bars[own]]
    return times
