"""An engine with only a matcher of its own: the rest is our simulation."""

from __future__ import annotations

from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.ledger import Ledger
from quantcrafter.engine.api.matching import Matcher


def match_job(job: EngineJob, matcher: Matcher) -> Ledger:
    """Run a job with `matcher`, which returns the fill price of each order on each bar, and return the ledger.

    Raises:
        RunError: an instrument has no bars, or an impossible tick or lot size.
        RunCancelledError: `job.cancelled()` returned True.
    """
    from quantcrafter.engine.simulation.driver import simulate_stepwise

    return simulate_stepwise(job, matcher)
