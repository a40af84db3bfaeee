"""The texts of the chart: ticks of the time axis, the values at a bar, trades. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from quantcrafter.app.charts.model.chart import ChartModel
from quantcrafter.app.charts.model.chart_state import DRAWDOWN, EQUITY, EXPOSURE
from quantcrafter.app.charts.model.detail_levels import FlagLevels
from quantcrafter.app.charts.model.outputs import ChartOutput
from quantcrafter.app.charts.model.prices import number_text, sensible_decimals, short_text
from quantcrafter.app.charts.model.rolls import RollGroup
from quantcrafter.app.charts.model.time_axis import Tick
from quantcrafter.app.charts.model.trades import TradeGroup
from quantcrafter.app.services.i18n import tr
from quantcrafter.engine.api.engine import Roll
from quantcrafter.engine.api.ledger import OpenPosition
from quantcrafter.engine.api.ports import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT, PortType


@dataclass(frozen=True, slots=True)
class Quote:
    """The values of a bar as texts; `rising` says which way it went."""

    time: str
    prices: tuple[tuple[str, str], ...]
    change: str
    volume: str
    rising: bool


def month_name(month: int) -> str:
    """Return the short name of a month, 1 to 12."""
    names = (
        tr("Jan"),
        tr("Feb"),
        tr("Mar"),
        tr("Apr"),
        tr("May"),
        tr("Jun"),
        tr("Jul"),
        tr("Aug"),
        tr("Sep"),
        tr("Oct"),
        tr("Nov"),
        tr("Dec"),
    )
    return names[month - 1]


def tick_text(tick: Tick) -> str:
    """Return what stands at a tick: the year, the month, the day or the time, whichever is new there."""
    if tick.kind == "year":
        return str(tick.time.year)
    if tick.kind == "month":
        return month_name(tick.time.month)
    if tick.kind == "day":
        return str(tick.time.day)
    return tick.time.strftime("%H:%M:%S" if tick.kind == "second" else "%H:%M")


def quote_of(model: ChartModel, bar: int) -> Quote:
    """Return a bar's time, prices, change against the close before, and volume."""
    bars, digits = model.job.bars, model.decimals
    values = (bars.open, bars.high, bars.low, bars.close)
    letters = (tr("O"), tr("H"), tr("L"), tr("C"))
    before = float(bars.close[bar - 1]) if bar else float(bars.open[bar])
    close = float(bars.close[bar])
    percent = 100.0 * (close / before - 1.0) if before else 0.0
    prices = tuple(
        (letter, number_text(float(column[bar]), digits)) for letter, column in zip(letters, values, strict=True)
    )
    change = f"{close - before:+,.{digits}f} ({percent:+.2f}%)"
    return Quote(model.clock.text(bar), prices, change, short_text(float(bars.volume[bar])), close >= before)


def holding_texts(model: ChartModel, bar: int) -> tuple[tuple[str, str], ...]:
    """Return position and equity at the close of a bar, each with its name."""
    units = model.holdings.units(bar)
    position = f"{units:+,.10g}" if units else "0"
    equity = float(model.curves.equity.column[bar])
    return (tr("Position"), position), (tr("Equity"), number_text(equity, 2))


def value_text(model: ChartModel, output: ChartOutput, bar: int) -> str:
    """Return the value of an output at a bar."""
    line = model.lines[output.key]
    if isinstance(line, FlagLevels):
        return _flag_text(output.type, int(line.column[bar]))
    value = float(line.column[bar])
    return number_text(value, max(sensible_decimals(abs(value)), 0))


def curve_text(value: float, *, percent: bool) -> str:
    """Return a value of the account: an amount, or a percentage."""
    return f"{number_text(value, 2)}%" if percent and np.isfinite(value) else number_text(value, 2)


def trade_lines(model: ChartModel, row: int) -> list[str]:
    """Return the text of a trade: side and size, entry, exit, result and exit reason."""
    trade = model.run.trades[row]
    digits = model.decimals
    entry, leave = int(trade["entry_bar"]), int(trade["exit_bar"])
    side = tr("Long") if trade["side"] == "long" else tr("Short")
    moved = (trade["exit_price"] - trade["entry_price"]) * (1 if trade["side"] == "long" else -1)
    change = f" ({100.0 * moved / abs(trade['entry_price']):+.2f}%)" if trade["entry_price"] else ""
    return [
        tr("{side} {quantity}, trade {number}", side=side, quantity=f"{trade['quantity']:,.10g}", number=row + 1),
        tr("In: {price}, {time}", price=number_text(trade["entry_price"], digits), time=model.clock.text(entry)),
        tr("Out: {price}, {time}", price=number_text(trade["exit_price"], digits), time=model.clock.text(leave)),
        tr("Result: {pnl}", pnl=f"{trade['pnl']:+,.2f}{change}"),
        tr("Bars: {count}", count=leave - entry),
        reason_text(str(trade["exit_reason"])),
    ]


def reason_text(reason: str) -> str:
    """Return why a trade ended, as text."""
    words = {
        "signal": tr("Ended by the exit signal"),
        "opposite": tr("Ended by the opposite signal"),
        "reversal": tr("Ended by an order that reversed it"),
        "stop_loss": tr("Ended by the stop"),
        "take_profit": tr("Ended by the target"),
        "end_of_data": tr("Ended at the end of the data"),
        "rebalance": tr("Ended by rebalancing"),
        "grid": tr("Ended by the grid"),
        "component": tr("Ended by a component's order"),
    }
    return words.get(reason, reason.replace("_", " "))


def open_lines(model: ChartModel, position: OpenPosition) -> list[str]:
    """Return the text of a position that is still open at the end."""
    side = tr("Long") if position.lots > 0 else tr("Short")
    units = abs(position.lots) * model.job.lot_size
    price = number_text(position.entry_price, model.decimals)
    return [
        f"{side} {units:,.10g}",
        tr("In: {price}, {time}", price=price, time=model.clock.text(position.entry_bar)),
        tr("Result: {pnl}", pnl=f"{position.unrealised_pnl:+,.2f}"),
        tr("Still open at the end"),
    ]


def group_lines(model: ChartModel, group: TradeGroup) -> list[str]:
    """Return the text of a group of trades."""
    last = min(group.last_bar, len(model) - 1)
    return [
        tr("Trades: {count}", count=group.count),
        f"{model.clock.text(group.first_bar)} \N{EN DASH} {model.clock.text(last)}",
        tr("Won: {won}, lost: {lost}", won=group.won, lost=group.count - group.won),
        tr("Result: {pnl}", pnl=f"{group.pnl:+,.2f}"),
        tr("Click to zoom in"),
    ]


def roll_lines(model: ChartModel, group: RollGroup) -> list[str]:
    """Return the text of a roll of futures, or of several that are marked together."""
    first, last = group.rolls[0], group.rolls[-1]
    if first is not last:
        return [
            tr("Rolls: {count}", count=len(group.rolls)),
            f"{model.clock.text(first.bar)} \N{EN DASH} {model.clock.text(last.bar)}",
            *([tr("From {old} to {new}", old=first.old, new=last.new)] if first.old and last.new else []),
            tr("Zoom in to see each of them"),
        ]
    digits = model.decimals
    return [
        roll_text(first),
        tr("First bar: {time}", time=model.clock.text(first.bar)),
        tr(
            "Last closes: {old} and {new}",
            old=number_text(first.old_price, digits),
            new=number_text(first.new_price, digits),
        ),
        tr("Difference: {difference}", difference=f"{first.difference:+,.{digits}f}"),
    ]


def roll_text(roll: Roll) -> str:
    """Return which contract follows which."""
    known = roll.old and roll.new and roll.old != roll.new
    return tr("Roll from {old} to {new}", old=roll.old, new=roll.new) if known else tr("Roll to the next contract")


def left_out_lines(panels: Sequence[str]) -> list[str]:
    """Return the text about panels without enough room."""
    names = {EQUITY: tr("Equity"), DRAWDOWN: tr("Drawdown"), EXPOSURE: tr("Exposure")}
    shown = [names.get(panel) or panel.partition(":")[2] for panel in panels]
    return [tr("Not enough room for these. Make the chart taller:"), *shown]


def described(model: ChartModel, bar: int, shown: Sequence[ChartOutput]) -> str:
    """Return all values at a bar in one sentence, for those who hear the chart."""
    quote = quote_of(model, bar)
    parts = [quote.time, *(f"{name} {value}" for name, value in quote.prices), quote.change]
    roll = model.rolls.at(bar)
    parts += [roll_text(roll)] if roll is not None else []
    parts += [f"{each.name} {value_text(model, each, bar)}" for each in shown if each.key in model.lines]
    parts += [f"{name} {value}" for name, value in holding_texts(model, bar)]
    return ", ".join(parts)


def _flag_text(kind: PortType, flags: int) -> str:
    if kind is not PortType.SIGNAL:
        return tr("yes") if flags else tr("no")
    names = (
        (ENTER_LONG, tr("enter long")),
        (EXIT_LONG, tr("exit long")),
        (ENTER_SHORT, tr("enter short")),
        (EXIT_SHORT, tr("exit short")),
    )
    return ", ".join(name for bit, name in names if flags & bit) or "\N{EN DASH}"
