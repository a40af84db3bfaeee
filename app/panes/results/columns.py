"""Which columns the tables of a run show, and how their values read. No Qt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from quantcrafter.app.services.i18n import known, tr
from quantcrafter.engine.runtime.results.run_view import RunView
from quantcrafter.engine.stats.metric_catalog import Metric, Value
from quantcrafter.engine.stats.tables import Table

Column = npt.NDArray[Any]
Kind = Literal["text", "word", "price", "amount", "quantity", "percent", "whole", "time"]

NO_VALUE = "\N{EN DASH}"
_SMALL, _MINUTE, _DAY = 1.0, 16, 10
_DAY_NS = 86_400_000_000_000


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

    `instrument` and `bar` have shape (rows,); `trade` tells that a row is a trade's row of `RunView.trades`.
    """

    shown: tuple[Shown, ...]
    values: Table
    instrument: Column
    bar: Column
    trade: bool = False


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
    )
    return ShownTable(shown, Table(columns), _numbers(run, table), table["entry_bar"], trade=True)


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
    return ShownTable(shown, Table(columns), numbers, np.where(closed >= 0, closed, table["created_bar"]))


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
    return ShownTable(shown, Table({**table.columns, "side": side}), _numbers(run, table), table["bar"])


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
    return ShownTable(shown, table, _numbers(run, table), _bars_at(run, table))


def cashflows_sheet(run: RunView) -> ShownTable:
    """Return money that came or went without a fill."""
    table = run.cashflows
    shown = (
        Shown("ts_ns", tr("Time"), "time"),
        Shown("instrument", tr("Instrument"), "text"),
        Shown("kind", tr("Purpose"), "word"),
        Shown("amount", tr("Amount"), "amount", signed=True),
    )
    return ShownTable(shown, table, _numbers(run, table), table["bar"])


def _bars_at(run: RunView, table: Table) -> Column:
    """Return each row's bar; for the whole account the first instrument's latest one at that time."""
    whole = table["instrument"] == ""
    latest = np.searchsorted(run.instruments[0].bars.close_ns, table["ts_ns"], side="right") - 1
    return np.asarray(np.where(whole, np.maximum(latest, 0), table["bar"]))


def text_of(kind: Kind, value: Any, *, intraday: bool) -> str:
    """Return a value as people read it; a dash where there is none."""
    if value is None or (isinstance(value, float) and not np.isfinite(value)):
        return NO_VALUE
    return _TEXTS[kind](value, intraday)


def word(value: str) -> str:
    """Return a word of the books, such as `take_profit`, in the language in use; empty for `none`."""
    return "" if value == "none" else known(value.replace("_", " "))


def metric_name(metric: Metric) -> str:
    """Return what a figure is called, with the unit where its value does not show it."""
    return f"{known(metric.label)}, {known(metric.unit)}" if metric.unit in ("days", "bars") else known(metric.label)


def value_text(metric: Metric, value: Value) -> str:
    """Return a figure with its unit in the language in use."""
    text = metric.text(value)
    number = text.removesuffix(" a year")
    return text if number == text else tr("{number} per year", number=number)


def _time(value: Any, intraday: bool) -> str:  # noqa: FBT001 - one signature for all kinds
    return (
        str(np.datetime64(int(value), "ns"))[: _MINUTE if intraday else _DAY].replace("T", " ") if value else NO_VALUE
    )


_TEXTS: dict[Kind, Callable[[Any, bool], str]] = {
    "text": lambda value, _: str(value),
    "word": lambda value, _: word(str(value)),
    "price": lambda value, _: f"{value:,.2f}" if abs(value) >= _SMALL else f"{value:.6g}",
    "amount": lambda value, _: f"{value + 0.0:,.2f}",
    "quantity": lambda value, _: f"{value:,.10g}",
    "percent": lambda value, _: f"{value + 0.0:,.2f} %",
    "whole": lambda value, _: f"{int(value)}",
    "time": _time,
}


def is_intraday(run: RunView) -> bool:
    """Return whether times of day say anything in this run."""
    return any(job.bars.timeframe.is_intraday for job in run.instruments)


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
