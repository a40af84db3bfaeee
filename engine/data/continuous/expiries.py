"""Contract months and expiries: by the name of a contract, and by the rule of its exchange.

The rules are those of the exchange's contract specifications. Business days are the days on which New York's stock
exchange trades: futures have short sessions on other holidays, which don't count as business days.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import NamedTuple

import numpy as np

from quantcrafter.engine.api.market import ExpiryRule
from quantcrafter.engine.trading_calendar.exchange_calendar import calendar

MONTH_CODES = "FGHJKMNQUVXZ"
_BUSINESS_DAYS = "XNYS"
_EPOCH = date(1970, 1, 1).toordinal()
_CENTURY, _DECADE, _YEAR_DIGITS = 100, 10, 4
_PIVOT = 70
"""A year of two digits from here on is of the last century."""
_WEDNESDAY, _FRIDAY = 2, 4
_MONTHS = 12


class ContractMonth(NamedTuple):
    """The month in which a contract is due."""

    year: int
    month: int

    def shifted(self, months: int) -> ContractMonth:
        """Return the month that is so many months later."""
        number = self.year * _MONTHS + self.month - 1 + months
        return ContractMonth(number // _MONTHS, number % _MONTHS + 1)


def contract_month(name: str, root: str, last: date) -> ContractMonth | None:
    """Return the month of a contract, such as ESH24, ESH2024, ES_H24, @ESH4 or ES 03-24; None if the name has none.

    A year of a single digit is the first one with that digit in or after the year of the `last` bar.
    """
    start = rf"^[@/]?{re.escape(root)}[ _-]?"
    code = re.match(rf"{start}([{MONTH_CODES}])(\d{{1,4}})(?![0-9A-Z])", name.upper())
    if code is not None:
        return ContractMonth(_year(code[2], last), MONTH_CODES.index(code[1]) + 1)
    numbers = re.match(rf"{start}(\d\d)-(\d\d|\d{{4}})(?!\d)", name.upper())
    if numbers is not None and 1 <= int(numbers[1]) <= _MONTHS:
        return ContractMonth(_year(numbers[2], last), int(numbers[1]))
    return None


def _year(digits: str, last: date) -> int:
    number = int(digits)
    if len(digits) == _YEAR_DIGITS:
        return number
    if len(digits) == 1:
        return last.year + (number - last.year) % _DECADE
    return number + (1900 if number % _CENTURY >= _PIVOT else 2000)


def expiry_of(month: ContractMonth, rule: ExpiryRule) -> date:
    """Return the last day on which a contract trades by the rule of its exchange."""
    return date.fromordinal(_RULES[rule](month) + _EPOCH)


def _day(month: ContractMonth, day: int = 1) -> int:
    return date(month.year, month.month, day).toordinal() - _EPOCH


def _end(month: ContractMonth) -> int:
    """Return the day after a month."""
    return _day(month.shifted(1))


def _business(day: int, step: int, count: int) -> int:
    """Return the `count`-th business day after (step 1) or before (step -1) a day."""
    table = calendar(_BUSINESS_DAYS)
    while count:
        day += step
        count -= int(table.is_open[table.rows(np.array([day]))][0])
    return day


def _is_business(day: int) -> bool:
    return _business(day - 1, 1, 1) == day


def _or_before(day: int) -> int:
    """Return a day, or the last business day before it if it is none."""
    return _business(day + 1, -1, 1)


def _weekday(month: ContractMonth, weekday: int, number: int) -> int:
    """Return the `number`-th of a weekday in a month, Monday as 0."""
    first = _day(month)
    return first + (weekday - date.fromordinal(first + _EPOCH).weekday()) % 7 + 7 * (number - 1)


def _last_friday(month: ContractMonth) -> int:
    end = _end(month) - 1
    return end - (date.fromordinal(end + _EPOCH).weekday() - _FRIDAY) % 7


def _crude_oil(month: ContractMonth, days: int) -> int:
    """Return so many business days before the 25th of the month before, one more if that is no business day."""
    middle = _day(month.shifted(-1), 25)
    return _business(middle, -1, days if _is_business(middle) else days + 1)


_RULES: dict[ExpiryRule, Callable[[ContractMonth], int]] = {
    "third_friday": lambda month: _or_before(_weekday(month, _FRIDAY, 3)),
    "last_friday": lambda month: _or_before(_last_friday(month)),
    "last_business_day": lambda month: _business(_end(month), -1, 1),
    "third_last_business_day": lambda month: _business(_end(month), -1, 3),
    "seven_before_last_business_day": lambda month: _business(_end(month), -1, 8),
    "tenth_business_day": lambda month: _business(_day(month) - 1, 1, 10),
    "before_15th": lambda month: _business(_day(month, 15), -1, 1),
    "before_third_wednesday": lambda month: _business(_weekday(month, _WEDNESDAY, 3), -1, 1),
    "two_before_third_wednesday": lambda month: _business(_weekday(month, _WEDNESDAY, 3), -1, 2),
    "last_business_day_before_month": lambda month: _business(_day(month), -1, 1),
    "third_business_day_before_month": lambda month: _business(_day(month), -1, 3),
    "crude_oil": lambda month: _crude_oil(month, 3),
    "micro_crude_oil": lambda month: _crude_oil(month, 4),
}
