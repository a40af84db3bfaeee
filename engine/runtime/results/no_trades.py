"""why_no_trade: one or two sentences about why a run closed no trade."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api.ledger import BlockReason, InterventionKind, OrderStatus, StatusReason
from quantcrafter.engine.api.message import Message, joined
from quantcrafter.engine.api.ports import ENTER_LONG, ENTER_SHORT
from quantcrafter.engine.runtime.results.run_view import RunDecision, RunView

ENTRIES = ENTER_LONG | ENTER_SHORT
Column = npt.NDArray[Any]
MOST_REASONS = 4
"""Rarer reasons are counted together."""
MOST_NAMES = 3
_NEAR = 1e-9

_BLOCKED = {
    BlockReason.FILTER: Message("blocked by a filter"),
    BlockReason.WARMUP: Message("given during the warm-up"),
    BlockReason.OPPOSITE_IGNORED: Message("ignored for the opposite position"),
    BlockReason.CONTRADICTION: Message("contradicted by another signal at the same bar"),
    BlockReason.SIZE_ZERO: Message("sized to less than one lot"),
    BlockReason.NO_STOP_DISTANCE: Message("without a distance for the stop or target"),
    BlockReason.NO_EQUITY: Message("without equity left"),
    BlockReason.NO_PRICE: Message("without a valid order price"),
    BlockReason.HALT: Message("blocked while a risk rule halted trading"),
    BlockReason.MARGIN_CALL: Message("blocked after a margin call"),
    BlockReason.SESSION_END: Message("too close to the end of the session"),
    BlockReason.COOL_DOWN: Message("given in the pause after a loss"),
    BlockReason.BELOW_MINIMUM: Message("sized below the least allowed"),
    BlockReason.NO_VOLATILITY: Message("without a volatility to size by"),
    BlockReason.OTHER_EXECUTION: Message("given while another execution node had a position or an entry order"),
    BlockReason.NO_RATIO: Message("without a hedge ratio above zero"),
    BlockReason.OTHER_LEG: Message("given while the other leg of the pair had no bar or was still open"),
    BlockReason.ENTRIES_TODAY: Message("beyond the number of entries a day"),
    BlockReason.OPEN_ENTRIES: Message("beyond the number of entries of open positions"),
    BlockReason.SHUT: Message("given while the worker allowed no entries"),
}
_ENDED = {
    StatusReason.NO_CASH: Message("rejected for lack of cash"),
    StatusReason.EXPIRED: Message("expired before the price was reached"),
    StatusReason.END_OF_DATA: Message("still waiting at the end of the data"),
    StatusReason.NONE: Message("still waiting at the end of the data"),
    StatusReason.REPLACED: Message("replaced by a newer order"),
    StatusReason.SIGNAL: Message("cancelled by an exit signal"),
    StatusReason.OPPOSITE: Message("cancelled by the opposite signal"),
    StatusReason.COMPONENT: Message("cancelled by the execution"),
    StatusReason.HALT: Message("cancelled by a risk rule that halted trading"),
    StatusReason.CAP: Message("cut to zero by a cap"),
    StatusReason.BELOW_MINIMUM: Message("cut below the least allowed size"),
    StatusReason.PRICE_LIMIT: Message("rejected with the price locked at its limit"),
    StatusReason.OTHER_LEG: Message("cancelled because the other leg of the pair can't trade"),
    StatusReason.NO_SIZE: Message("without a size or a stop distance at their new price"),
}
_BY_RULE: dict[BlockReason, Callable[[str], Message]] = {
    BlockReason.HALT: lambda name: Message("blocked while '{name}' halted trading", name=name),
    BlockReason.SESSION_END: lambda name: Message("blocked by '{name}' at the end of the session", name=name),
    BlockReason.COOL_DOWN: lambda name: Message("blocked by '{name}' in the pause after a loss", name=name),
    BlockReason.ENTRIES_TODAY: lambda name: Message("blocked by '{name}', which limits entries a day", name=name),
    BlockReason.OPEN_ENTRIES: lambda name: Message("blocked by '{name}', which limits open entries", name=name),
}


def why_no_trade(run: RunView) -> str:
    """Return why a run closed no trade, in one or two sentences; empty if it closed one.

    Raises:
        RunError: a saved run has lost a column.
    """
    ledger = run.ledger
    if len(ledger.trades):
        return ""
    if len(ledger.fills):
        return _still_open(len(ledger.open_positions))
    blocked = _blocked(run)
    orders = ledger.orders[ledger.orders["parent"] < 0]
    if len(orders):
        return joined((_volume_too_small(run, orders) or _unfilled(orders), _left(blocked)))
    if not blocked:
        return _no_signal(run)
    return joined((_all_blocked(blocked), _lot_too_large(run)))


def _lot_too_large(run: RunView) -> Message:
    """Return the value of one lot if an entry was sized to less; nothing otherwise."""
    rows = run.ledger.blocked[run.ledger.blocked["reason"] == BlockReason.SIZE_ZERO]
    if not len(rows):
        return Message("")
    job = run.instruments[int(rows["instrument"][0])]
    return Message(
        "One lot of {symbol} is {lot:g}, then worth {value:,.2f} {currency}; the account has {cash:,.2f} {account}. "
        "Set a smaller 'lot_size' if the market has it, or a larger size.",
        symbol=job.symbol,
        lot=job.lot_size,
        value=float(job.bars.close[int(rows["bar"][0])]) * job.lot_size * job.multiplier,
        currency=job.currency or run.settings.currency,
        cash=run.settings.cash,
        account=run.settings.currency,
    )


def _all_blocked(blocked: Counter[Message]) -> Message:
    """Return the reason why no signal became an order."""
    why, total = _listed(blocked), blocked.total()
    if total == 1:
        return Message("No trades: 1 entry signal, {why}.", why=why)
    if len(blocked) == 1:
        return Message("No trades: {total:,} entry signals, all {why}.", total=total, why=why)
    return Message("No trades: {total:,} entry signals, and none became an order: {why}.", total=total, why=why)


def _still_open(count: int) -> Message:
    if count == 1:
        return Message("No closed trades: the position that was entered is still open at the end.")
    return Message(
        "No closed trades: the {count:,} positions that were entered are still open at the end.", count=count
    )


def _volume_too_small(run: RunView, orders: Column) -> Message | None:
    """Return that no bar of any order had the volume for one lot, where that is so."""
    percent = run.settings.slippage.volume_percent
    if percent <= 0.0:
        return None
    most, job = -1.0, None
    for number in np.unique(orders["instrument"]):
        one = run.instruments[int(number)]
        for order in orders[orders["instrument"] == number]:
            begin, end = int(order["created_bar"]) + 1, int(order["closed_bar"])
            volumes = one.bars.volume[begin : (end if end >= begin else len(one.bars)) + 1]
            allowed = float(np.max(volumes, initial=0.0)) * percent / 100.0
            if allowed >= one.lot_size * (1.0 - _NEAR):
                return None
            if allowed > most:
                most, job = allowed, one
    if job is None:
        return None
    return Message(
        "No trades: {count:,} entry orders, none of them filled: 'volume_percent' of {percent:g} lets at most {most:g} "
        "of {symbol} fill in one bar, less than a lot of {lot:g}. Set a larger one, or a smaller 'lot_size' if the "
        "market has it.",
        count=len(orders),
        percent=percent,
        most=most,
        symbol=job.symbol,
        lot=job.lot_size,
    )


def _unfilled(orders: Column) -> Message:
    """Return the result of entry orders of which none filled."""
    endings = zip(orders["status"].tolist(), orders["status_reason"].tolist(), strict=True)
    ended: Counter[Message] = Counter()
    for (status, reason), count in Counter(endings).items():
        ended[_ending(status, StatusReason(reason))] += count
    if len(orders) == 1:
        return Message("No trades: 1 entry order, not filled but {ended}.", ended=_listed(ended))
    return Message(
        "No trades: {count:,} entry orders, none of them filled: {ended}.", count=len(orders), ended=_listed(ended)
    )


def _ending(status: int, reason: StatusReason) -> Message:
    if status == OrderStatus.REJECTED and reason is StatusReason.NONE:
        return Message("rejected by the engine")
    return _ENDED.get(reason) or Message("cancelled before it filled")


def _left(blocked: Counter[Message]) -> Message:
    """Return the reasons why the other signals did not become orders, if there were any."""
    if not blocked:
        return Message("")
    if blocked.total() == 1:
        return Message("1 more entry signal produced no order: {blocked}.", blocked=_listed(blocked))
    return Message(
        "{total:,} more entry signals produced no order: {blocked}.", total=blocked.total(), blocked=_listed(blocked)
    )


def _listed(reasons: Counter[Message]) -> Message:
    """Return counted reasons as text, the most frequent first; a single one without its number."""
    ranked = reasons.most_common()
    if len(ranked) == 1:
        return ranked[0][0]
    if len(ranked) > MOST_REASONS:
        others = sum(count for _, count in ranked[MOST_REASONS:])
        ranked = [*ranked[:MOST_REASONS], (Message("for other reasons"), others)]
    return joined((Message("{count:,} of them {why}", count=count, why=why) for why, count in ranked), "; ")


# ---------------------------------------------------------------------- signals that became no order


def _blocked(run: RunView) -> Counter[Message]:
    """Return how many entry signals became no order, by the reason as text."""
    found: Counter[Message] = Counter()
    for number in range(len(run.instruments)):
        rows = run.ledger.blocked[run.ledger.blocked["instrument"] == number]
        for code in np.unique(rows["reason"]):
            reason, bars = BlockReason(int(code)), rows["bar"][rows["reason"] == code]
            if reason is BlockReason.FILTER:
                of = rows["execution"][rows["reason"] == code]
                for execution in np.unique(of):
                    found += _by_filters(run, number, bars[of == execution], int(execution))
            elif reason in _BY_RULE:
                found += _by_rules(run, number, bars, reason)
            else:
                found[_BLOCKED[reason]] += len(bars)
    return found


def _by_filters(run: RunView, instrument: int, bars: Column, execution: int) -> Counter[Message]:
    """Return how many signals, those of these bars, were blocked by which filters of an execution."""
    filters = run.decisions[execution].filters if run.decisions else {}
    if not filters:
        return Counter({_BLOCKED[BlockReason.FILTER]: len(bars)})
    columns = [run.column(node, "", instrument)[bars].astype(np.bool_) == shuts for node, shuts in filters.items()]
    kinds, counts = np.unique(np.stack(columns), axis=1, return_counts=True)
    found: Counter[Message] = Counter()
    for shut, count in zip(kinds.T, counts, strict=True):
        names = [name for name, blocks in zip(filters, shut, strict=True) if blocks]
        found[_by_named(names) if names else _BLOCKED[BlockReason.FILTER]] += int(count)
    return found


def _by_named(names: list[str]) -> Message:
    if len(names) == 1:
        return Message("blocked by filter '{name}'", name=names[0])
    return Message("blocked by filters {names}", names=_named(names))


def _by_rules(run: RunView, instrument: int, bars: Column, reason: BlockReason) -> Counter[Message]:
    """Return how many signals, those of these bars, which risk rule shut out."""
    rows = run.ledger.interventions
    rows = rows[(rows["kind"] == InterventionKind.ENTRY_BLOCKED) & (rows["instrument"] == instrument)]
    rules, counts = np.unique(rows["rule"][np.isin(rows["bar"], bars)], return_counts=True)
    if counts.sum() != len(bars) or rules.min(initial=0) < 0:
        return Counter({_BLOCKED[reason]: len(bars)})
    return Counter(
        {_BY_RULE[reason](run.rule_nodes[rule]): int(count) for rule, count in zip(rules, counts, strict=True)}
    )


def _named(names: list[str]) -> Message:
    """Return names in quotes: 'a', 'a' and 'b', or the first of them and how many more."""
    quoted = [f"'{name}'" for name in names]
    if len(names) > MOST_NAMES:
        shown = ", ".join(quoted[:MOST_NAMES])
        return Message("{names} and {count:,} more", names=shown, count=len(names) - MOST_NAMES)
    if len(names) == 1:
        return joined(quoted)
    return Message("{names} and {last}", names=", ".join(quoted[:-1]), last=quoted[-1])


# ---------------------------------------------------------------------- no signal at all


def _no_signal(run: RunView) -> Message:
    sources = [(decision, source) for decision in run.decisions for source in decision.signals]
    if not sources:
        return Message("No trades: the strategy made no order.")
    total = sum(len(job.bars) for job in run.instruments)
    if all(job.first_bar >= len(job.bars) for job in run.instruments):
        return Message(
            "No trades: the warm-up takes all {total:,} bars. Use more bars, or shorter periods.", total=total
        )
    flags = [each.flags for job in run.instruments for each in job.executions]
    if any(np.any(np.asarray(each) & ENTRIES) for each in flags):
        return Message("No trades: there were entry signals, but the execution made no order.")
    names = list(dict.fromkeys(source.node for _, source in sources))
    decision = sources[0][0]
    if len(names) == 1:
        return Message("No trades: '{names}' gave no entry signal in {total:,} bars.", names=names[0], total=total)
    if (
        len(run.decisions) == 1
        and decision.combine == "all"
        and all(_enters(run, decision, name, len(run.instruments)) for name in names)
    ):
        return Message(
            "No trades: {names} never gave the same entry signal at the same bar, and the execution needs all.",
            names=_named(names),
        )
    return Message(
        "No trades: none of {names} gave an entry signal in {total:,} bars.", names=_named(names), total=total
    )


def _enters(run: RunView, decision: RunDecision, node: str, instruments: int) -> bool:
    """Return whether a node ever asks for an entry."""
    outputs = [each.output for each in decision.signals if each.node == node]
    return any(
        np.any(np.asarray(run.column(node, output, number)) & ENTRIES)
        for output in outputs
        for number in range(instruments)
    )
