"""An engine with only a matcher of its own: the rest is our simulation."""

from __future__ import annotations

from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.ledger import Ledger
from quantcrafter.engine.api.matching import Matcher, Phase, WorkingOrder
from quantcrafter.engine.api.message import Message

_KNOWN = (Phase.OPEN, Phase.STOP, Phase.LIMIT)


def match_job(job: EngineJob, matcher: Matcher) -> Ledger:
    """Run a job with `matcher`, which returns the fill price of each order on each bar, and return the ledger.

    Raises:
        RunError: an instrument has no bars, or an impossible tick or lot size.
        RunCancelledError: `job.cancelled()` returned True.
    """
    from quantcrafter.engine.simulation.driver import simulate_stepwise

    return simulate_stepwise(job, matcher)


def known_phase(engine: str, order: WorkingOrder) -> Phase:
    """Return the phase of the bar in which an order is matched.

    Raises:
        RunError: `engine` has no kind of order for it. An order that is never filled would look like a missed trade.
    """
    if order.phase not in _KNOWN:
        raise RunError(
            Message(
                "The engine '{engine}' can't match orders in phase {phase} of a bar, only {known}. Use the engine "
                "'native'.",
                engine=engine,
                phase=order.phase,
                known=", ".join(each.name.lower() for each in _KNOWN),
            )
        )
    return Phase(order.phase)
