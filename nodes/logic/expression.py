"""Expressions over series: read as a tree of a few allowed parts, carried out over columns or inside the bar loop.

Python reads the text (`ast.parse`) and never evaluates it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from quantcrafter.engine.api import BoolColumn, FloatColumn, Message, StepForm
from quantcrafter.nodes import kernels

NAMES = ("a", "b", "c", "d", "e", "f", "g", "h")
FUNCTIONS = {
    "abs": (1, 1),
    "min": (2, 8),
    "max": (2, 8),
    "sqrt": (1, 1),
    "log": (1, 1),
    "exp": (1, 1),
    "floor": (1, 1),
    "ceil": (1, 1),
    "where": (3, 3),
}
"""Each function with the least and the greatest number of its arguments."""
_MAX_CHARACTERS = 500
_MAX_PARTS = 200
_POWERS = range(2, 9)
_GREATEST = 1e300
MAX_LAG = 100_000


class Numbers(Protocol):
    """What an expression is carried out with: whole columns, or the values of one bar."""

    def number(self, value: float) -> Any: ...
    def lag(self, value: Any, bars: int) -> Any: ...
    def finite(self, value: Any) -> Any: ...
    def compare(self, op: str, left: Any, right: Any) -> Any: ...
    def truth(self, value: Any) -> Any: ...
    def both(self, left: Any, right: Any) -> Any: ...
    def either(self, left: Any, right: Any) -> Any: ...
    def negated(self, value: Any) -> Any: ...
    def where(self, condition: Any, then: Any, otherwise: Any) -> Any: ...
    def least(self, left: Any, right: Any) -> Any: ...
    def most(self, left: Any, right: Any) -> Any: ...
    def magnitude(self, value: Any) -> Any: ...
    def floor(self, value: Any) -> Any: ...
    def root(self, value: Any) -> Any: ...
    def log(self, value: Any) -> Any: ...
    def exp(self, value: Any) -> Any: ...


# ---------------------------------------------------------------------- reading


def checked(text: str) -> ast.expr:
    """Return an expression as a tree of the parts that a formula may have.

    Raises:
        ValueError: it is empty or too long, is not an expression, or has another part.
    """
    if not text.strip():
        raise ValueError(Message("the formula is empty"))
    if len(text) > _MAX_CHARACTERS:
        raise ValueError(
            Message(
                "the formula must have at most {most} characters, had {count}", most=_MAX_CHARACTERS, count=len(text)
            )
        )
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        place = getattr(error, "offset", None) or 0
        raise ValueError(
            Message("'{text}' is not an expression, at character {place}", text=text, place=place)
        ) from None
    if sum(1 for _ in ast.walk(tree)) > _MAX_PARTS * 2:
        raise ValueError(Message("the formula has too many parts; divide it among several nodes"))
    _check(tree, text)
    return tree


def _check(part: ast.expr, text: str) -> None:  # noqa: C901, PLR0912 - one case for each kind of part
    match part:
        case ast.Constant(value=bool() | complex() | str() | bytes() | None):
            raise _not_allowed(part, text)
        case ast.Constant(value=int() | float() as number):
            if not abs(number) < _GREATEST:
                raise _not_allowed(part, text)
        case ast.Name(id=name):
            if name not in NAMES:
                raise ValueError(
                    Message(
                        "'{name}' is not known: series are called a to h, functions are {functions}",
                        name=name,
                        functions=", ".join(FUNCTIONS),
                    )
                )
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div(), right=right):
            _check(left, text)
            _check(right, text)
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=int(power))) if power in _POWERS:
            _check(left, text)
        case ast.BinOp(op=ast.Pow()):
            raise ValueError(
                Message("** takes a whole number from 2 to {most}; for a root, use sqrt", most=_POWERS[-1])
            )
        case ast.BinOp(op=ast.BitXor()):
            raise ValueError(Message("'^' is not an operator; a power is written **"))
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() | ast.Not(), operand=operand):
            _check(operand, text)
        case ast.BoolOp(values=values):
            for each in values:
                _check(each, text)
        case ast.Compare(left=left, ops=ops, comparators=others) if all(type(op) in _COMPARISONS for op in ops):
            for each in (left, *others):
                _check(each, text)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            _check_call(name, arguments)
            for each in arguments:
                _check(each, text)
        case ast.Subscript(value=ast.Name() as series, slice=ast.Constant(value=int(bars))) if 1 <= bars <= MAX_LAG:
            _check(series, text)
        case ast.Subscript():
            raise ValueError(
                Message("brackets take a number of bars from 1 to {most}, such as a[1]", most=f"{MAX_LAG:,}")
            )
        case _:
            raise _not_allowed(part, text)


def _check_call(name: str, arguments: Sequence[ast.expr]) -> None:
    if name not in FUNCTIONS:
        raise ValueError(
            Message("'{name}' is not a function: there are {functions}", name=name, functions=", ".join(FUNCTIONS))
        )
    least, most = FUNCTIONS[name]
    if not least <= len(arguments) <= most:
        wanted = str(least) if least == most else f"{least} - {most}"
        raise ValueError(
            Message(
                "{name} takes {wanted} arguments, was given {count}", name=name, wanted=wanted, count=len(arguments)
            )
        )


def _not_allowed(part: ast.expr, text: str) -> ValueError:
    shown = ast.get_source_segment(text.strip(), part) or text
    return ValueError(Message("'{part}' can't be used in a formula", part=shown))


def names_in(tree: ast.expr) -> set[str]:
    """Return the names of the series that a checked expression uses."""
    return {part.id for part in ast.walk(tree) if isinstance(part, ast.Name) and part.id in NAMES}


def depth(tree: ast.expr) -> int:
    """Return how many bars back a checked expression looks."""
    bars = [
        part.slice.value
        for part in ast.walk(tree)
        if isinstance(part, ast.Subscript) and isinstance(part.slice, ast.Constant)
    ]
    return max((each for each in bars if isinstance(each, int)), default=0)


# ---------------------------------------------------------------------- carrying out

_COMPARISONS: Mapping[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}


def calculated(tree: ast.expr, series: Mapping[str, Any], numbers: Numbers) -> Any:
    """Return the result of a checked expression, NaN where it is not finite."""
    return numbers.finite(_value(tree, series, numbers))


def _value(part: ast.expr, series: Mapping[str, Any], numbers: Numbers) -> Any:  # noqa: C901, PLR0911, PLR0912 - for each
    def value(each: ast.expr) -> Any:
        return _value(each, series, numbers)

    match part:
        case ast.Constant(value=int() | float() as number):
            return numbers.number(float(number))
        case ast.Name(id=name):
            return series[name]
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=int(bars))):
            return numbers.lag(series[name], bars)
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=int(power))):
            base = value(left)
            result = base
            for _ in range(power - 1):
                result = result * base
            return result
        case ast.BinOp(left=left, op=op, right=right):
            return _arithmetic(op, value(left), value(right), numbers)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return numbers.negated(numbers.truth(value(operand)))
        case ast.UnaryOp(op=op, operand=operand):
            return value(operand) * -1.0 if isinstance(op, ast.USub) else value(operand)
        case ast.BoolOp(op=op, values=values):
            joined: Callable[[Any, Any], Any] = numbers.both if isinstance(op, ast.And) else numbers.either
            result = numbers.truth(value(values[0]))
            for each in values[1:]:
                result = joined(result, numbers.truth(value(each)))
            return result
        case ast.Compare(left=left, ops=ops, comparators=others):
            sides = [value(each) for each in (left, *others)]
            result = numbers.compare(_COMPARISONS[type(ops[0])], sides[0], sides[1])
            for place, sign in enumerate(ops[1:], 1):
                result = numbers.both(result, numbers.compare(_COMPARISONS[type(sign)], sides[place], sides[place + 1]))
            return result
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return _called(name, [value(each) for each in arguments], numbers)
        case _:
            raise AssertionError(ast.dump(part))  # `checked` lets none through


def _arithmetic(op: ast.operator, left: Any, right: Any, numbers: Numbers) -> Any:
    if isinstance(op, ast.Add):
        return left + right
    if isinstance(op, ast.Sub):
        return left - right
    return left * right if isinstance(op, ast.Mult) else numbers.finite(left / right)


def _called(name: str, values: Sequence[Any], numbers: Numbers) -> Any:
    first = values[0]
    if name in ("min", "max"):
        pick = numbers.least if name == "min" else numbers.most
        for each in values[1:]:
            first = pick(first, each)
        return first
    if name == "where":
        return numbers.where(numbers.truth(first), values[1], values[2])
    if name == "ceil":
        return numbers.floor(first * -1.0) * -1.0
    functions: dict[str, Callable[[Any], Any]] = {
        "abs": numbers.magnitude,
        "sqrt": numbers.root,
        "log": numbers.log,
        "exp": numbers.exp,
        "floor": numbers.floor,
    }
    return numbers.finite(functions[name](first))


class Columns:
    """Whole columns, shape (n,)."""

    def __init__(self, length: int) -> None:
        self._length = length

    def number(self, value: float) -> FloatColumn:
        return np.full(self._length, value)

    def lag(self, value: FloatColumn, bars: int) -> FloatColumn:
        out = np.full(self._length, np.nan)
        out[bars:] = value[:-bars]
        return out

    def finite(self, value: FloatColumn) -> FloatColumn:
        return np.where(np.isfinite(value), value, np.nan)

    def compare(self, op: str, left: FloatColumn, right: FloatColumn) -> FloatColumn:
        if op == "!=":
            return _ones((left < right) | (left > right))
        return _ones(_UFUNCS[op](left, right))

    def truth(self, value: FloatColumn) -> FloatColumn:
        return _ones((value > 0.0) | (value < 0.0))

    def both(self, left: FloatColumn, right: FloatColumn) -> FloatColumn:
        return left * right

    def either(self, left: FloatColumn, right: FloatColumn) -> FloatColumn:
        return np.maximum(left, right)

    def negated(self, value: FloatColumn) -> FloatColumn:
        return 1.0 - value

    def where(self, condition: FloatColumn, then: FloatColumn, otherwise: FloatColumn) -> FloatColumn:
        return np.where(condition != 0.0, then, otherwise)

    def least(self, left: FloatColumn, right: FloatColumn) -> FloatColumn:
        return np.asarray(np.minimum(left, right) + 0.0)

    def most(self, left: FloatColumn, right: FloatColumn) -> FloatColumn:
        return np.asarray(np.maximum(left, right) + 0.0)

    def magnitude(self, value: FloatColumn) -> FloatColumn:
        return np.abs(value)

    def floor(self, value: FloatColumn) -> FloatColumn:
        return np.asarray(np.floor(value) + 0.0)

    def root(self, value: FloatColumn) -> FloatColumn:
        return np.where(value >= 0.0, np.sqrt(value), np.nan)

    def log(self, value: FloatColumn) -> FloatColumn:
        return kernels.log_of(value)

    def exp(self, value: FloatColumn) -> FloatColumn:
        return kernels.exp_of(value)


def _ones(held: BoolColumn) -> FloatColumn:
    return held.astype(np.float64)


_UFUNCS: Mapping[str, Callable[[FloatColumn, FloatColumn], Any]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
}


class ExpressionSteps:
    """The values of one bar, of a program inside the bar loop."""

    def __init__(self, form: StepForm) -> None:
        self._form = form
        self.number = form.number
        self.lag = form.lag
        self.finite = form.finite
        self.where = form.select
        self.least = form.least
        self.most = form.most
        self.floor = form.floor
        self.root = form.root
        self.log = form.log
        self.exp = form.exp

    def compare(self, op: str, left: Any, right: Any) -> Any:
        if op in ("==", "!="):
            return left.equal(right) if op == "==" else left.differs(right)
        if op in ("<", "<="):
            return left < right if op == "<" else left <= right
        return left > right if op == ">" else left >= right

    def truth(self, value: Any) -> Any:
        return (value > 0.0) | (value < 0.0)

    def both(self, left: Any, right: Any) -> Any:
        return left & right

    def either(self, left: Any, right: Any) -> Any:
        return left | right

    def negated(self, value: Any) -> Any:
        return ~value

    def magnitude(self, value: Any) -> Any:
        return abs(value)
