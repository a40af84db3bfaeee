"""Small faults planted in the simulation one at a time, each of which some test of its meaning must find.

A fault is a fragment of the source that stands there exactly once, and what is written in its place. A fragment that
is no longer there, or that stands in several places, fails the tests: the list stays true.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "engine" / "simulation"


@dataclass(frozen=True, slots=True)
class Mutant:
    """A fault: what it does, the fragment it replaces, and by what."""

    what: str
    fragment: str
    replacement: str

    def place(self) -> str:
        """Return the name of the only file with the fragment.

        Raises:
            LookupError: none has it, or it stands in several places.
        """
        found = [name for name, text in sources().items() for _ in range(text.count(self.fragment))]
        if len(found) != 1:
            where = ", ".join(found) or "no file"
            raise LookupError(f"'{self.fragment}' ({self.what}) must stand once in engine/simulation, is in {where}.")
        return found[0]


@cache
def sources() -> dict[str, str]:
    """Return the text of each module of the simulation."""
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.py"))}


MUTANTS = tuple(
    Mutant(*row)
    for row in (
        # ------------------------------------------------------------------ arithmetic of prices and lots
        ("halves of a tick go down", "(1.0 + TOLERANCE) + 0.5)", "(1.0 + TOLERANCE) + 0.49)"),
        (
            "lots are cut by the last bit",
            "return 0\n    return math.floor(min(lots * (1.0 + TOLERANCE), MOST_LOTS))",
            "return 0\n    return math.floor(min(lots, MOST_LOTS))",
        ),
        ("a buy stop needs more than its price", "if high >= trigger", "if high > trigger"),
        ("a sell stop needs more than its price", "if low <= trigger", "if low < trigger"),
        ("a gap past a sell stop fills at the stop", "return min(trigger, open_)", "return max(trigger, open_)"),
        ("a gap past a buy stop fills at the stop", "return max(trigger, open_)", "return min(trigger, open_)"),
        ("a buy limit needs less than its price", "if low <= limit", "if low < limit"),
        (
            "a sell limit needs more than its price",
            "return max(limit, open_) if high >= limit",
            "return max(limit, open_) if high > limit",
        ),
        ("a better open is not taken by a seller", "return max(limit, open_)", "return min(limit, open_)"),
        ("a better open is not taken by a buyer", "return min(limit, open_)", "return max(limit, open_)"),
        ("the least commission is the most", "else max(minimum, total)", "else min(minimum, total)"),
        ("slippage by the range is a gain", "(ticks * tick_size + move)", "(ticks * tick_size - move)"),
        (
            "a tick away is counted back",
            "level = on_tick(holding, level + sign * tick_at",
            "level = on_tick(holding, level - sign * tick_at",
        ),
        # ------------------------------------------------------------------ costs and what can be paid
        (
            "limit orders pay no maker's commission",
            'if kind in (LIMIT, STOP_LIMIT) else portfolio["commission_percent"]',
            'if kind == STOP_LIMIT else portfolio["commission_percent"]',
        ),
        (
            "the charge for a lot is paid back",
            '+ portfolio["commission_per_lot"] * lots',
            '- portfolio["commission_per_lot"] * lots',
        ),
        (
            "the first part's commission is paid twice",
            'commission = charge - holding["charged"][k]',
            "commission = charge",
        ),
        (
            "the commission is not converted",
            'return quantity, commission * holding["rate"], slippage',
            "return quantity, commission, slippage",
        ),
        ("slippage is not converted", 'tick_size, move) * holding["rate"]', "tick_size, move)"),
        (
            "an order takes more than the volume",
            'return min(lots, whole_lots(holding["volume_left"]',
            'return max(lots, whole_lots(holding["volume_left"]',
        ),
        (
            "the proceeds of a short sale can be spent",
            "(1.0 + margin) * value if lots < 0",
            "(1.0 - margin) * value if lots < 0",
        ),
        (
            "slippage needs no cash",
            "(taken + commission + slippage) * (1.0 - TOLERANCE)",
            "(taken + commission) * (1.0 - TOLERANCE)",
        ),
        ("one lot less than can be paid", "while unpaid - paid > 1:", "while unpaid - paid > 2:"),
        # ------------------------------------------------------------------ caps
        (
            "short positions lower the gross exposure",
            "gross += abs(value)\n            net += value\n            gained",
            "gross += value\n            net += value\n            gained",
        ),
        ("a cap in units forgets what is held", "return bool(held + added <= limit)", "return bool(added <= limit)"),
        ("a reduction of the net exposure is refused", " or after <= abs(before[1]))", ")"),
        (
            "other groups count for a group's exposure",
            'holdings[j]["guard_group"][g] == holdings[i]["guard_group"][g]:\n            value',
            'holdings[j]["guard_group"][g] >= 0:\n            value',
        ),
        (
            "a group's net exposure is its gross one",
            "            net += value\n    return gross, net\n",
            "            net += abs(value)\n    return gross, net\n",
        ),
        (
            "instruments without a group are limited",
            'if guard["grouped"] == 0 or holding["guard_group"][g] >= 0:',
            'if guard["grouped"] == 0 or holding["guard_group"][g] >= -1:',
        ),
        ("an amount caps as a percentage", 'if guard["in_cash"] == 0:', 'if guard["value"] > 0.0:'),
        ("one trade too many", 'i, guard, g) < guard["value"]', 'i, guard, g) <= guard["value"]'),
        ("caps forget the costs of the fill", "equity - commission - slippage, (gross", "equity, (gross"),
        # ------------------------------------------------------------------ sizes
        ("losses count as gains", "lost -= result", "lost += result"),
        (
            "one trade too many before Kelly begins",
            'if portfolio["closed"] < terms["size_trades"]',
            'if portfolio["closed"] <= terms["size_trades"]',
        ),
        (
            "calm instruments pass the cap",
            'min(100.0 * terms["size_value"] / value, most)',
            'max(100.0 * terms["size_value"] / value, most)',
        ),
        (
            "risk is not converted",
            "size / 100.0 / value_of(holding, 1.0, distance)",
            'size / 100.0 / (distance * holding["multiplier"])',
        ),
        (
            "cash is not converted",
            "price = value_of(holding, 1.0, abs(close))",
            'price = holding["multiplier"] * abs(close)',
        ),
        (
            "the smallest entry is too small",
            '< holding["min_quantity"] * (1.0 - TOLERANCE)',
            '< holding["min_quantity"] * (1.0 + 1e-6)',
        ),
        ("a trade of zero loses", "elif profit < 0.0:", "elif profit <= 0.0:"),
        ("the streaks are exchanged", "if kind == MARTINGALE else", "if kind != MARTINGALE else"),
        ("a profit on a step misses it", "/ 2.0 * (1.0 + 1e-12))", "/ 2.0 * (1.0 - 1e-12))"),
        # ------------------------------------------------------------------ positions and trades
        ("slippage is earned", "quantity, price) + commission + slippage", "quantity, price) + commission - slippage"),
        (
            "the average forgets the quantities",
            '(holding["price"] * held + price * lots) / (held + lots)',
            '(holding["price"] + price) / 2.0',
        ),
        (
            "an additional entry is not converted",
            "value_of(holding, 1.0, price) * lots) / (held + lots)",
            "price * lots) / (held + lots)",
        ),
        ("a part of the position bears all of its costs", "entry_commission *= lots / held", "entry_commission *= 1.0"),
        ("a part of the position bears all of its fees", "carry *= lots / held", "carry *= 1.0"),
        (
            "the largest move against a short is that of a long",
            "entry - lowest if side > 0 else highest - entry, 0.0",
            "entry - lowest, 0.0",
        ),
        (
            "a triggered stop ends entries that have not filled, and no others",
            'other] == 1 and entry["filled"] > 0',
            'other] == 1 and entry["filled"] == 0',
        ),
        # ------------------------------------------------------------------ orders
        (
            "siblings are not told from others",
            "OCO if sibling else POSITION_CLOSED",
            "POSITION_CLOSED if sibling else OCO",
        ),
        (
            "an exit signal ends the entries of the other side",
            'holding["slots"][k]["side"] == side:',
            'holding["slots"][k]["side"] != side:',
        ),
        (
            "an order takes over when its neighbour worked from",
            'holding["from_bar"][j] = holding["from_bar"][j + 1]',
            'holding["from_bar"][j] = holding["from_bar"][j]',
        ),
        (
            "an order takes over what its neighbour was charged",
            'holding["charged"][j] = holding["charged"][j + 1]',
            'holding["charged"][j] = holding["charged"][j]',
        ),
        (
            "an order takes over when its neighbour was decided",
            'holding["decided"][j] = holding["decided"][j + 1]',
            'holding["decided"][j] = holding["decided"][j]',
        ),
        # ------------------------------------------------------------------ the course of a bar
        (
            "the bar's touch comes before its open",
            "for course in (AT_OPEN, INSIDE, AFTER, AFTER_REVERSAL):",
            "for course in (INSIDE, AT_OPEN, AFTER, AFTER_REVERSAL):",
        ),
        (
            "a stop-limit is reached from the other side",
            'order["kind"] == STOP or at_trigger else',
            'order["kind"] == STOP else',
        ),
        (
            "a position that grows is unprotected for a bar",
            'delay = 0 if holding["lots"] != 0 and holding["entry_bar"] < bar else portfolio["arm_delay"]',
            'delay = portfolio["arm_delay"]',
        ),
        (
            "what came before an entry counts after it",
            "highest = high if way > 0 else max(price, close)",
            "highest = high",
        ),
        (
            "the low is not known after a limit",
            "lowest = low if way in (-1, BOTH_WAYS) else min(price, close)",
            "lowest = min(price, close)",
        ),
        (
            "a stop at the open was reached after the entry",
            'if holding["lots"] > 0 and open_ > level:',
            'if holding["lots"] > 0 and open_ >= level:',
        ),
        ("a stop-limit at the open doesn't see its bar", '== bar and holding["touch_price"][k] != open_:', "== bar:"),
        ("orders inside the bar are armed at once whatever is said", ' and portfolio["arm_delay"] == 0\n', "\n"),
        (
            "a high before the entry is the best price",
            'high = high if holding["inside_way"] > 0 else close',
            "high = high + 0.0",
        ),
        (
            "a low before the entry is the worst price",
            'low = low if holding["inside_way"] in (-1, BOTH_WAYS) else close',
            "low = low + 0.0",
        ),
        # ------------------------------------------------------------------ protective orders
        (
            "the furthest stop sizes the position",
            "nearest = min(nearest, distance)",
            "nearest = max(nearest, distance) if nearest < math.inf else distance",
        ),
        (
            "a stop that followed is given up",
            'not (level - followed) * holding["lots"] > 0.0',
            '(level - followed) * holding["lots"] > 0.0',
        ),
        (
            "shares are rounded one by one",
            'share = min(share + rules[rule]["share"], WHOLE)',
            'share = rules[rule]["share"]',
        ),
        (
            "breaking even needs more than its distance",
            "if (best - entry) * side >= rule_distance",
            "if (best - entry) * side > rule_distance",
        ),
        ("a stop is moved to where it is", "not (wanted - level) * side <= 0.0", "not (wanted - level) * side < 0.0"),
        (
            "a trailing stop that never moved has its own name",
            "STOP_LOSS_HIT if kind == TRAILING_STOP else reason_of(kind)",
            "reason_of(kind)",
        ),
        (
            "protection outlives its position",
            'order["lots"] = order["filled"] + held',
            'order["lots"] = order["filled"] + held + 1',
        ),
        # ------------------------------------------------------------------ halts, margin, time
        (
            "a drawdown at its limit is none",
            '(portfolio["peak"] - equity) * 100.0 >= limit',
            '(portfolio["peak"] - equity) * 100.0 > limit',
        ),
        (
            "a daily loss at its limit is none",
            '(portfolio["day_equity"] - equity) * 100.0 >= limit',
            '(portfolio["day_equity"] - equity) * 100.0 > limit',
        ),
        ("one loss too many in a row", 'portfolio["losses_in_row"] >= limit', 'portfolio["losses_in_row"] > limit'),
        (
            "the old peak halts again",
            'portfolio["peak"] = portfolio["last_equity"]\n        portfolio["losses',
            'portfolio["losses',
        ),
        (
            "equity at the margin is called",
            "called = required > 0.0 and equity < required",
            "called = required > 0.0 and equity <= required",
        ),
        (
            "margin is not converted",
            "quantity, abs(price)) * part +",
            'quantity, abs(price)) / holding["rate"] * part +',
        ),
        (
            "a time stop is a bar late",
            'bar - holding["entry_bar"] + 1 >= guard["value"]',
            'bar - holding["entry_bar"] >= guard["value"]',
        ),
        ("cooling down takes a bar more", 'bar < lost + guard["value"]', 'bar <= lost + guard["value"]'),
        ("an equity of zero goes on", "return bool(equity <= 0.0 and", "return bool(equity < 0.0 and"),
        # ------------------------------------------------------------------ financing, splits, dividends
        ("a year has 360 days", "YEAR_NS = 365 *", "YEAR_NS = 360 *"),
        (
            "a night's fee is on the open",
            'pay_borrow(portfolio, holding, bar, holding["mark"], columns',
            "pay_borrow(portfolio, holding, bar, market.open[row], columns",
        ),
        (
            "a bar's fee is on its open",
            "pay_borrow(portfolio, holding, bar, market.close[row], columns",
            "pay_borrow(portfolio, holding, bar, market.open[row], columns",
        ),
        ("a part of a lot is given", "whole = math.floor(exact)\n", "whole = math.ceil(exact)\n"),
        (
            "a short earns the dividend",
            'DIVIDEND, value_of(holding, holding["quantity"],',
            'DIVIDEND, value_of(holding, abs(holding["quantity"]),',
        ),
        ("orders rise with a split", "order_price(holding, price / ratio", "order_price(holding, price * ratio"),
        ("the best price is of before the split", 'holding["highest"] /= ratio', 'holding["highest"] /= 1.0'),
        ("a part of a lot is paid unconverted", 'left * holding["mark"] * holding["rate"])', 'left * holding["mark"])'),
        # ------------------------------------------------------------------ withdrawals
        ("profit is withdrawn at any time", "if month // months == before // months:", "if month == 0:"),
        ("a quarter has one month", "month // months == before // months", "month == before"),
        (
            "an earlier high is forgotten",
            'if profit > 0.0 or portfolio["withdraw_above"] == 0:',
            'if profit != 0.0 or portfolio["withdraw_above"] == 0:',
        ),
        ("what was withdrawn counts as kept", "equity -= withdraw(", "equity -= 0.0 * withdraw("),
        ("more is withdrawn than there is", 'min(wanted, portfolio["cash"], available', "max(wanted, 0.0 * available"),
        ("a withdrawal is a drawdown", 'portfolio["peak"] *= share', 'portfolio["peak"] *= 1.0'),
        ("a withdrawal is a loss of the day", 'portfolio["last_equity"] -= amount', 'portfolio["last_equity"] -= 0.0'),
        # ------------------------------------------------------------------ rolls
        (
            "orders stay at the prices of the old contract",
            'order["price"] = moved_level(holding, order["price"], difference)',
            'order["price"] = moved_level(holding, order["price"], 0.0)',
        ),
        ("a roll pays the profit twice", 'holding["settled"] = bought', 'holding["settled"] += 0.0'),
        ("the best price is that of the old contract", 'holding["highest"] += difference', 'holding["highest"] += 0.0'),
        (
            "a roll takes the volume of the new contract",
            'holding["volume_left"] = volume_left\n',
            'holding["volume_left"] += 0.0\n',
        ),
        ("a line stays in the old contract", "value += rolled_since(holding, market, row)", "value += 0.0"),
        ("a roll pays no spread", "quoted(holding, -side, old), quoted(holding, side, new)", "old, new"),
        # ------------------------------------------------------------------ contracts
        (
            "a contract's open profit forgets the multiplier",
            'points = holding["quantity"] * holding["multiplier"]\n    return',
            'points = holding["quantity"]\n    return',
        ),
        (
            "a contract's open profit is not converted",
            'holding["contract"] * holding["settled"]) * holding["rate"])',
            'holding["contract"] * holding["settled"]))',
        ),
        ("a contract's value moves through the equity", '(price - holding["contract"] * holding["settled"])', "price"),
        (
            "the amount of margin for a contract is not converted",
            '+ quantity * amount * holding["rate"])',
            "+ quantity * amount)",
        ),
        (
            "slippage of a contract forgets the multiplier",
            "slippage_of(notional, points,",
            "slippage_of(notional, quantity,",
        ),
        (
            "a contract takes no margin from what is available",
            "available -= margin_of(holdings[j]",
            "available -= 0.0 * margin_of(holdings[j]",
        ),
        (
            "quiet bars of a contract forget its entry",
            "equities[row] += points * (close[row] - entered) * rate",
            "equities[row] += points * close[row] * rate",
        ),
        (
            "quiet bars of a single contract forget its entry",
            "cash + points * (close[row] - entered) * rate",
            "cash + points * close[row] * rate",
        ),
        # ------------------------------------------------------------------ quiet bars
        (
            "a price met exactly is quiet",
            'low > holding["alarm_below"] and high < holding["alarm_above"]',
            'low >= holding["alarm_below"] and high <= holding["alarm_above"]',
        ),
        (
            "a price met exactly is quiet for one instrument",
            "(below < low[row]) & (high[row] < above)",
            "(below <= low[row]) & (high[row] <= above)",
        ),
        (
            "a line is for both sides",
            'return bool(rule["side"] * side >= 0 and',
            'return bool(rule["side"] * side >= -1 and',
        ),
        (
            "a new low is quiet for a short's trailing stop",
            " & (high[row] <= lid) & (low[row] >= floor)",
            " & (high[row] <= lid)",
        ),
        (
            "a trailing stop met exactly is passed",
            "(low[row] <= below) | (high[row] >= above)",
            "(low[row] < below) | (high[row] > above)",
        ),
        (
            "the stop of a short follows the highs",
            "reached = high[row] if side > 0 else low[row]",
            "reached = high[row]",
        ),
        (
            "lows are forgotten while a stop follows",
            "min(lowest, low[row])\n        row += 1",
            "lowest\n        row += 1",
        ),
        (
            "a stop made at the open sleeps through its bar",
            'working = working or (holding["working"] > 0 and',
            'working = working or (holding["working"] > 1 and',
        ),
        (
            "a target needs a stop beside it",
            "return bool(places > STOPS_OF_ALL)",
            "return bool(places > TARGETS_OF_ALL)",
        ),
        (
            "a job has the settings of the one before",
            "job.guards, job.settings, columns",
            "job.guards, columns",
        ),
        (
            "a time stop sleeps a bar longer",
            'math.floor(holding["entry_bar"] + guard["value"] - 1)',
            'math.floor(holding["entry_bar"] + guard["value"])',
        ),
        ("an order that expires sleeps on", 'due = min(due, order["expires"])', 'due = max(due, order["expires"])'),
        (
            "quiet lows are forgotten",
            'holding["lowest"] = min(holding["lowest"], market.low[row])',
            'holding["lowest"] = min(holding["lowest"], market.close[row])',
        ),
        (
            "quiet highs are forgotten",
            "other_high, other_low = max(other_high, high[row + 1]), ",
            "other_high, other_low = other_high, ",
        ),
        (
            "lows of a quiet stretch are forgotten",
            'holding["lowest"] = max(highest, other_high), min(lowest, other_low)',
            'holding["lowest"] = max(highest, other_high), lowest',
        ),
        ("a long position on credit is never lost", "if lots < 0 or cash < 0.0 or", "if lots < 0 or"),
        (
            "an instrument that wakes forgets the first bar that it slept through",
            'start = holding["bar"] + 1',
            'start = holding["bar"] + 2',
        ),
        (
            "an account that may be short counts as one without margin",
            'portfolio["paid_up"] = not traits.may_be_short and all(',
            'portfolio["paid_up"] = all(',
        ),
        # ------------------------------------------------------------------ entries that wait
        ("a limit lies on the wrong side", 'away = -side if terms["entry_kind"] == LIMIT else side', "away = side"),
        (
            "an order works a bar longer",
            'return int(bar + terms["life_bars"])',
            'return int(bar + terms["life_bars"] + 1)',
        ),
        (
            "the part that has filled is ordered again",
            'order["lots"] - order["filled"], order["expires"]',
            'order["lots"], order["expires"]',
        ),
        (
            "a limit lies before its trigger",
            "on_tick(holding, trigger + side * distance",
            "on_tick(holding, trigger - side * distance",
        ),
        (
            "an order that follows has the range of its move",
            'holding["decided"][k], holding["day_bar"][k] = decided, day_bar',
            'holding["day_bar"][k] = day_bar',
        ),
        # ------------------------------------------------------------------ grids, further entries, weights
        ("lines lie a spacing too far", '* line * holding["grid_step"]', '* (line + 1) * holding["grid_step"]'),
        ("the last line within the cap is left out", "planned + lots <= most", "planned + lots < most"),
        (
            "a line is offered at its own price",
            "target = grid_price(holding, level)",
            "target = grid_price(holding, level + 1)",
        ),
        ("the factor counts once", 'terms["scale_sizes"][number]', 'terms["scale_sizes"][min(number, 1)]'),
        (
            "a move of the spacing is too small",
            "moved >= distance - TOLERANCE * abs(last)",
            "moved > distance + TOLERANCE * abs(last)",
        ),
        (
            "further entries are of the full size",
            'holding["first_lots"] * terms["scale_sizes"][number]',
            'holding["first_lots"] * terms["scale_sizes"][0]',
        ),
        (
            "a drift at its limit restores",
            'abs(gap) * 100.0 > portfolio["drift_percent"]',
            'abs(gap) * 100.0 >= portfolio["drift_percent"]',
        ),
        (
            "weights are not converted",
            'equity / value_of(holding, 1.0, market.close[holding["start"] + bar])',
            'equity / market.close[holding["start"] + bar]',
        ),
        (
            "a position of the wrong side is kept",
            "keep = abs(target) if held * target > 0 else 0",
            "keep = abs(target)",
        ),
        ("a purchase counts what is short", "there = abs(held) if held * target > 0 else 0", "there = abs(held)"),
        (
            "a line of a grid needs no protection",
            "if not is_protectable(holding, rules, market, bar, side, price):",
            "if price <= 0.0:",
        ),
        (
            "a rest of a rebalancing stays at work",
            'holding["slots"][k]["reason"] == REBALANCE:',
            'holding["slots"][k]["reason"] < 0:',
        ),
        # ------------------------------------------------------------------ decisions
        ("two executions at once", "if is_engaged(holding):", 'if holding["grid_side"] != 0:'),
        ("another execution's exits count", 'market.signals[holding["execution"], row])', "market.flags[row])"),
        (
            "all positions get all stops",
            'rule["executions"] >> holding["execution"] & 1 == 1',
            'rule["executions"] != 0',
        ),
        ("both entries are no contradiction", "return both or long or short", "return long or short"),
        (
            "closing reverses",
            'terms["on_opposite"] == CLOSE_OPPOSITE:\n        return\n    enter(',
            'terms["on_opposite"] == IGNORE_OPPOSITE:\n        return\n    enter(',
        ),
        (
            "a contradiction adds",
            'terms["scale_entries"] > 1 and not contradicts(terms, flags)',
            'terms["scale_entries"] > 1',
        ),
        # ------------------------------------------------------------------ both sides, reversals, the close
        ("the other entry stays", 'order["reason"] == ENTRY and terms["two_sided"] == 1:', "False:"),
        ("a reversal closes only", 'order["lots"] += abs(holding["lots"])', 'order["lots"] += 0'),
        ("a reversal keeps what a target sold", 'order["lots"] -= lots\n', 'order["lots"] -= 0\n'),
        ("the better entry of a bar fills", "worse = mine < other or", "worse = mine > other or"),
        ("of equal entries the sell order fills", "(mine == other and side > 0)", "(mine == other and side < 0)"),
        ("reversals count the old lots in a split", '(held, abs(holding["lots"])) if', "(0, 0) if"),
        (
            "a signal for the side held keeps the reversal",
            'at_price and terms["two_sided"] == 0 and held * side > 0',
            "False",
        ),
        ("both signals act on a position", 'held != 0 and terms["on_opposite"] != REVERSE_AT_PRICE:', "False:"),
        (
            "the bar's range counts for an entry at its close",
            'order["kind"] == AT_CLOSE:\n        return 0',
            "False:\n        return 0",
        ),
        ("entries at a last close", "part = CLOSING\n    holding", "pass\n    holding"),
        ("fees of the bar are booked twice", ' and portfolio["at_close"] == 0:', ":"),
        # ------------------------------------------------------------------ steps behind the position
        ("above holds at the level", "return 1.0 if a > b else 0.0", "return 1.0 if a >= b else 0.0"),
        ("at least needs more", "return 1.0 if a >= b else 0.0", "return 1.0 if a > b else 0.0"),
        ("a side is forgotten a bar too early", "remembers = state[at + 1] <=", "remembers = state[at + 1] <"),
        ("a crossing forgets its side", "state[at], state[at + 1] = 1.0, 0.0", "state[at], state[at + 1] = 0.0, 0.0"),
        ("bars since begin at one", "state[at] = 0.0 if a != 0.0", "state[at] = 1.0 if a != 0.0"),
        ("a count is given before it is complete", "if state[at + 1] == size else", "if state[at + 1] > 0 else"),
        ("equal values rank higher", "(1 if other <= value else 0)", "(1 if other < value else 0)"),
        ("a score is that of a sample", "math.sqrt(squares / size)", "math.sqrt(squares / (size - 1))"),
        (
            "volatility is that of a population",
            'squares / (size - 1) * instruction["value"]',
            'squares / size * instruction["value"]',
        ),
        ("a lag is one bar", "place = at + 1 + int(state[at])", "place = at + 1"),
        ("an entry both ways is one", "if entry in (ENTER_LONG, ENTER_SHORT):", "if entry != 0:"),
        ("a new day goes on counting", "state[at + 1] = state[at + 2]", "state[at + 1] = state[at + 1]"),
        ("the bar of the entry is not held", '- holding["entry_bar"] + 1) if lots', '- holding["entry_bar"]) if lots'),
        ("a short quantity is negative", 'float(abs(holding["quantity"]))', 'float(holding["quantity"])'),
        (
            "a drawdown is counted from the latest equity",
            'portfolio["highest_equity"] = max(portfolio["highest_equity"], equity)',
            'portfolio["highest_equity"] = equity',
        ),
        (
            "a filter behind the position lets pass what it holds back",
            "registers[steps.heads[e, 1]] != 0.0",
            "registers[steps.heads[e, 1]] == 0.0",
        ),
        (
            "a quiet bar runs no steps",
            'if portfolio["stepped"] == 1 or holding["grid_side"]',
            'if holding["grid_side"]',
        ),
        ("an additional entry is not counted", 'holding["entries_made"] += 1', 'holding["entries_made"] = 1'),
    )
)
