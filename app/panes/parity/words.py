"""What a comparison of engines says, in the language in use."""

from __future__ import annotations

from quantcrafter.app.services.i18n import tr
from quantcrafter.engine.runtime.parity import Cause, EngineDifference, EngineOutcome, ParityReport


def cause_name(cause: Cause | None) -> str:
    """Return what a class of differences is called; what has none follows from an earlier one."""
    names = {
        Cause.SIGNAL: tr("signal"),
        Cause.FILL_RULE: tr("fill rule"),
        Cause.ROUNDING: tr("rounding"),
        Cause.FEE: tr("fee"),
        Cause.CAPABILITY: tr("capability"),
    }
    return tr("consequence") if cause is None else names[cause]


def cause_help(cause: Cause | None) -> str:
    """Return what a class of differences means."""
    texts = {
        Cause.SIGNAL: tr("The engines decided differently: an order has another bar, type, size or price."),
        Cause.FILL_RULE: tr("An order of both engines filled at a different bar or price, or in one engine only."),
        Cause.ROUNDING: tr("A price differs by less than a tick, or a size by one lot."),
        Cause.FEE: tr("Commission, slippage or cash differ although the fills are the same."),
        Cause.CAPABILITY: tr("The engine can't run this strategy."),
    }
    return tr("Caused by an earlier difference.") if cause is None else texts[cause]


def subject(what: str) -> str:
    """Return what differs, such as the fill price."""
    names = {
        "fill": tr("fill"),
        "fill price": tr("fill price"),
        "filled quantity": tr("filled quantity"),
        "commission": tr("commission"),
        "slippage": tr("slippage"),
        "order": tr("order"),
        "order size": tr("order size"),
        "order price": tr("order price"),
        "order limit": tr("order limit"),
        "end of the order": tr("end of the order"),
        "cash": tr("cash"),
        "equity": tr("equity"),
        "blocked entry": tr("blocked entry"),
        "run": tr("run"),
    }
    return names.get(what, what)


def verdict(report: ParityReport) -> str:
    """Return the outcome in a sentence."""
    names = [outcome.name for outcome in report.outcomes]
    if report.same:
        return tr("The same orders, fills and equity on {engines}.", engines=", ".join(names))
    apart = [outcome.name for outcome in report.outcomes if not outcome.same]
    return tr("Different from {reference}: {engines}.", reference=report.reference.name, engines=", ".join(apart))


def result_of(outcome: EngineOutcome, report: ParityReport) -> str:
    """Return how an engine did, in a word."""
    if outcome is report.reference:
        return tr("reference")
    if outcome.final_equity is None:
        return tr("rejected")
    return tr("the same") if outcome.same else tr("different")


def time_of(difference: EngineDifference) -> str:
    """Return when the bar of a difference closed, in the exchange's time zone, which is named."""
    return difference.time
