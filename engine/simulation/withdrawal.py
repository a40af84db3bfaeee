"""Withdrawals of profit, before the first open of a month or quarter and by the equity of the close before. Compiled.

An account without withdrawals has nothing of it; one with them is looked at on the first bar of each trading day.
"""

from __future__ import annotations

from quantcrafter.engine.simulation.costs import available_cash
from quantcrafter.engine.simulation.jit import jit, rare
from quantcrafter.engine.simulation.records import NONE, MarketArrays, Record, Table
from quantcrafter.engine.simulation.risk_records import WITHDRAWAL
from quantcrafter.engine.simulation.worth import worth


@jit
def month_of(day: int) -> int:
    """Return the month of a day since 1970, counted from January of the year 0.

    Years begin with March here, so that a leap day is the last one; 400 of them have 146,097 days. Source: E. G.
    Richards, in Explanatory Supplement to the Astronomical Almanac, 3rd ed. (2013), ch. 15.
    """
    days = day + 719_468
    century = (4 * days + 3) // 146_097
    days -= 146_097 * century // 4
    year = (4 * days + 3) // 1_461
    days -= 1_461 * year // 4
    month = (5 * days + 2) // 153 + 2
    return int(12 * (100 * century + year) + month)


@rare
def begin_period(portfolio: Record, holdings: Table, market: MarketArrays, step: int) -> None:
    """Withdraw profit before the open of a step, if it is the first one of a period, and begin the period."""
    if market.account.day[step] == portfolio["day"]:
        return
    before, months = portfolio["month"], portfolio["withdraw_months"]
    month = month_of(market.account.day[step])
    portfolio["month"] = month
    if month // months == before // months:
        return
    equity = portfolio["cash"]
    for i in range(len(holdings)):
        equity += worth(holdings[i], holdings[i]["mark"])
    profit = equity - portfolio["period_equity"]
    if before == 0:
        profit = 0.0
        portfolio["period_equity"] = equity
    if profit > 0.0:
        equity -= withdraw(portfolio, holdings, step, profit * portfolio["withdraw_percent"] / 100.0, equity)
    if profit > 0.0 or portfolio["withdraw_above"] == 0:
        portfolio["period_equity"] = equity


@jit
def withdraw(portfolio: Record, holdings: Table, step: int, wanted: float, equity: float) -> float:
    """Book a withdrawal before the open of a step, at most what is available in cash; return the amount.

    The highest equities so far are reduced by the same share as the equity, so that a drawdown in percent stays as it
    is.
    """
    amount = min(wanted, portfolio["cash"], available_cash(portfolio, holdings, NONE, 0.0))
    if not amount > 0.0:
        return 0.0
    share = 1.0 - amount / equity
    portfolio["cash"] -= amount
    portfolio["last_equity"] -= amount
    portfolio["peak"] *= share
    portfolio["highest_equity"] *= share
    row = portfolio["cashflow_rows"][portfolio["cashflows"]]
    portfolio["cashflows"] += 1
    row["bar"] = step + portfolio["first_step"]
    row["instrument"] = NONE
    row["kind"] = WITHDRAWAL
    row["amount"] = -amount
    return float(amount)
