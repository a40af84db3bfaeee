"""An engine that doubts limit orders: a bar that only touches one does not fill it."""

from quantcrafter import (
    BAR_STANDARD,
    Capability,
    EngineAdapter,
    EngineJob,
    Ledger,
    Phase,
    WorkingOrder,
    hookimpl,
    match_job,
)


class ThroughMatcher:
    """Market and stop orders as the bar standard has them; limit orders need a price beyond their own."""

    def match(self, order: WorkingOrder) -> float | None:
        """Return the price at which the order fills on this bar, or None."""
        buying = order.side > 0
        if order.phase == Phase.OPEN:
            return order.open
        if order.phase == Phase.STOP:
            touched = order.high >= order.price if buying else order.low <= order.price
            return (max if buying else min)(order.price, order.open) if touched else None
        through = order.low < order.price if buying else order.high > order.price
        return (min if buying else max)(order.price, order.open) if through else None


class Through(EngineAdapter):
    """Fills a limit order only on a bar that trades through it, for those who stand at the end of the queue."""

    name = "through"
    capabilities = BAR_STANDARD - {Capability.PARTIAL_FILLS}

    def run(self, job: EngineJob) -> Ledger:
        """Run the job with our matcher; sizes, brackets, cash and books stay QuantCrafter's."""
        return match_job(job, ThroughMatcher())


@hookimpl
def register_engines() -> list[type[EngineAdapter]]:
    """Return the engine."""
    return [Through]
