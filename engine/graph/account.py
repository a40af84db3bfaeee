"""What the account, its currencies and its guards must hold for a run to make sense."""

from __future__ import annotations

from collections.abc import Iterator

from quantcrafter.engine.api import ExecutionLogic, FeedNode, GuardKind, GuardRule, Problem, RiskManager
from quantcrafter.engine.api.wording import did_you_mean
from quantcrafter.engine.graph.bound import BoundGraph, BoundNode, NodeColumn, rule_of
from quantcrafter.engine.graph.contracts import contract_problems

MAX_GUARDS = 32
"""How many risk managers other than stops and targets a strategy may have."""


def account_problems(graph: BoundGraph) -> list[Problem]:
    """Return what is wrong with currencies and their rates, contracts, and the guards of the execution node."""
    return [*_rate_problems(graph), *contract_problems(graph), *_guard_problems(graph)]


def feed_of_rate(written: str) -> tuple[str, bool]:
    """Return the feed that a rate names, and whether it counts the other way: `1/usdjpy` is usdjpy and True."""
    return written.removeprefix("1/"), written.startswith("1/")


def _rate_problems(graph: BoundGraph) -> Iterator[Problem]:
    run = graph.spec.run
    for instrument in graph.spec.instruments:
        if instrument.currency in ("", run.currency, *run.rates):
            continue
        at = instrument.place("currency")
        text = (
            f"{instrument.symbol} is priced in {instrument.currency}, the account is in {run.currency}: no rate given."
        )
        remedy = (
            f"Add a feed of the rate under 'data', and name it: 'run: {{rates: {{{instrument.currency}: FEED}}}}', or "
            f"1/FEED if it counts {instrument.currency} for one {run.currency}."
        )
        path = f"{instrument.path}.currency"
        yield Problem("no_rate", text, remedy, at.file, at.line, at.column, path, field="currency")
    feeds = [node.spec.id for node in graph.nodes.values() if isinstance(node.component, FeedNode)]
    for currency, written in run.rates.items():
        feed, _ = feed_of_rate(written)
        if feed not in feeds:
            at = graph.spec.place("rates")
            text = f"run: the rate of {currency} must be a feed of 'data', '{feed}' is none."
            remedy = did_you_mean(feed, feeds) or f"Add '{feed}: {{use: feed, ...}}' under 'data'."
            path = f"run.rates.{currency}"
            yield Problem("rate_feed", text, remedy, at.file, at.line, at.column, path, field="rates")


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
            text = f"'symbol' of '{spec.id}' must be an instrument of the strategy, was '{rule.symbol}'."
            remedy = did_you_mean(rule.symbol, symbols) or f"There are: {', '.join(symbols)}."
            yield spec.problem("unknown_symbol", text, remedy, field="symbol")
        if rule.kind is GuardKind.SESSION_END:
            for instrument in graph.spec.instruments:
                if not instrument.timeframe.is_intraday:
                    text = f"'{spec.id}' needs bars shorter than a day, {instrument.symbol} has {instrument.timeframe}."
                    yield spec.problem("not_intraday", text, "Take shorter bars, or leave it out.")
        if number == MAX_GUARDS + 1:
            text = f"A strategy may have {MAX_GUARDS} halts, caps and exits by time, '{spec.id}' is one more."
            yield spec.problem("too_many_guards", text, "Leave some out.")
