"""Legs of a pair in explanations: the second one's orders follow from the signals of the first one."""

from __future__ import annotations

import math

import numpy as np

from quantcrafter.engine.api import Ledger
from quantcrafter.engine.runtime.explain.decision import Stage
from quantcrafter.engine.runtime.explain.run_facts import Facts
from quantcrafter.engine.runtime.results.run_view import RunDecision


def stage_of(facts: Facts, decision: RunDecision, bar: int) -> Stage:
    """Return the decision stage at a bar; for the second leg of a pair, that of the first leg at the same close."""
    if not is_second(facts, decision):
        return Stage(facts, decision, bar)
    first = Facts(facts.run, facts.catalog, decision.legs[0])
    at = int(np.searchsorted(first.bars.close_ns, facts.bars.close_ns[bar], side="right")) - 1
    return Stage(first, decision, max(at, 0))


def is_second(facts: Facts, decision: RunDecision) -> bool:
    """Return whether the instrument is the second leg of the pair that an execution trades."""
    return bool(decision.legs) and facts.instrument == decision.legs[1]


def acts_in(facts: Facts, decision: RunDecision) -> bool:
    """Return whether an execution acts on the signals of the instrument: for a pair, only on those of its first leg."""
    return not decision.legs or facts.instrument == decision.legs[0]


def hedge_of(stage: Stage, ledger: Ledger, order: np.void) -> float:
    """Return the quantity that the ratio asks for in an entry of the second leg, before it is rounded to lots.

    NaN for other orders, and where columns are computed on other prices than those that are traded.
    """
    decision, run = stage.decision, stage.facts.run
    if not decision.legs or order["instrument"] != decision.legs[1] or order["parent"] < 0:
        return math.nan
    first, second = (run.instruments[leg] for leg in decision.legs)
    place = int(np.searchsorted(ledger.orders["id"], order["parent"]))
    if first.split is not None or second.split is not None or place == len(ledger.orders):
        return math.nan
    (source,) = run.nodes[decision.node].inputs["ratio"]
    bar, quantity = stage.bar, int(ledger.orders[place]["lots"]) * first.lot_size
    ratio = float(stage.facts.values(source, bar + 1)[bar])
    if run.nodes[decision.node].parameters.get("ratio_of") != "value":
        return ratio * quantity
    values = [
        float(leg.bars.close[at]) * leg.multiplier * (1.0 if leg.rate_close is None else float(leg.rate_close[at]))
        for leg, at in ((first, bar), (second, int(order["created_bar"])))
    ]
    return ratio * quantity * values[0] / values[1]
