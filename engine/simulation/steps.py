"""The plan's second part: programs that read the position, run at every close before any decision. Compiled.

1. `run_nodes` is called at the close of a step, when its orders have filled and its positions are marked.
2. For each instrument whose bar closed it puts what is known of the position and the account, and the bar's columns,
   into registers, carries out the program's instructions in order, and records what came out.
3. Combined signals and the filters' verdict go where those of columns lie: decisions see no difference.
Each operation gives the same bits as the column form of the nodes that use it.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from engine.api.ports import (
    ENTER_LONG,
    ENTER_SHORT,
    EXIT_LONG,
    EXIT_SHORT,
    BoolColumn,
    FlagColumn,
    FloatColumn,
    TimeColumn,
)
from engine.api.steps import Known, Op
from engine.simulation.jit import inlined, jit
from engine.simulation.records import Record, Table, Timeline
from engine.simulation.worth import open_profit

(
    KNOWN,
    ADD,
    SUBTRACT,
    MULTIPLY,
    DIVIDE,
    LEAST,
    MOST,
    MAGNITUDE,
    FINITE,
    ABOVE,
    AT_LEAST,
    EQUAL,
    BOTH,
    EITHER,
    NOT,
    CHOOSE,
    JOIN_FLAGS,
    MEET_FLAGS,
    LAG,
    CROSS,
    AGE,
    COUNT,
    HIGHEST_SINCE,
    STANCE,
    GROWTH,
    RANK,
    ZSCORE,
    VOLATILITY,
) = (int(op) for op in Op)
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
) = (int(known) for known in Known)
# Plain numbers, unlike those of `records`: they are compared only, never handed on, and Python compares them faster.


class Steps(NamedTuple):
    """A program and what it works on; all empty where nothing depends on the position.

    `registers` and `state` have a row for each instrument; `columns` and `outputs` have one for each input and each
    recorded value, with the bars of all instruments one after the other, like `Market`. `inputs` and `recorded` are the
    registers they belong to, `heads` those of the combined signals and of the filters' verdict, or -1. `flags` and
    `allowed` are the memory of those of `Market`.

    `state`, with `highest_equity` of the desk, is all that lasts from bar to bar.
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
    allowed: BoolColumn


@jit
def run_nodes(desks: Table, books: Table, steps: Steps, timeline: Timeline, step: int, equity: float) -> None:
    """Run the programs of the instruments whose bars close at a step; `equity` is marked at this close."""
    desk = desks[0]
    desk["highest_equity"] = max(desk["highest_equity"], equity)
    together = len(timeline.first_event) == 0
    first, last = (0, len(books)) if together else (timeline.first_event[step], timeline.first_event[step + 1])
    for event in range(first, last):
        i, bar = (event, step) if together else (timeline.instrument[event], timeline.bar[event])
        registers, row = steps.registers[i], books[i]["start"] + bar
        for k in range(len(steps.program)):
            instruction = steps.program[k]
            if instruction["op"] != KNOWN:
                break
            registers[instruction["out"]] = known_of(desk, books, i, bar, int(instruction["size"]), equity)
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
    if steps.heads[0] >= 0:
        steps.flags[row] = int(registers[steps.heads[0]])
    if steps.heads[1] >= 0:
        steps.allowed[row] = registers[steps.heads[1]] != 0.0


# ---------------------------------------------------------------------- what is known at a close


@jit
def known_of(desk: Record, books: Table, i: int, bar: int, what: int, equity: float) -> float:  # noqa: PLR0911 - each
    """Return something of an instrument's position, or of the account, at a close."""
    if what == EQUITY:
        return float(equity)
    if what == CASH:
        return float(desk["cash"])
    if what == DRAWDOWN_PERCENT:
        return float(100.0 * (1.0 - equity / desk["highest_equity"]))
    if what == OPEN_POSITIONS:
        count = 0
        for k in range(len(books)):
            count += 1 if books[k]["lots"] != 0 else 0
        return float(count)
    book = books[i]
    if what == LAST_TRADE_PERCENT:
        return float(book["last_result"])
    if what == ENTRIES_MADE:
        return float(book["entries_made"])
    return float(position_of(book, bar, what))


@jit
def position_of(book: Record, bar: int, what: int) -> float:  # noqa: PLR0911 - one for each
    """Return something of a position; where there is none NaN, or 0 for what can be counted."""
    lots = book["lots"]
    if what == SIDE:
        return 1.0 if lots > 0 else -1.0 if lots < 0 else 0.0
    if what == QUANTITY:
        return float(abs(book["quantity"]))
    if what == HELD_BARS:
        return float(bar - book["entry_bar"] + 1) if lots != 0 else 0.0
    if what == ENTRIES:
        return float(book["entries"]) if lots != 0 else 0.0
    if lots == 0:
        return math.nan
    if what == ENTRY_PRICE:
        return float(book["price"])
    if what == LAST_ENTRY_PRICE:
        return float(book["last_price"])
    if what == HIGHEST:
        return float(book["highest"])
    if what == LOWEST:
        return float(book["lowest"])
    profit = open_profit(book)
    return profit if what == OPEN_CASH else float(100.0 * profit / abs(book["basis"] * book["quantity"]))


# ---------------------------------------------------------------------- instructions


@jit
def calculated(instruction: Record, op: int, a: float, b: float) -> float:  # noqa: PLR0911, PLR0912, C901 - one for each
    """Carry out an instruction that knows this bar only."""
    if op == ADD:
        return a + b
    if op == SUBTRACT:
        return a - b
    if op == MULTIPLY:
        return a * b
    if op == DIVIDE:
        return a / b
    if op == LEAST:
        return (a if a < b or math.isnan(a) else b) + 0.0
    if op == MOST:
        return (a if a > b or math.isnan(a) else b) + 0.0
    if op == MAGNITUDE:
        return abs(a)
    if op == FINITE:
        return a if abs(a) < math.inf else math.nan
    if op == ABOVE:
        return 1.0 if a > b else 0.0
    if op == AT_LEAST:
        return 1.0 if a >= b else 0.0
    if op == EQUAL:
        return 1.0 if a == b else 0.0
    if op == BOTH:
        return 1.0 if a != 0.0 and b != 0.0 else 0.0
    if op == EITHER:
        return 1.0 if a != 0.0 or b != 0.0 else 0.0
    if op == NOT:
        return 0.0 if a != 0.0 else 1.0
    if op == CHOOSE:
        return float(instruction["value"]) if a != 0.0 else 0.0
    return float(int(a) | int(b)) if op == JOIN_FLAGS else float(int(a) & int(b))


@jit
def remembered(instruction: Record, op: int, a: float, b: float, state: FloatColumn) -> float:  # noqa: PLR0911 - each
    """Carry out an instruction with a memory, which begins at its place in the instrument's state."""
    at, size = instruction["state"], instruction["size"]
    if op == LAG:
        place = at + 1 + int(state[at])
        before = state[place]
        state[place] = a
        state[at] = (int(state[at]) + 1) % size
        return float(before)
    if op == CROSS:
        return crossing(instruction, a, b, state, at)
    if op == AGE:
        state[at] = 0.0 if a != 0.0 else math.nan if b != 0.0 else state[at] + 1.0
        return float(state[at])
    if op == COUNT:
        return count_of(a, state, at, size)
    if op == HIGHEST_SINCE:
        return highest_since(a, b, state, at)
    if op == STANCE:
        return stance_of(int(a), state, at)
    if op == GROWTH:
        return growth_of(a, b, state, at)
    if op == RANK:
        return rank_of(a, state, at, size)
    return zscore_of(a, state, at, size) if op == ZSCORE else volatility_of(instruction, a, state, at, size)


@jit
def crossing(instruction: Record, a: float, b: float, state: FloatColumn, at: int) -> float:
    """Return what a crossing gives; the state is the last side, and the bars since it was seen."""
    state[at + 1] += 1.0
    side, found = state[at], 0.0
    remembers = state[at + 1] <= instruction["size"]
    if a > b:
        if side < 0.0 and remembers:
            found = float(instruction["value"])
        state[at], state[at + 1] = 1.0, 0.0
    elif a < b:
        if side > 0.0 and remembers:
            found = float(instruction["more"])
        state[at], state[at + 1] = -1.0, 0.0
    return found


@jit
def count_of(held: float, state: FloatColumn, at: int, size: int) -> float:
    """Return how often a condition held; the state is a place in the ring, the bars seen, the count, and the ring."""
    now = 1.0 if held != 0.0 else 0.0
    place = at + 3 + int(state[at])
    state[at + 2] += now - state[place]
    state[place] = now
    state[at] = (int(state[at]) + 1) % size
    if state[at + 1] < size:
        state[at + 1] += 1.0
    return float(state[at + 2]) if state[at + 1] == size else math.nan


@jit
def highest_since(value: float, begins: float, state: FloatColumn, at: int) -> float:
    """Return the highest value; the state is whether it began, and the highest."""
    best = state[at + 1]
    if begins != 0.0:
        state[at] = 1.0
        state[at + 1] = value
    elif state[at] != 0.0 and not value <= best and not math.isnan(value):
        state[at + 1] = value
    return float(state[at + 1])


@jit
def stance_of(now: int, state: FloatColumn, at: int) -> float:
    """Return where a signal stands: exits count before entries, an entry both ways is none."""
    stance = int(state[at])
    if (stance == ENTER_LONG and (now & EXIT_LONG) != 0) or (stance == ENTER_SHORT and (now & EXIT_SHORT) != 0):
        stance = 0
    entry = now & (ENTER_LONG | ENTER_SHORT)
    if entry in (ENTER_LONG, ENTER_SHORT):
        stance = entry
    state[at] = stance
    return float(stance)


@jit
def growth_of(total: float, period: float, state: FloatColumn, at: int) -> float:
    """Return the growth; the state is the period, the total at its beginning, and the latest total."""
    if period != state[at]:
        state[at] = period
        state[at + 1] = state[at + 2]
    state[at + 2] = total
    return float(total - state[at + 1])


@inlined
def pushed(value: float, blank: bool, state: FloatColumn, at: int, ring: int, size: int) -> float:  # noqa: FBT001 - of it
    """Put a value into a ring, and return how many came without a blank; then the oldest is where the next one goes."""
    state[ring + int(state[at])] = value
    state[at] = (int(state[at]) + 1) % size
    state[at + 1] = 0.0 if blank else state[at + 1] + 1.0
    return float(state[at + 1])


@jit
def rank_of(value: float, state: FloatColumn, at: int, size: int) -> float:
    """Return the percentile rank of the newest value of the window."""
    ring = at + 2
    if pushed(value, math.isnan(value), state, at, ring, size) < size:
        return math.nan
    twice, oldest = 0, int(state[at])
    for j in range(size - 1):
        other = state[ring + (oldest + j) % size]
        twice += (1 if other < value else 0) + (1 if other <= value else 0)
    return 50.0 * twice / (size - 1)


@jit
def zscore_of(value: float, state: FloatColumn, at: int, size: int) -> float:
    """Return the standard score of the newest value of the window: mean first, deviations scaled by the largest."""
    ring = at + 2
    if pushed(value, not abs(value) < math.inf, state, at, ring, size) < size:
        return math.nan
    oldest = int(state[at])
    total, low, high = 0.0, state[ring + oldest], state[ring + oldest]
    for j in range(size):
        each = state[ring + (oldest + j) % size]
        total += each / size
        low, high = min(low, each), max(high, each)
    scale = max(high - total, total - low)
    if low == high or not abs(scale) < math.inf or scale <= 0.0:
        return math.nan
    squares = 0.0
    for j in range(size):
        deviation = (state[ring + (oldest + j) % size] - total) / scale
        squares += deviation * deviation
    return float((value - total) / scale / math.sqrt(squares / size)) if squares > 0.0 else math.nan


@jit
def volatility_of(instruction: Record, price: float, state: FloatColumn, at: int, size: int) -> float:
    """Return the annual volatility of the window's log returns in percent; the state has the price before, too."""
    before, ring = state[at + 2], at + 3
    state[at + 2] = price
    growth = price / before if 0.0 < price < math.inf and 0.0 < before < math.inf else math.nan
    known = 0.0 < growth < math.inf
    growth = math.log(growth) if known else math.nan
    if pushed(growth, not known, state, at, ring, size) < size:
        return math.nan
    mean, oldest = 0.0, int(state[at])
    for j in range(size):
        mean += state[ring + (oldest + j) % size] / size
    squares = 0.0
    for j in range(size):
        deviation = state[ring + (oldest + j) % size] - mean
        squares += deviation * deviation
    return float(100.0 * math.sqrt(squares / (size - 1) * instruction["value"]))


def warm_up(steps: Steps, i: int, rows: range, recorded: dict[int, Any]) -> None:
    """Run a program over bars gone by, with what was known of the position then, to bring its state up to date.

    `recorded` holds, by the register that it belongs to, a column of what was known.
    """
    for row in rows:
        for register, column in recorded.items():
            steps.registers[i, register] = column[row]
        run_program(steps, i, row)
