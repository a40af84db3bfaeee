"""Checks of the account, its currencies and its guards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from quantcrafter.engine.api import (
    Catalog,
    ExecutionLogic,
    FeedNode,
    GuardKind,
    GuardRule,
    Problem,
    RiskManager,
    Severity,
)
from quantcrafter.engine.api.currencies import HUNDREDTHS, conversion
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.wording import did_you_mean
from quantcrafter.engine.graph.bound import BoundGraph, BoundNode, NodeColumn, rule_of
from quantcrafter.engine.graph.contracts import contract_problems
from quantcrafter.engine.spec import Suggester

MAX_GUARDS = 32
"""How many risk managers other than stops and targets a strategy may have."""


def account_problems(graph: BoundGraph) -> list[Problem]:
    """Return the problems of currencies and their rates, contracts, and the guards of the execution node."""
    return [*_rate_problems(graph), *_foreign_amounts(graph), *contract_problems(graph), *_guard_problems(graph)]


def feed_of_rate(written: str) -> tuple[str, bool]:
    """Return the feed of a rate, and whether the rate is inverted: `1/usdjpy` is usdjpy and True."""
    return written.removeprefix("1/"), written.startswith("1/")


def _rate_problems(graph: BoundGraph) -> Iterator[Problem]:
    run = graph.spec.run
    for instrument in graph.spec.instruments:
        if conversion(instrument.currency, run.currency, run.rates) is not None:
            continue
        at = instrument.place("currency")
        text = Message(
            "{symbol} is priced in {currency}, the account is in {currency_2}: no rate given.",
            symbol=instrument.symbol,
            currency=instrument.currency,
            currency_2=run.currency,
        )
        whole = HUNDREDTHS.get(instrument.currency)
        remedy = (
            Message(
                "Set 'currency: {whole}' under 'run', or add a feed of the rate of {whole} under 'data', and name it: "
                "'run: {{rates: {{{whole}: FEED}}}}'.",
                whole=whole,
            )
            if whole is not None
            else Message(
                "Add a feed of the rate under 'data', and name it: 'run: {{rates: {{{currency}: FEED}}}}', or "
                "1/FEED if it counts {currency} for one {currency_2}.",
                currency=instrument.currency,
                currency_2=run.currency,
            )
        )
        path = f"{instrument.path}.currency"
        yield Problem("no_rate", text, remedy, at.file, at.line, at.column, path, field="currency")
    feeds = [node.spec.id for node in graph.nodes.values() if isinstance(node.component, FeedNode)]
    for currency, written in run.rates.items():
        feed, _ = feed_of_rate(written)
        if feed not in feeds:
            at = graph.spec.place("rates")
            text = Message(
                "run: the rate of {currency} must be a feed of 'data', '{feed}' is not one.",
                currency=currency,
                feed=feed,
            )
            hint = did_you_mean(feed, feeds) or Message("Add '{feed}: {{use: feed, ...}}' under 'data'.", feed=feed)
            path = f"run.rates.{currency}"
            yield Problem("rate_feed", text, hint, at.file, at.line, at.column, path, field="rates")


def _foreign_amounts(graph: BoundGraph) -> Iterator[Problem]:
    """Yield a warning for each instrument whose amounts of commission are not in the account's currency."""
    run = graph.spec.run
    given = [name for name in ("per_unit", "per_lot", "per_order", "minimum") if getattr(run.commission, name) > 0.0]
    for instrument in graph.spec.instruments if given else ():
        currency = HUNDREDTHS.get(instrument.currency, instrument.currency)
        if currency in ("", run.currency) or run.currency == instrument.currency:
            continue
        name, amount = given[0], getattr(run.commission, given[0])
        text = Message(
            "Amounts under 'commission' are in {currency} for {symbol}, the currency of its prices: "
            "'{name}: {amount:g}' is {amount:g} {currency}, not {amount:g} {account}.",
            currency=currency,
            symbol=instrument.symbol,
            name=name,
            amount=amount,
            account=run.currency,
        )
        remedy = Message("Give the amounts in {currency}, or use 'percent'.", currency=currency)
        at = instrument.place("currency")
        path = f"{instrument.path}.currency"
        yield replace(
            Problem("commission_currency", text, remedy, at.file, at.line, at.column, path, field="currency"),
            severity=Severity.WARNING,
        )


def benchmark_problem(graph: BoundGraph, catalog: Catalog, suggest: Suggester) -> Problem:
    """Return the problem of a benchmark that doesn't exist."""
    written = graph.spec.run.benchmark
    text = Message(
        "run: 'benchmark' must be an instrument or a feed of the strategy, PROVIDER:SYMBOL, or a CSV or Parquet file, "
        "was '{written}'.",
        written=written,
    )
    names = [*(instrument.spec.symbol for instrument in graph.instruments), *graph.feeds]
    provider = "store" if catalog.provider("store") is not None else "sample"
    remedy = suggest(written, names) or Message(
        "Write '{provider}:{written}' for a symbol of a data provider.", provider=provider, written=written
    )
    at = graph.spec.place("benchmark")
    return Problem("benchmark", text, remedy, at.file, at.line, at.column, "run.benchmark", field="benchmark")


def guards_of(graph: BoundGraph) -> Iterator[tuple[BoundNode, GuardRule]]:
    """Yield the guards that the execution nodes are wired to."""
    for node in graph.nodes.values():
        if isinstance(node.component, ExecutionLogic):
            for source in node.sources():
                part = graph.nodes.get(source.node) if isinstance(source, NodeColumn) else None
                rule = rule_of(part) if part and isinstance(part.component, RiskManager) else None
                if part is not None and isinstance(rule, GuardRule):
                    yield part, rule


def _guard_problems(graph: BoundGraph) -> Iterator[Problem]:
    symbols = [instrument.symbol for instrument in graph.spec.instruments]
    for number, (part, rule) in enumerate(guards_of(graph), 1):
        spec = part.spec
        if rule.symbol and rule.symbol not in symbols:
            text = Message(
                "'symbol' of '{id}' must be an instrument of the strategy, was '{symbol}'.",
                id=spec.id,
                symbol=rule.symbol,
            )
            remedy = did_you_mean(rule.symbol, symbols) or Message("Available: {symbols}.", symbols=", ".join(symbols))
            yield spec.problem("unknown_symbol", text, remedy, field="symbol")
        if rule.kind is GuardKind.SESSION_END:
            for instrument in graph.spec.instruments:
                if not instrument.timeframe.is_intraday:
                    text = Message(
                        "'{id}' needs bars shorter than a day, {symbol} has {timeframe}.",
                        id=spec.id,
                        symbol=instrument.symbol,
                        timeframe=instrument.timeframe,
                    )
                    yield spec.problem("not_intraday", text, Message("Use shorter bars, or leave it out."))
        if number == MAX_GUARDS + 1:
            text = Message(
                "A strategy can have at most {max_guards} halts, caps and exits by time, '{id}' is one more.",
                max_guards=MAX_GUARDS,
                id=spec.id,
            )
            yield spec.problem("too_many_guards", text, Message("Leave some out."))
