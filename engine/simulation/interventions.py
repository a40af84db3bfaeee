"""What the rules did against, or beyond, the signals: one row for each time. Compiled."""

from __future__ import annotations

from quantcrafter.engine.simulation.jit import jit
from quantcrafter.engine.simulation.records import Record


@jit
def intervene(portfolio: Record, instrument: int, bar: int, kind: int, rule: int, before: float, after: float) -> None:
    """Note an intervention; `instrument` -1 is the whole account, whose `bar` is the row of the step."""
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
    """Book money that comes or goes without a fill, for the position that is open."""
    portfolio["cash"] += amount
    holding["carry"] += amount
    row = portfolio["cashflow_rows"][portfolio["cashflows"]]
    portfolio["cashflows"] += 1
    row["bar"] = bar
    row["instrument"] = holding["index"]
    row["kind"] = kind
    row["amount"] = amount
