"""Records of interventions: one row each time that a rule acts against, or beyond, the signals. Compiled."""

from __future__ import annotations

from quantcrafter.engine.simulation.jit import inlined, jit
from quantcrafter.engine.simulation.records import Record


@inlined
def intervene(portfolio: Record, instrument: int, bar: int, kind: int, rule: int, before: float, after: float) -> None:
    """Record an intervention; `instrument` -1 is the whole account, for which `bar` is the row of the step."""
    row = portfolio["intervention_rows"][portfolio["interventions"]]
    portfolio["interventions"] += 1
    row["bar"] = bar if instrument >= 0 else bar + portfolio["first_step"]
    row["instrument"] = instrument
    row["rule"] = rule
    row["kind"] = kind
    row["before"] = before
    row["after"] = after


@jit
def book_cash(portfolio: Record, holding: Record, bar: int, kind: int, amount: float) -> None:
    """Book a cash flow without a fill for the open position."""
    portfolio["cash"] += amount
    holding["carry"] += amount
    row = portfolio["cashflow_rows"][portfolio["cashflows"]]
    portfolio["cashflows"] += 1
    row["bar"] = bar
    row["instrument"] = holding["index"]
    row["kind"] = kind
    row["amount"] = amount
