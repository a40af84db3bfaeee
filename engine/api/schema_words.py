"""Pydantic's findings in the words of the house: what a value must be, whatever kind of finding it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from quantcrafter.engine.api.ports import REFERENCE_PATTERN
from quantcrafter.engine.api.settings import CURRENCY_PATTERN, RATE_PATTERN
from quantcrafter.engine.api.wording import shortened

LONGEST_REASON = 200

_WHOLE, _NUMBER, _TEXT, _LIST = "be a whole number", "be a number", "be text", "be a list"
_FLAG, _MAPPING, _ADDRESS = "be true or false", "be a mapping", "be an address such as https://example.com"
_DATE, _TIME = "be a date such as 2020-01-31", "be a time such as 09:45"
_MOMENT = "be a date such as 2020-01-31, or a moment such as 2020-01-31 14:30"
_PATTERNS = {
    REFERENCE_PATTERN: "name a node or one of its outputs, such as fast or bars.close",
    CURRENCY_PATTERN: "be a code in capitals such as EUR",
    RATE_PATTERN: "name a feed, such as eurusd or 1/usdjpy",
}

Context = Mapping[str, Any]
_FIXED: dict[str, str] = {
    **dict.fromkeys(("int_type", "int_parsing", "int_parsing_size", "int_from_float"), _WHOLE),
    **dict.fromkeys(("float_type", "float_parsing", "decimal_type", "decimal_parsing"), _NUMBER),
    **dict.fromkeys(("fraction_type", "fraction_parsing", "complex_type", "complex_str_parsing"), _NUMBER),
    **dict.fromkeys(("string_type", "string_unicode", "bytes_type", "bytes_invalid_encoding"), _TEXT),
    **dict.fromkeys(("list_type", "tuple_type", "set_type", "frozen_set_type", "deque_type", "iterable_type"), _LIST),
    **dict.fromkeys(("iteration_error", "named_tuple_type", "arguments_type"), _LIST),
    **dict.fromkeys(("bool_type", "bool_parsing"), _FLAG),
    **dict.fromkeys(("dict_type", "mapping_type", "model_type", "model_attributes_type", "dataclass_type"), _MAPPING),
    **dict.fromkeys(("frozen_dict_type", "ordered_dict_type", "counter_type", "dataclass_exact_type"), _MAPPING),
    **dict.fromkeys(("date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"), _DATE),
    **dict.fromkeys(("time_type", "time_parsing"), _TIME),
    **dict.fromkeys(("datetime_type", "datetime_parsing", "datetime_object_invalid"), _MOMENT),
    "datetime_from_date_parsing": _MOMENT,
    **dict.fromkeys(("date_past", "datetime_past"), "lie in the past"),
    **dict.fromkeys(("date_future", "datetime_future"), "lie in the future"),
    **dict.fromkeys(("time_delta_type", "time_delta_parsing"), "be a length of time such as 1h or 30m"),
    **dict.fromkeys(("url_type", "url_parsing", "url_syntax_violation", "url_scheme"), _ADDRESS),
    **dict.fromkeys(("uuid_type", "uuid_parsing", "uuid_version"), "be a UUID"),
    "timezone_naive": "be a time without an offset from UTC",
    "timezone_aware": "be a time with an offset from UTC",
    "timezone_offset": "be a time with another offset from UTC",
    "finite_number": "be a finite number",
    "string_not_ascii": "have letters, digits and signs of ASCII only",
    "none_required": "be empty",
    "invalid_key": "have text as keys",
    "set_item_not_hashable": "hold plain values only",
    "frozen_field": "stay as it is",
    "frozen_instance": "stay as it is",
}
_WITH_LIMITS: dict[str, Callable[[Context], str]] = {
    "greater_than": lambda it: f"be greater than {_number(it['gt'])}",
    "greater_than_equal": lambda it: f"be greater than or equal to {_number(it['ge'])}",
    "less_than": lambda it: f"be less than {_number(it['lt'])}",
    "less_than_equal": lambda it: f"be less than or equal to {_number(it['le'])}",
    "multiple_of": lambda it: f"be a multiple of {_number(it['multiple_of'])}",
    "too_short": lambda it: _count("at least", it["min_length"], "item"),
    "too_long": lambda it: _count("at most", it["max_length"], "item"),
    "string_too_short": lambda it: _count("at least", it["min_length"], "character"),
    "string_too_long": lambda it: _count("at most", it["max_length"], "character"),
    "bytes_too_short": lambda it: _count("at least", it["min_length"], "character"),
    "bytes_too_long": lambda it: _count("at most", it["max_length"], "character"),
    "url_too_long": lambda it: _count("at most", it["max_length"], "character"),
    "decimal_max_digits": lambda it: _count("at most", it["max_digits"], "digit"),
    "decimal_whole_digits": lambda it: _count("at most", it["whole_digits"], "digit"),
    "decimal_max_places": lambda it: _count("at most", it["decimal_places"], "decimal place"),
    "string_pattern_mismatch": lambda it: _PATTERNS.get(it["pattern"], f"match the pattern {it['pattern']}"),
    "enum": lambda it: f"be {shortened(str(it['expected']), LONGEST_REASON)}",
    "literal_error": lambda it: f"be {shortened(str(it['expected']), LONGEST_REASON)}",
    "union_tag_invalid": lambda it: f"have one of {shortened(str(it['expected_tags']), LONGEST_REASON)}",
}


def fixed_words() -> tuple[str, ...]:
    """Return everything that `must` may say without a number in it."""
    return tuple(dict.fromkeys((*_FIXED.values(), *_PATTERNS.values())))


def must(details: Mapping[str, Any]) -> str:
    """Return what a value must do, to stand after `must`; empty where the finding has words of its own.

    Args:
        details: one of `ValidationError.errors()`, with its context.
    """
    kind = str(details["type"])
    if kind in _FIXED:
        return _FIXED[kind]
    make = _WITH_LIMITS.get(kind)
    return make(details.get("ctx") or {}) if make is not None else ""


def own_words(details: Mapping[str, Any]) -> str:
    """Return what a component's own rule says of a value, without full stop."""
    said = str(details["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return shortened(" ".join(said.split()).rstrip("."), LONGEST_REASON) or "it is refused"


def _number(limit: object) -> str:
    return f"{limit:.15g}" if isinstance(limit, float) else str(limit)


def _count(bound: str, limit: int, what: str) -> str:
    if bound == "at least" and limit == 1:
        return "not be empty"
    return f"have {bound} {limit:,} {what}{'' if limit == 1 else 's'}"
