"""The plan's second part: programs that read the position, run at every close before any decision. Compiled.

1. `run_nodes` is called at the close of a step, when its orders have filled and its positions are marked.
2. For each instrument whose bar closed it puts what is known of the position and the account, and the bar's columns,
   into registers, executes the program's instructions in order, and records what came out.
3. Combined signals and the filters' verdict go where those of columns lie: decisions see no difference.
Each operation gives the same bits as the column form of the nodes that use it.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from quantcrafter.engine.api.ports import (
    BoolColumn,
    FlagColumn,
    FloatColumn,
    TimeColumn,
)
from quantcrafter.engine.api.step_program import Known
from quantcrafter.engine.simulation.instructions import KNOWN, LAG, calculated, remembered
from quantcrafter.engine.simulation.jit import jit, rare
from quantcrafter.engine.simulation.records import Record, Table, Timeline
from quantcrafter.engine.simulation.worth import open_profit, pair_profit

(
    SIDE,
    QUANTITY,
    ENTRY_PRICE,
    LAST_ENTRY_PRICE,
    HELD_BARS,
    ENTRIES,
    OPEN_CASH,
    OPEN_PERCENT,
    HIGHEST,
    LOWEST,
    LAST_TRADE_PERCENT,
    ENTRIES_MADE,
    EQUITY,
    CASH,
    DRAWDOWN_PERCENT,
    OPEN_POSITIONS,
    UNIT_PRICE,
    UNIT_PERCENT,
    OPEN_R,
    LAST_TRADE_R,
) = (int(known) for known in Known)
# Plain numbers, as in `instructions`.


class Steps(NamedTuple):
    """A program and what it works on; all empty where nothing depends on the position.

    `registers` and `state` have a row for each instrument; `columns` and `outputs` have one for each input and each
    recorded value, with the bars of all instruments one after the other, like `Market`. `inputs` and `recorded` are the
    registers they belong to, `heads` those of the combined signals and of the filters' verdict, or -1, for each
    execution. `flags`, `signals` and `allowed` are the memory of those of `Market`.

    `state`, with `highest_equity` of the portfolio, is all that lasts from bar to bar.
    """

    program: Table
    registers: FloatColumn
    state: FloatColumn
    columns: FloatColumn
    inputs: TimeColumn
    outputs: FloatColumn
    recorded: TimeColumn
    heads: TimeColumn
    flags: FlagColumn
    signals: FlagColumn
    allowed: BoolColumn


@rare
def run_nodes(portfolios: Table, holdings: Table, steps: Steps, timeline: Timeline, step: int, equity: float) -> None:
    """Run the programs of the instruments whose bars close at a step; `equity` is marked at this close."""
    portfolio = portfolios[0]
    portfolio["highest_equity"] = max(portfolio["highest_equity"], equity)
    together = len(timeline.first_event) == 0
    first, last = (0, len(holdings)) if together else (timeline.first_event[step], timeline.first_event[step + 1])
    for event in range(first, last):
        i, bar = (event, step) if together else (timeline.instrument[event], timeline.bar[event])
        registers, row = steps.registers[i], holdings[i]["start"] + bar
        for k in range(len(steps.program)):
            instruction = steps.program[k]
            if instruction["op"] != KNOWN:
                break
            registers[instruction["out"]] = known_of(portfolio, holdings, i, bar, int(instruction["size"]), equity)
        run_program(steps, i, row)


@jit
def run_program(steps: Steps, i: int, row: int) -> None:
    """Carry out all instructions but those that read the position, for one bar, and record what comes out."""
    registers, state = steps.registers[i], steps.state[i]
    for c in range(len(steps.inputs)):
        registers[steps.inputs[c]] = steps.columns[c, row]
    for k in range(len(steps.program)):
        instruction = steps.program[k]
        op = int(instruction["op"])
        if op == KNOWN:
            continue
        a, b = registers[instruction["a"]], registers[instruction["b"]]
        if op < LAG:
            registers[instruction["out"]] = calculated(instruction, op, a, b)
        else:
            registers[instruction["out"]] = remembered(instruction, op, a, b, state)
    for o in range(len(steps.recorded)):
        steps.outputs[o, row] = registers[steps.recorded[o]]
    flags = 0
    for e in range(len(steps.heads)):
        if steps.heads[e, 0] >= 0:
            steps.signals[e, row] = int(registers[steps.heads[e, 0]])
        if steps.heads[e, 1] >= 0:
            steps.allowed[e, row] = registers[steps.heads[e, 1]] != 0.0
        flags |= int(steps.signals[e, row])
    steps.flags[row] = flags


# ---------------------------------------------------------------------- what is known at a close


@jit
def known_of(portfolio: Record, holdings: Table, i: int, bar: int, what: int, equity: float) -> float:  # noqa: PLR0911, C901 - each
    """Return something of an instrument's position, or of the account, at a close."""
    if what == EQUITY:
        return float(equity)
    if what == CASH:
        return float(portfolio["cash"])
    if what == DRAWDOWN_PERCENT:
        return float(100.0 * (1.0 - equity / portfolio["highest_equity"]))
    if what == OPEN_POSITIONS:
        count = 0
        for k in range(len(holdings)):
            count += 1 if holdings[k]["lots"] != 0 else 0
        return float(count)
    holding = holdings[i]
    if what == LAST_TRADE_PERCENT:
        return float(holding["last_result"])
    if what == LAST_TRADE_R:
        return float(holding["last_r"])
    if what == ENTRIES_MADE:
        return float(holding["entries_made"])
    if portfolio["paired"] == 1 and what in (SIDE, OPEN_CASH, OPEN_PERCENT) and holding["lots"] != 0:
        terms = portfolio["executions"][holding["execution"]]
        if terms["pair"] == 1:
            return float(known_of_pair(holdings[terms["first_leg"]], holdings[terms["second_leg"]], what))
    return float(position_of(holding, bar, what))


@jit
def known_of_pair(first: Record, second: Record, what: int) -> float:
    """Return side or open profit of a pair, the same for both legs; its side is that of the first leg."""
    if what == SIDE:
        lots = first["lots"] if first["lots"] != 0 else -second["lots"]
        return 1.0 if lots > 0 else -1.0
    profit, value = pair_profit(first, second)
    return profit if what == OPEN_CASH else float(100.0 * profit / value)


@jit
def position_of(holding: Record, bar: int, what: int) -> float:  # noqa: PLR0911, C901 - one for each
    """Return something of a position; where there is none NaN, or 0 for what can be counted."""
    lots = holding["lots"]
    if what == SIDE:
        return 1.0 if lots > 0 else -1.0 if lots < 0 else 0.0
    if what == QUANTITY:
        return float(abs(holding["quantity"]))
    if what == HELD_BARS:
        return float(bar - holding["entry_bar"] + 1) if lots != 0 else 0.0
    if what == ENTRIES:
        return float(holding["entries"]) if lots != 0 else 0.0
    if lots == 0:
        return math.nan
    if what == ENTRY_PRICE:
        return float(holding["price"])
    if what == LAST_ENTRY_PRICE:
        return float(holding["last_price"])
    if what == HIGHEST:
        return float(holding["highest"])
    if what == LOWEST:
        return float(holding["lowest"])
    if what in (UNIT_PRICE, UNIT_PERCENT):
        return unit_value(holding, what)
    return profit_of(holding, what)


@jit
def profit_of(holding: Record, what: int) -> float:
    """Return the open profit: an amount, in percent of the value at entry, or in multiples of the initial risk."""
    profit = open_profit(holding)
    if what == OPEN_CASH:
        return profit
    if what == OPEN_R:
        return float(profit / holding["risk"]) if holding["risk"] > 0.0 else math.nan
    return float(100.0 * profit / abs(holding["basis"] * holding["quantity"]))


@jit
def unit_value(holding: Record, what: int) -> float:
    """Return the price of the latest entry that is still held, or its gain at the mark in percent, before costs."""
    price = holding["unit_price"][holding["units"] - 1]
    if what == UNIT_PRICE:
        return float(price)
    gain = (holding["mark"] - price) * (1.0 if holding["lots"] > 0 else -1.0)
    return float(100.0 * gain / abs(price)) if price != 0.0 else math.nan


def warm_up(steps: Steps, i: int, rows: range, recorded: dict[int, Any]) -> None:
    """Run a program over bars gone by, with what was known of the position then, to bring its state up to date.

    `recorded` holds, by the register that it belongs to, a column of what was known.
    """
    for row in rows:
        for register, column in recorded.items():
            steps.registers[i, register] = column[row]
        run_program(steps, i, row)
