"""Checks of contracts, margins and pips of instruments."""

from __future__ import annotations

import re
from collections.abc import Iterator

from quantcrafter.engine.api import (
    ExecutionLogic,
    ExecutionRule,
    FeedNode,
    Problem,
    ProtectiveRule,
    RiskManager,
    Severity,
)
from quantcrafter.engine.api.currencies import conversion
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.graph.bound import BoundGraph, BoundNode, NodeColumn, rule_of
from quantcrafter.engine.graph.terms import pair_of, plain
from quantcrafter.engine.spec import InstrumentSpec

_LETTERS = re.compile(r"[^A-Za-z]")
_ROUNDING = 1e-9


def contract_problems(graph: BoundGraph) -> Iterator[Problem]:
    """Yield problems of margins and pips, and warnings about currencies that are probably not intended."""
    yield from _terms_of_contracts(graph)
    yield from _margin_problems(graph)
    yield from _pip_problems(graph)
    yield from _coarse_ticks(graph)
    yield from _own_rates(graph)
    yield from _unnamed_currencies(graph)


def _terms_of_contracts(graph: BoundGraph) -> Iterator[Problem]:
    """Yield what is for contracts alone, of an instrument that its market makes spot."""
    for instrument in graph.spec.instruments:
        if instrument.kind == "contract" or not instrument.market or instrument.says("kind"):
            continue
        margin = instrument.margin
        wrong = ["multiplier"] if instrument.multiplier != 1.0 else []
        wrong += ["continuous"] if instrument.continuous is not None else []
        wrong += ["margin"] if margin is not None and margin.per_contract is not None else []
        for name in wrong:
            text = Message(
                "'{name}' is for contracts, but {symbol} is spot by its market {market}.",
                name=name,
                symbol=instrument.symbol,
                market=instrument.market,
            )
            yield _problem(instrument, name, "instruments", text, Message("Add 'kind: contract'."))


def _margin_problems(graph: BoundGraph) -> Iterator[Problem]:
    for instrument in graph.spec.instruments:
        margin = instrument.margin
        if margin is None or margin.per_contract is not None:
            continue
        try:
            margin.over(graph.spec.run.margin)
        except ValueError as error:
            text = f"{instrument.symbol}: {error}"
            yield _problem(instrument, "margin", "margin", text, Message("Lower it, or raise 'initial_percent'."))


def _pip_problems(graph: BoundGraph) -> Iterator[Problem]:
    without = [instrument for instrument in graph.spec.instruments if instrument.pip_size is None]
    if not without:
        return
    for instrument in without:
        spread, swap = instrument.spread, instrument.swap
        for name, counts in (("spread", spread and spread.in_pips), ("swap", swap and swap.unit == "pips")):
            if counts:
                text = Message(
                    "'{name}' of {symbol} counts in pips, but it has no 'pip_size'.",
                    name=name,
                    symbol=instrument.symbol,
                )
                remedy = Message("Set 'pip_size', such as 0.0001, or use ticks.")
                yield _problem(instrument, name, "no_pip_size", text, remedy, Severity.ERROR)
    for node in _deciding(graph):
        if _counts_pips(node):
            names = ", ".join(instrument.symbol for instrument in without)
            text = Message(
                "'{id}' counts in pips, but there is no 'pip_size' of {names}.", id=node.spec.id, names=names
            )
            remedy = Message("Give it, such as 'pip_size: 0.0001' for EURUSD or 'pip_size: 0.01' for USDJPY.")
            yield node.spec.problem("no_pip_size", text, remedy)


def _coarse_ticks(graph: BoundGraph) -> Iterator[Problem]:
    """Yield warnings of instruments whose prices are rounded to more than a pip."""
    for instrument in graph.spec.instruments:
        pip, tick = instrument.pip_size, instrument.tick_size
        if pip is not None and tick is not None and pip < tick * (1.0 - _ROUNDING):
            text = Message(
                "The 'pip_size' of {symbol} must not be below its 'tick_size', was {pip} below "
                "{tick}: distances in pips are rounded to whole ticks.",
                symbol=instrument.symbol,
                pip=plain(pip),
                tick=plain(tick),
            )
            remedy = Message("Set 'tick_size' to the smallest step of its price, such as {pip}.", pip=plain(pip / 10))
            yield _problem(instrument, "pip_size", "coarse_tick", text, remedy, Severity.WARNING)


def _market_says(graph: BoundGraph, instrument: InstrumentSpec) -> bool:
    """Return whether the currency of a market was spoken of already."""
    return any(each.terms.market is not None for each in graph.instruments if each.spec.symbol == instrument.symbol)


def _deciding(graph: BoundGraph) -> Iterator[BoundNode]:
    """Yield the execution nodes and the risk managers that they are wired to."""
    for node in graph.nodes.values():
        if isinstance(node.component, ExecutionLogic):
            yield node
            for source in node.sources():
                part = graph.nodes.get(source.node) if isinstance(source, NodeColumn) else None
                if part is not None and isinstance(part.component, RiskManager):
                    yield part


def _counts_pips(node: BoundNode) -> bool:
    if node.component.overrides("on_bar"):
        return False
    rule = rule_of(node)
    if isinstance(rule, ProtectiveRule):
        return rule.pips != 0.0
    if not isinstance(rule, ExecutionRule):
        return False
    offsets = [rule.entry.offset, rule.entry.limit]
    offsets += [part.spacing for part in (rule.scale_in, rule.grid) if part is not None]
    return any(offset.pips != 0.0 for offset in offsets)


def _own_rates(graph: BoundGraph) -> Iterator[Problem]:
    run = graph.spec.run
    for instrument in graph.spec.instruments:
        currency = instrument.currency or run.currency
        how = conversion(currency, run.currency, run.rates)
        if instrument.kind != "spot" or how is None or not how.rate:
            continue
        feed = graph.nodes.get(how.rate.removeprefix("1/"))
        if feed is None or not isinstance(feed.component, FeedNode):
            continue
        if _is_pair(instrument.symbol, run.currency, currency) or _is_same(instrument, feed):
            text = Message(
                "{symbol} is spot and itself the rate by which its {currency} are converted: its value in "
                "{currency_2} is converted by that same rate, so it hardly ever changes.",
                symbol=instrument.symbol,
                currency=currency,
                currency_2=run.currency,
            )
            remedy = Message("Set 'kind: contract' to hold it on margin and win or lose by its price.")
            yield _problem(instrument, "currency", "own_rate", text, remedy, Severity.WARNING)


def _unnamed_currencies(graph: BoundGraph) -> Iterator[Problem]:
    """Yield warnings of pairs, such as USDJPY, whose prices count in another currency than their name says."""
    account = graph.spec.run.currency
    for instrument in graph.spec.instruments:
        pair = pair_of(instrument.symbol)
        if pair is None or instrument.currency or _market_says(graph, instrument):
            continue
        quoted = pair[1]
        if quoted != account:
            symbol = instrument.symbol
            text = Message(
                "{symbol} is priced in {quoted} by its name, but has no 'currency' and so counts in {account}.",
                symbol=symbol,
                quoted=quoted,
                account=account,
            )
            remedy = Message(
                "Add 'currency: {quoted}', and its rate to 'run'; or 'currency: {account}' if that is meant.",
                quoted=quoted,
                account=account,
            )
            yield _problem(instrument, "symbol", "pair_currency", text, remedy, Severity.WARNING)


def _is_pair(symbol: str, one: str, other: str) -> bool:
    """Return whether a symbol names two currencies: USDJPY, USD/JPY, USDJPY=X, JPYUSD."""
    letters = _LETTERS.sub("", symbol).upper()
    return letters.startswith((one + other, other + one))


def _is_same(instrument: InstrumentSpec, feed: BoundNode) -> bool:
    """Return whether a feed brings the prices of an instrument."""
    values = feed.spec.values
    if str(values.get("data", instrument.data)) != instrument.data:
        return False
    path = instrument.options.get("path")
    if path is not None or values.get("path") is not None:
        return bool(path == values.get("path"))
    return bool(values.get("symbol") == instrument.symbol)


def _problem(
    instrument: InstrumentSpec, field: str, code: str, text: str, remedy: str, severity: Severity = Severity.ERROR
) -> Problem:
    at = instrument.place(field)
    return Problem(
        code, text, remedy, at.file, at.line, at.column, f"{instrument.path}.{field}", field=field, severity=severity
    )
