"""Adoption: a changed strategy takes over the matching parts of an earlier version's state.

1. Instruments are matched by symbol, rules and components by the ids of their nodes.
2. Cash and results are kept, and so are positions, and open orders whose rule still exists.
3. Everything else is dropped and reported. Terms come only from the new job.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.ledger import OrderKind
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.rules import ProtectiveKind
from quantcrafter.engine.simulation.account_terms import withdraws
from quantcrafter.engine.simulation.arrays import execution_columns_of
from quantcrafter.engine.simulation.execution_terms import SIZE_COLUMN, columns_of, rebalance_of
from quantcrafter.engine.simulation.growing import column_key
from quantcrafter.engine.simulation.identity import BAR_STANDARD, Identity, program_hash, rule_names, terms_hash
from quantcrafter.engine.simulation.session_state import InstrumentState, SessionState, lot_of

_GRID = ("grid_side", "grid_anchor", "grid_step", "grid_lots", "grid_held")


@dataclass(frozen=True)
class Adopted:
    """A state that a changed job can continue from, and the dropped parts of the old one, one sentence each."""

    state: SessionState
    dropped: tuple[str, ...]


def adopt(old: SessionState, job: EngineJob, identity: Identity) -> Adopted:
    """Return the parts of an old state that fit a changed job, as a state of that job.

    Orders that are dropped are cancelled with the first commands of the session that continues from it, if they were
    sent to a broker.

    Raises:
        RunError: a position is open in an instrument that the job no longer trades or whose lots are something else
            now, or the state uses another bar standard.
    """
    if old.bar_standard != BAR_STANDARD:
        raise RunError(
            Message(
                "The state is after the bar standard {bar_standard}, and this engine after {bar_standard_2}.",
                bar_standard=old.bar_standard,
                bar_standard_2=BAR_STANDARD,
            )
        )
    dropped: list[str] = []
    rules, executions = rule_names(job, identity), _new_numbers(old, job)
    instruments = {}
    for each in job.instruments:
        kept = old.instruments.get(each.symbol)
        if kept is None:
            instruments[each.symbol] = InstrumentState(bars=0)
            continue
        if kept.steps and old.program != program_hash(job):
            dropped.append(
                Message("The state of the nodes that read the position of {symbol} was discarded.", symbol=each.symbol)
            )
            kept = replace(kept, steps=())
        kept = _renumbered(each.symbol, kept, executions, dropped)
        instruments[each.symbol] = _adopted(each.symbol, kept, job, rules, dropped)
    _leave(old, instruments, dropped)
    account = dict(old.account)
    if account.get("halt_rule") is not None and account["halt_rule"] not in rules:
        dropped.append(
            Message("The halt by '{halt_rule}' ends: that rule no longer exists.", halt_rule=account["halt_rule"])
        )
        account["halted"] = 0
        del account["halt_rule"]
    if not withdraws(job):
        # If a later version withdraws profit, it counts from then on.
        account.pop("month", None)
        account.pop("period_equity", None)
    state = replace(
        old,
        strategy=identity.strategy,
        terms=terms_hash(job),
        account=account,
        instruments=instruments,
        told=_retold(old, list(instruments)),
        due_first=old.due_first if rebalance_of(job) is not None else -1,
        components=_components(old.components, job, dropped),
        executions=tuple(each.node for each in job.executions),
        program=program_hash(job),
    )
    return Adopted(state, tuple(dropped))


def _new_numbers(old: SessionState, job: EngineJob) -> dict[int, int]:
    """Return the numbers that executions of the old state have in the job: those of nodes with the same id.

    If both have a single one, it matches regardless of its name.
    """
    nodes = [each.node for each in job.executions]
    names = old.executions or ("",)
    if len(names) == len(nodes) == 1:
        return {0: 0}
    return {number: nodes.index(name) for number, name in enumerate(names) if name in nodes}


def _renumbered(
    symbol: str, kept: InstrumentState, executions: Mapping[int, int], dropped: list[str]
) -> InstrumentState:
    """Return an instrument's state with the job's numbers of executions, without the entries of those that are gone.

    A position that one of them made is left to the first execution of the job.
    """
    orders: list[Mapping[str, Any]] = []
    for order in kept.orders:
        number = order.get("execution", 0)
        if number not in executions and order["opens"]:
            dropped.append(
                Message(
                    "Order {order} of {symbol} is cancelled: its execution node was removed.",
                    order=order["id"],
                    symbol=symbol,
                )
            )
        else:
            orders.append({**order, "execution": executions.get(number, 0)})
    number = kept.holding.get("execution", 0)
    holding = {name: value for name, value in kept.holding.items() if name != "execution"}
    if executions.get(number, 0):
        holding["execution"] = executions[number]
    if number not in executions and holding.get("lots", 0):
        dropped.append(
            Message(
                "The position of {symbol} is left to the first execution node: the one that made it was removed.",
                symbol=symbol,
            )
        )
    rows = tuple(_renumbered_row(row, executions) for row in kept.rows)
    return replace(kept, orders=tuple(orders), holding=holding, rows=rows)


def _renumbered_row(row: Mapping[str, Any], executions: Mapping[int, int]) -> Mapping[str, Any]:
    """Return a saved bar with its columns named by the job's numbers of executions."""
    columns: dict[str, Any] = {}
    for key, value in {**row["execution"], SIZE_COLUMN: row["size"]}.items():
        number, _, name = key.rpartition(".")
        if (before := int(number or 0)) in executions:
            columns[column_key((executions[before], name))] = value
    return {**row, "size": columns.pop(SIZE_COLUMN, None), "execution": columns}


def _leave(old: SessionState, instruments: Mapping[str, InstrumentState], dropped: list[str]) -> None:
    """Reject a state with an open position in a removed instrument; report the removed instruments.

    Raises:
        RunError: a position is open in one that goes.
    """
    for symbol in old.instruments:
        if symbol in instruments:
            continue
        lots = old.instruments[symbol].holding.get("lots", 0)
        if lots:
            raise RunError(
                Message(
                    "A position of {lots} lots is open in {symbol}, which the strategy no longer trades. "
                    "Close it first, or keep the instrument.",
                    lots=lots,
                    symbol=symbol,
                )
            )
        dropped.append(
            Message(
                "{symbol} is no longer traded; its {count} are cancelled.",
                symbol=symbol,
                count=_count(old.instruments[symbol].orders),
            )
        )


def _count(orders: Iterable[Any]) -> str:
    number = len(list(orders))
    return "1 order" if number == 1 else f"{number} orders"


def _adopted(
    symbol: str, kept: InstrumentState, job: EngineJob, rules: tuple[str, ...], dropped: list[str]
) -> InstrumentState:
    """Return an instrument's state without the parts that the job doesn't have."""
    instrument = next(each for each in job.instruments if each.symbol == symbol)
    changed = [name for name, value in lot_of(instrument).items() if kept.lot.get(name, value) != value]
    if changed and (kept.holding.get("lots", 0) or kept.orders):
        name = changed[0]
        raise RunError(
            Message(
                "'{name}' of {symbol} was {lot} and is {lot_of} now, while a position or "
                "orders are open. Close them first, or leave it as it was.",
                name=name,
                symbol=symbol,
                lot=kept.lot[name],
                lot_of=lot_of(instrument)[name],
            )
        )
    orders, columns = [], {row["bar"]: row for row in kept.rows}
    for order in kept.orders:
        reason = _why_dropped(order, job, rules, columns)
        if reason:
            dropped.append(
                Message("Order {id} of {symbol} is cancelled: {reason}.", id=order["id"], symbol=symbol, reason=reason)
            )
        else:
            orders.append(order)
    if _stops(kept.orders) and not _stops(orders):
        dropped.append(
            Message(
                "The position of {symbol} no longer has a stop: rules of the new version protect the next entry.",
                symbol=symbol,
            )
        )
    if _targets(kept.orders) and not _targets(orders):
        dropped.append(
            Message(
                "The position of {symbol} no longer has a target: rules of the new version apply to the next entry.",
                symbol=symbol,
            )
        )
    holding = dict(kept.holding)
    has_grid = job.executions[holding.get("execution", 0)].rule.grid is not None
    grid = [] if has_grid else [holding.pop(name, 0) for name in _GRID]
    if any(grid):
        dropped.append(Message("The grid of {symbol} ends: the strategy no longer has one.", symbol=symbol))
    decided = {order["decided"] for order in orders if order["opens"]}
    unknown = {column_key(each): None for each in execution_columns_of(job) if each != (0, SIZE_COLUMN)}
    rows = tuple({**row, "execution": unknown | dict(row["execution"])} for row in kept.rows if row["bar"] in decided)
    return replace(kept, orders=tuple(orders), rows=rows, holding=holding)


def _stops(orders: Iterable[Mapping[str, Any]]) -> bool:
    """Return whether any protective stop is among orders."""
    return any(order["rule"] is not None and order["kind"] == OrderKind.STOP for order in orders)


def _targets(orders: Iterable[Mapping[str, Any]]) -> bool:
    """Return whether any target is among orders."""
    return any(order["rule"] is not None and order["kind"] == OrderKind.LIMIT for order in orders)


def _is_of(order: Mapping[str, Any], name: str, job: EngineJob, rules: tuple[str, ...]) -> bool:
    """Return whether a job's rule of that name creates such orders: a target creates limits, a stop creates stops."""
    if name not in rules:
        return False
    protective = dict(zip(rules, job.protection, strict=False)).get(name)  # guards come after
    waits = order["kind"] in (OrderKind.STOP, OrderKind.LIMIT)
    if protective is None or protective.kind is ProtectiveKind.COMPONENT or not waits:
        return True
    return bool((protective.kind is ProtectiveKind.TAKE_PROFIT) == (order["kind"] == OrderKind.LIMIT))


def _why_dropped(  # noqa: PLR0911 - one for each reason
    order: Mapping[str, Any], job: EngineJob, rules: tuple[str, ...], columns: Mapping[int, Any]
) -> str:
    """Return why an order has no place under a job's rules, or nothing."""
    rule = order["rule"]
    if rule is not None and not _is_of(order, rule, job, rules):
        if rule in rules:
            return Message("its rule '{rule}' is of another kind now", rule=rule)
        return Message("its rule '{rule}' was removed", rule=rule)
    number = order["execution"]
    if order["level"] >= 0 and job.executions[number].rule.grid is None:
        return Message("the strategy no longer has a grid")
    if not order["opens"]:
        return ""
    row = columns.get(order["decided"], {})
    needed = [name for name, rule in zip(rules, job.protection, strict=False) if rule.column is not None]
    if any(name not in row.get("rules", {}) for name in needed):
        return Message("a rule that would protect it has no value at the bar of its decision")
    if {column_key((number, name)) for name in columns_of(job, number)} - set(row.get("execution", {})):
        return Message("its execution has no value at the bar of its decision")
    return ""


def _retold(old: SessionState, symbols: list[str]) -> tuple[Mapping[str, Any], ...]:
    """Return the sent commands with the instruments' new numbers; those of removed instruments get the first number."""
    names = list(old.instruments)
    return tuple(
        {**each, "instrument": symbols.index(names[each["instrument"]]) if names[each["instrument"]] in symbols else 0}
        for each in old.told
    )


def _components(kept: Mapping[str, Any], job: EngineJob, dropped: list[str]) -> dict[str, Any]:
    """Return the states of components that still exist; all states of the caller are kept."""
    nodes = {part.node for part in job.components}
    own = kept.get("deciding", {})
    dropped += [
        Message("The state of node '{node}' was discarded: the node was removed.", node=node)
        for node in own
        if node not in nodes
    ]
    return {**kept, "deciding": {node: state for node, state in own.items() if node in nodes}}
