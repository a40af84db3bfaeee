"""What happened at a bar, and what nodes did in a whole run, as text. No Qt."""

from __future__ import annotations

import math

from quantcrafter.app.services.explanation_texts import moment_text
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.services.value_texts import flags_text, number_text, position_text
from quantcrafter.engine.api import ENTER_LONG, ENTER_SHORT, EXIT_LONG
from quantcrafter.engine.runtime.explain import Blocked, Facts, FilledOrder, NodeCensus, Ordered


def way_title(flag: int) -> str:
    """Return the question that a way answers."""
    titles = {
        ENTER_LONG: tr("Why no long entry"),
        ENTER_SHORT: tr("Why no short entry"),
        EXIT_LONG: tr("Why no exit of the long position"),
    }
    return titles.get(flag, tr("Why no exit of the short position"))


def ordered_text(order: Ordered) -> str:
    """Return that an order was decided, and for what."""
    quantity = number_text(order.quantity)
    buys = {
        "entry": tr("Ordered to enter long, {quantity}", quantity=quantity),
        "signal": tr("Ordered to leave the short position, {quantity}, by an exit signal", quantity=quantity),
    }
    sells = {
        "entry": tr("Ordered to enter short, {quantity}", quantity=quantity),
        "signal": tr("Ordered to leave the long position, {quantity}, by an exit signal", quantity=quantity),
    }
    either = {
        "scale_in": tr("Ordered an additional entry, {quantity}", quantity=quantity),
        "rebalance": tr("Ordered to rebalance, {quantity}", quantity=quantity),
        "opposite": tr("Ordered to leave the position, {quantity}, by the opposite signal", quantity=quantity),
        "grid": tr("Ordered by the grid, {quantity}", quantity=quantity),
        "reversal": tr("Ordered to reverse the position, {quantity}", quantity=quantity),
    }
    texts = {**either, **(buys if order.side > 0 else sells)}
    other = _reasons("").get(order.reason, order.reason.replace("_", " "))
    if order.reason in ("stop_loss", "take_profit"):
        other = tr("the pair's own stop") if order.reason == "stop_loss" else tr("the pair's own target")
    text = texts.get(order.reason, tr("Ordered {quantity}: {why}", quantity=quantity, why=other))
    if math.isnan(order.hedge):
        return text
    off = number_text(100.0 * abs(order.quantity / order.hedge - 1.0))
    return tr(
        "{text}; the hedge ratio asks for {hedge}, {percent} % away by rounding to lots",
        text=text,
        hedge=number_text(order.hedge),
        percent=off,
    )


def ended_text(order: Ordered, facts: Facts) -> str:
    """Return the final state of an order."""
    when = moment_text(facts, order.closed) if order.closed >= 0 else ""
    price, why = number_text(order.price), _endings().get(order.status_reason, "")
    if order.status == "filled":
        if order.status_reason == "reduced":
            return tr("Filled on {when} at {price}, reduced to the available cash", when=when, price=price)
        return tr("Filled on {when} at {price}", when=when, price=price)
    if order.status == "rejected":
        return tr("Rejected on {when}: {why}", when=when, why=why)
    if order.status == "cancelled":
        return tr("Cancelled on {when}: {why}", when=when, why=why) if why else tr("Cancelled on {when}", when=when)
    return tr("Still open at the end of the run")


def _endings() -> dict[str, str]:
    """Return why orders end without a fill, by the ledger's words."""
    return {
        "oco": tr("its counterpart filled"),
        "position_closed": tr("the position was closed"),
        "no_cash": tr("not enough cash"),
        "end_of_data": tr("the end of the data"),
        "expired": tr("it expired"),
        "replaced": tr("replaced by a newer order"),
        "signal": tr("an exit signal"),
        "opposite": tr("the opposite signal"),
        "component": tr("the execution's own decision"),
        "halt": tr("a risk rule halted trading"),
        "cap": tr("a position limit"),
        "below_minimum": tr("the size was below the minimum"),
        "no_size": tr("the new price allowed no size or stop distance"),
        "stopped": tr("a stop was triggered"),
        "price_limit": tr("the price was locked at its limit"),
        "other_leg": tr("the other leg of the pair can't trade"),
    }


def filled_text(fill: FilledOrder, facts: Facts) -> str:
    """Return that an order filled, at what price and why."""
    quantity, price = number_text(fill.quantity), number_text(fill.price)
    reasons = {
        "entry": tr("an entry decided on {when}", when=moment_text(facts, fill.decided)),
        "signal": tr("an exit decided on {when}", when=moment_text(facts, fill.decided)),
        "opposite": tr("an exit decided on {when}", when=moment_text(facts, fill.decided)),
        "reversal": tr("a reversal of the position, ordered on {when}", when=moment_text(facts, fill.decided)),
        **_reasons(fill.node),
    }
    why = reasons.get(fill.reason, fill.reason.replace("_", " "))
    if fill.side > 0:
        return tr("Bought {quantity} at {price}: {why}", quantity=quantity, price=price, why=why)
    return tr("Sold {quantity} at {price}: {why}", quantity=quantity, price=price, why=why)


def _reasons(node: str) -> dict[str, str]:
    """Return the reasons that are in risk rules, the execution or the broker, by the ledger's words."""
    return {
        "stop_loss": tr("the stop-loss of '{node}'", node=node),
        "take_profit": tr("the take-profit of '{node}'", node=node),
        "trailing_stop": tr("the trailing stop of '{node}'", node=node),
        "break_even": tr("the break-even stop of '{node}'", node=node),
        "time_stop": tr("the maximum time in a position"),
        "session_end": tr("the end of the session"),
        "halt": tr("a risk rule halted trading"),
        "margin_call": tr("a margin call"),
        "split": tr("a split"),
        "expiry": tr("the contract expired"),
        "roll": tr("the roll into the next contract"),
        "scale_in": tr("an additional entry"),
        "rebalance": tr("rebalancing"),
        "grid": tr("the grid"),
        "component": tr("the execution's own decision"),
        "end_of_data": tr("the end of the data"),
        "other_leg": tr("the other leg of the pair was closed or can't trade any more"),
    }


def blocked_text(blocked: Blocked) -> str:
    """Return that an entry signal became no order, and for what reason."""
    nodes, count, most = ", ".join(f"'{node}'" for node in blocked.nodes), blocked.count, blocked.limit
    reasons = {
        "filter": tr("blocked by {nodes}", nodes=nodes),
        "warmup": tr("still in the warm-up"),
        "opposite_ignored": tr("the opposite position is open and is kept"),
        "contradiction": tr("conflicting signals at the same bar"),
        "size_zero": tr("the size was less than one lot"),
        "no_stop_distance": tr("a stop or target was at the order price"),
        "no_equity": tr("no equity remained"),
        "no_price": tr("the order had no valid price"),
        "halt": tr("a risk rule halted trading"),
        "margin_call": tr("a margin call"),
        "session_end": tr("the end of the session"),
        "cool_down": tr("a pause after a loss"),
        "below_minimum": tr("the size was below the minimum"),
        "no_volatility": tr("no volatility available for sizing"),
        "entries_today": tr("blocked by {nodes}: {count} of {most} entries today", nodes=nodes, count=count, most=most),
        "open_entries": tr(
            "blocked by {nodes}: {count} of {most} entries are open", nodes=nodes, count=count, most=most
        ),
        "other_execution": tr("another execution node had a position or an entry order"),
        "no_ratio": tr("the hedge ratio was not above zero"),
        "other_leg": tr("the other leg of the pair had no bar or was still open"),
        "shut": tr("the worker allowed no entries"),
    }
    why = reasons.get(blocked.reason, blocked.reason.replace("_", " "))
    return tr("Signal to {signal}, no order: {why}", signal=flags_text(blocked.flags), why=why)


def held_text(quantity: float, when: str, price: float) -> str:
    """Return what is held since when."""
    return tr("Position at the close: {position}, since {when} at {price}",
              position=position_text(quantity), when=when, price=number_text(price))  # fmt: skip


def fired_text(count: int) -> str:
    """Return a count of firings as a node shows it."""
    text = f"{count:,}" if count < 10_000 else f"{count / 1000:,.0f}k"  # noqa: PLR2004 - room for four digits
    return f"{text}\N{MULTIPLICATION SIGN}"


def idle_text(census: NodeCensus) -> str:
    """Return why a node changed no decision, empty if it did."""
    if census.idle is None:
        return ""
    texts = {
        "silent": tr("No effect: it never gave a signal"),
        "no_order": tr("No effect: none of its signals became an order"),
        "always": tr("True at every bar, so it never prevented anything"),
        "never": tr("Never true, so nothing that requires it ever happened"),
        "passed": tr("No effect: it never blocked an entry"),
        "covered": tr(
            "No effect: it blocked {count} entries, and another filter blocked each of them too",
            count=f"{census.blocked:,}",
        ),
        "no_difference": tr("No effect: whenever it changed, the outcome was the same without it"),
    }
    return texts[census.idle]


def count_text(census: NodeCensus, instrument: int) -> str:
    """Return how often a node fired, and whether that changed a decision, as the node shows it."""
    fired = fired_text(census.fired[instrument])
    if census.idle == "always":
        return tr("always true")
    if census.idle == "never":
        return tr("never true")
    return tr("{fired} idle", fired=fired) if census.idle else fired


def held_back_text(census: NodeCensus) -> str:
    """Return how many entries a filter held back, empty if none."""
    if not census.blocked or census.idle:
        return ""
    return tr("Blocked {count} entries, {alone} of them on its own",
              count=f"{census.blocked:,}", alone=f"{census.alone:,}")  # fmt: skip
