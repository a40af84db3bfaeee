"""The effects of decisions in Python: functions over tables, for the driver in Python."""

from __future__ import annotations

from quantcrafter.engine.api.ports import ENTER_LONG, ENTER_SHORT
from quantcrafter.engine.simulation.decisions import leave
from quantcrafter.engine.simulation.entries import expire_orders, size_value
from quantcrafter.engine.simulation.entry_limits import count_others
from quantcrafter.engine.simulation.halts import cancel_entries, close_account, force_exit, is_lost, is_shut_out, watch
from quantcrafter.engine.simulation.interventions import intervene
from quantcrafter.engine.simulation.matching import end_data
from quantcrafter.engine.simulation.orders import add_order, block, retire
from quantcrafter.engine.simulation.protection import WHOLE, add_protection, move_orders, stop_distance, working_stop
from quantcrafter.engine.simulation.rebalance import rebalance
from quantcrafter.engine.simulation.records import (
    BLOCKED_FILTER,
    BLOCKED_SIZE,
    CANCELLED,
    COMPONENT,
    ENDED_BY_COMPONENT,
    LIMIT,
    MARKET,
    NONE,
    MarketArrays,
    Table,
    Timeline,
)
from quantcrafter.engine.simulation.risk_records import FOR_GOOD, HALT_BEGAN, STOP_MOVED, TARGET_MOVED
from quantcrafter.engine.simulation.sizing import entry_lots
from quantcrafter.engine.simulation.steps import Steps, run_nodes
from quantcrafter.engine.simulation.ticks import order_price


def begin_decisions(
    portfolios: Table,
    holdings: Table,
    rules: Table,
    market: MarketArrays,
    timeline: Timeline,
    steps: Steps,
    step: int,
    equity: float,
) -> None:
    """Run the steps before the instruments' decisions: nodes that read the position, guards, then weights."""
    portfolio = portfolios[0]
    if portfolio["stepped"] == 1:
        run_nodes(portfolios, holdings, steps, timeline, step, equity)
    if portfolio["watched"] == 1:
        watch(portfolio, holdings, market, step, equity)
    if is_lost(portfolio, equity):
        close_account(portfolio, holdings, step, equity)
    if portfolio["rebalance"] == 1:
        first, last = timeline.first_event[step], timeline.first_event[step + 1]
        instruments, bars = timeline.instrument[first:last], timeline.bar[first:last]
        rebalance(portfolio, holdings, rules, market, instruments, bars, timeline.due[step], equity)


def tend_event(portfolios: Table, holdings: Table, rules: Table, market: MarketArrays, i: int, bar: int) -> None:
    """Process an instrument's orders and position without decisions: move stops, end expired orders."""
    portfolio, holding = portfolios[0], holdings[i]
    if portfolio["moving"] == 1:
        move_orders(portfolio, holding, rules, market, bar)
    if portfolio["guards"] > 0:
        force_exit(portfolio, holding, market, bar)
    if holding["working"] > 0:
        expire_orders(portfolio, holding, market, bar)


def end_event(portfolios: Table, holdings: Table, i: int, bar: int) -> None:
    """End an instrument's orders with its data."""
    end_data(portfolios[0], holdings[i], bar)


def sized_lots(
    portfolios: Table, holdings: Table, rules: Table, market: MarketArrays, i: int, bar: int, side: int, equity: float
) -> tuple[int, float]:
    """Return the money rule's lots for an entry at this close, and the distance of its nearest stop."""
    portfolio, holding = portfolios[0], holdings[i]
    row = holding["start"] + bar
    close = market.close[row]
    distance = stop_distance(rules, market, holding, row, close, side)
    lots, _ = entry_lots(portfolio, holding, close, equity, distance, size_value(portfolio, holding, market, row))
    return lots, distance


def is_held_back(portfolios: Table, holdings: Table, market: MarketArrays, i: int, bar: int, side: int) -> bool:
    """Return whether a filter or a guard blocks an entry at this close; record it if so."""
    portfolio, holding = portfolios[0], holdings[i]
    flag = ENTER_LONG if side > 0 else ENTER_SHORT
    if not market.allowed[holding["execution"], holding["start"] + bar]:
        block(portfolio, holding, bar, flag, BLOCKED_FILTER)
        return True
    if portfolio["entry_limits"] == 1:
        count_others(portfolio, holdings, i)
    return bool(is_shut_out(portfolio, holding, market, bar, flag, side))


def note_no_size(portfolios: Table, holdings: Table, i: int, bar: int, side: int) -> None:
    """Record that an order is less than one lot."""
    block(portfolios[0], holdings[i], bar, ENTER_LONG if side > 0 else ENTER_SHORT, BLOCKED_SIZE)


def make_order(portfolios: Table, holdings: Table, i: int, bar: int, kind: int, side: int, lots: int) -> int:
    """Create an order of a component that is active from the next bar on, and return its slot."""
    return int(add_order(portfolios[0], holdings[i], bar, kind, side, lots, COMPONENT))


def cancel_order(portfolios: Table, holdings: Table, i: int, k: int, bar: int) -> None:
    """Cancel an order for a component."""
    retire(portfolios[0], holdings[i], k, bar, CANCELLED, ENDED_BY_COMPONENT)


def leave_position(portfolios: Table, holdings: Table, i: int, bar: int) -> None:
    """Order the position to be closed at the next open, once."""
    if holdings[i]["lots"] != 0 and holdings[i]["leaving"] == 0:
        leave(portfolios[0], holdings[i], bar, COMPONENT, MARKET)


def halt_trading(portfolios: Table, holdings: Table, step: int, rule: int, equity: float) -> None:
    """Cancel waiting entries, and block further ones."""
    portfolio = portfolios[0]
    if portfolio["halted"] >= FOR_GOOD:
        return
    portfolio["halted"] = FOR_GOOD
    portfolio["halt_rule"] = rule
    intervene(portfolio, NONE, step, HALT_BEGAN, rule, equity, equity)
    for i in range(len(holdings)):
        cancel_entries(portfolio, holdings[i])


def set_stop(portfolios: Table, holdings: Table, rules: Table, i: int, bar: int, rule: int, price: float) -> None:
    """Move the position's stop to a nearer price, or create it there."""
    portfolio, holding = portfolios[0], holdings[i]
    side = 1 if holding["lots"] > 0 else -1
    level = order_price(holding, price)
    k = working_stop(holding)
    if k < 0:
        k = add_protection(portfolio, holding, rules, bar, bar + 1, rule, level, abs(holding["lots"]))
        holding["slots"][k]["reason"] = COMPONENT
        return
    order = holding["slots"][k]
    if (level - order["price"]) * side <= 0.0:
        return
    intervene(portfolio, holding["index"], bar, STOP_MOVED, rule, order["price"], level)
    order["price"] = level
    order["rule"] = rule
    order["reason"] = COMPONENT


def set_target(portfolios: Table, holdings: Table, rules: Table, i: int, bar: int, rule: int, price: float) -> None:
    """Move the component's target to a price, or create it there unless that of another rule is nearer."""
    portfolio, holding = portfolios[0], holdings[i]
    side = 1 if holding["lots"] > 0 else -1
    level = order_price(holding, price)
    for k in range(holding["working"]):
        order = holding["slots"][k]
        if order["rule"] < 0 or order["kind"] != LIMIT or rules[order["rule"]]["share"] < WHOLE:
            continue
        nearer = (level - order["price"]) * side < 0.0
        if nearer or (order["rule"] == rule and level != order["price"]):
            intervene(portfolio, holding["index"], bar, TARGET_MOVED, rule, order["price"], level)
            order["price"] = level
            order["rule"] = rule
            order["reason"] = COMPONENT
        return
    k = add_order(portfolio, holding, bar, LIMIT, -side, abs(holding["lots"]), COMPONENT)
    holding["slots"][k]["parent"] = holding["entry_order"]
    holding["slots"][k]["rule"] = rule
    holding["slots"][k]["price"] = level
