"""The operations of programs of steps: pure ones, and those with a memory in the instrument's state. Compiled.

The results of each are identical to the column form of the nodes that use it.
"""

from __future__ import annotations

import math

from quantcrafter.engine.api.ports import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT, FloatColumn
from quantcrafter.engine.api.step_program import Op
from quantcrafter.engine.simulation.jit import inlined, jit
from quantcrafter.engine.simulation.records import Record

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
    FLOOR,
    ROOT,
    LOG,
    EXP,
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
    HOLD,
    LATCH,
    TALLY,
    ADVANCE,
) = (int(op) for op in Op)
# Plain numbers, unlike those of `records`: they are compared only, never passed on, and Python compares them faster.

WHOLE_FROM = 4503599627370496.0
"""From 2 ** 52 on, every number is whole."""
EXP_MOST, EXP_LEAST = 709.0, -745.0


@jit
def calculated(instruction: Record, op: int, a: float, b: float) -> float:  # noqa: PLR0911, PLR0912, C901 - one for each
    """Execute an instruction that uses only this bar."""
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
    if op >= FLOOR:
        return function_of(op, a)
    return float(int(a) | int(b)) if op == JOIN_FLAGS else float(int(a) & int(b))


@jit
def function_of(op: int, a: float) -> float:
    """Return a function of one number; NaN where it has none, and never an exception."""
    if op == FLOOR:
        return float(math.floor(a)) if abs(a) < WHOLE_FROM else a
    if op == ROOT:
        return math.sqrt(a) if a >= 0.0 else math.nan
    if op == LOG:
        return math.log(a) if 0.0 < a < math.inf else math.nan
    if a > EXP_MOST:
        return math.inf
    return math.exp(a) if a >= EXP_LEAST else 0.0 if a < EXP_LEAST else math.nan


@jit
def remembered(instruction: Record, op: int, a: float, b: float, state: FloatColumn) -> float:  # noqa: PLR0911, PLR0912, C901 - each
    """Execute an instruction with a memory, which starts at its position in the instrument's state."""
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
    if op == HOLD:
        if b != 0.0:
            state[at] = a
        return float(state[at])
    if op == LATCH:
        return latched(a != 0.0, b != 0.0, instruction["value"] != 0.0, state, at)
    if op == TALLY:
        state[at] = (0.0 if b != 0.0 else state[at]) + (1.0 if a != 0.0 else 0.0)
        return float(state[at])
    if op == ADVANCE:
        return advanced(int(a), b != 0.0, state, at, size)
    return zscore_of(a, state, at, size) if op == ZSCORE else volatility_of(instruction, a, state, at, size)


@jit
def latched(on: bool, off: bool, on_first: bool, state: FloatColumn, at: int) -> float:  # noqa: FBT001 - compiled
    """Return whether it is on; the state is the same."""
    if on and (on_first or not off):
        state[at] = 1.0
    elif off:
        state[at] = 0.0
    return float(state[at])


@jit
def advanced(bits: int, restart: bool, state: FloatColumn, at: int, size: int) -> float:  # noqa: FBT001 - compiled
    """Return how many conditions have held in order; the state is the same."""
    done = 0 if restart or state[at] >= size else int(state[at])
    if (bits >> done) & 1:
        done += 1
    state[at] = done
    return float(done)


@jit
def crossing(instruction: Record, a: float, b: float, state: FloatColumn, at: int) -> float:
    """Return the value of a crossing; the state is the last side, and the number of bars since then."""
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
    """Return how often a condition was true; the state is ring position, number of bars, count, and ring."""
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
    """Return the side of a signal: exits come before entries; entries on both sides cancel each other."""
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
    """Add a value to a ring, and return the number of values since the last NaN; the oldest is at the next position."""
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
