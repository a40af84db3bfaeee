"""Checks of the hours in which a strategy runs: exchanges that exist, and markets where the hours are theirs."""

from __future__ import annotations

from collections.abc import Iterator

from quantcrafter.engine.api import Problem, Severity
from quantcrafter.engine.api.message import Message, joined
from quantcrafter.engine.api.schedule import HOURS, MARKET
from quantcrafter.engine.api.wording import did_you_mean
from quantcrafter.engine.graph.bound import BoundGraph
from quantcrafter.engine.spec.source import Place
from quantcrafter.engine.trading_calendar.exchange_calendar import calendar_names


def schedule_problems(graph: BoundGraph) -> Iterator[Problem]:
    """Yield what is wrong with `schedule` in `run`."""
    schedule = graph.spec.run.schedule
    at = graph.spec.place("schedule")
    if schedule.hours not in HOURS and schedule.hours not in calendar_names():
        names = (*HOURS, *calendar_names())
        text = Message("run: there are no hours '{hours}' for 'schedule'.", hours=schedule.hours)
        known = Message(
            "There are {hours}, or an exchange: {names}.", hours=", ".join(HOURS), names=", ".join(names[3:])
        )
        yield _problem(at, text, joined([did_you_mean(schedule.hours, names), known]))
    yield from _flat_too_early(graph, at)
    if schedule.hours != MARKET:
        return
    for each in graph.instruments:
        if each.terms.session is None:
            text = Message(
                "run: 'hours: market' needs the market of each instrument, {symbol} has none.", symbol=each.spec.symbol
            )
            remedy = Message(
                "Add 'market: us_stocks' or another one to it, or name an exchange, such as 'hours: XNYS'."
            )
            yield _problem(at, text, remedy)
            return


def _flat_too_early(graph: BoundGraph, at: Place) -> Iterator[Problem]:
    """Warn if orders of daily bars would be cancelled before the bar in which they could fill is known."""
    daily = next((each.spec for each in graph.instruments if not each.spec.timeframe.is_intraday), None)
    if daily is None or not graph.spec.run.schedule.flat_minutes:
        return
    text = Message(
        "{symbol} has bars of {timeframe}: 'flat_minutes' cancels each entry order before the bar in which it could be "
        "filled has closed, so a worker opens no positions.",
        symbol=daily.symbol,
        timeframe=daily.timeframe,
    )
    remedy = Message("Use bars within a day, or leave 'flat_minutes' out.")
    yield _problem(at, text, remedy, "flat_minutes", Severity.WARNING)


def _problem(at: Place, text: str, remedy: str, field: str = "hours", severity: Severity = Severity.ERROR) -> Problem:
    path = f"schedule.{field}"
    return Problem("schedule", text, remedy, at.file, at.line, at.column, f"run.{path}", field=path, severity=severity)
