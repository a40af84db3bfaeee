"""Texts for pydantic's validation errors: what a value must be, for each kind of error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from quantcrafter.engine.api.message import Message, without_stop
from quantcrafter.engine.api.ports import REFERENCE_PATTERN
from quantcrafter.engine.api.settings import CURRENCY_PATTERN, RATE_PATTERN
from quantcrafter.engine.api.wording import shortened

LONGEST_REASON = 200

_WHOLE, _NUMBER, _TEXT, _LIST = (
    Message("be a whole number"),
    Message("be a number"),
    Message("be text"),
    Message("be a list"),
)
_FLAG, _MAPPING, _ADDRESS = (
    Message("be true or false"),
    Message("be a mapping"),
    Message("be an address such as https://example.com"),
)
_DATE, _TIME = Message("be a date such as 2020-01-31"), Message("be a time such as 09:45")
_MOMENT = Message("be a date such as 2020-01-31, or a moment such as 2020-01-31 14:30")
_PATTERNS = {
    REFERENCE_PATTERN: Message("name a node or one of its outputs, such as fast or bars.close"),
    CURRENCY_PATTERN: Message("be a code in capitals such as EUR"),
    RATE_PATTERN: Message("name a feed, such as eurusd or 1/usdjpy"),
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
    **dict.fromkeys(("date_past", "datetime_past"), Message("lie in the past")),
    **dict.fromkeys(("date_future", "datetime_future"), Message("lie in the future")),
    **dict.fromkeys(("time_delta_type", "time_delta_parsing"), Message("be a length of time such as 1h or 30m")),
    **dict.fromkeys(("url_type", "url_parsing", "url_syntax_violation", "url_scheme"), _ADDRESS),
    **dict.fromkeys(("uuid_type", "uuid_parsing", "uuid_version"), Message("be a UUID")),
    "timezone_naive": Message("be a time without an offset from UTC"),
    "timezone_aware": Message("be a time with an offset from UTC"),
    "timezone_offset": Message("be a time with another offset from UTC"),
    "finite_number": Message("be a finite number"),
    "string_not_ascii": Message("have letters, digits and signs of ASCII only"),
    "none_required": Message("be empty"),
    "invalid_key": Message("have text as keys"),
    "set_item_not_hashable": Message("hold plain values only"),
    "frozen_field": Message("stay as it is"),
    "frozen_instance": Message("stay as it is"),
}
_WITH_LIMITS: dict[str, Callable[[Context], str]] = {
    "greater_than": lambda it: Message("be greater than {limit}", limit=_number(it["gt"])),
    "greater_than_equal": lambda it: Message("be greater than or equal to {limit}", limit=_number(it["ge"])),
    "less_than": lambda it: Message("be less than {limit}", limit=_number(it["lt"])),
    "less_than_equal": lambda it: Message("be less than or equal to {limit}", limit=_number(it["le"])),
    "multiple_of": lambda it: Message("be a multiple of {limit}", limit=_number(it["multiple_of"])),
    "too_short": lambda it: _least(it["min_length"], lambda n: Message("have at least {count:,} items", count=n)),
    "too_long": lambda it: _most_items(it["max_length"]),
    "string_too_short": lambda it: _least(
        it["min_length"], lambda n: Message("have at least {count:,} characters", count=n)
    ),
    "string_too_long": lambda it: _most_characters(it["max_length"]),
    "bytes_too_short": lambda it: _least(
        it["min_length"], lambda n: Message("have at least {count:,} characters", count=n)
    ),
    "bytes_too_long": lambda it: _most_characters(it["max_length"]),
    "url_too_long": lambda it: _most_characters(it["max_length"]),
    "decimal_max_digits": lambda it: _most_digits(it["max_digits"]),
    "decimal_whole_digits": lambda it: _most_digits(it["whole_digits"]),
    "decimal_max_places": lambda it: _most_places(it["decimal_places"]),
    "string_pattern_mismatch": lambda it: (
        _PATTERNS.get(it["pattern"]) or Message("match the pattern {pattern}", pattern=it["pattern"])
    ),
    "enum": lambda it: Message("be {expected}", expected=_expected(it["expected"])),
    "literal_error": lambda it: Message("be {expected}", expected=_expected(it["expected"])),
    "union_tag_invalid": lambda it: Message("have one of {expected}", expected=_expected(it["expected_tags"])),
}


def must(details: Mapping[str, Any]) -> str:
    """Return the requirement on a value, as the text after `must`; empty if the finding has its own text.

    Args:
        details: one of `ValidationError.errors()`, with its context.
    """
    kind = str(details["type"])
    if kind in _FIXED:
        return _FIXED[kind]
    make = _WITH_LIMITS.get(kind)
    return make(details.get("ctx") or {}) if make is not None else ""


def own_words(details: Mapping[str, Any]) -> str:
    """Return the message of a component's own rule about a value, without full stop."""
    error = (details.get("ctx") or {}).get("error")
    said = str(error) if error else str(details["msg"]).removeprefix("Value error, ")
    if not isinstance(said, Message):
        said = " ".join(said.split())
    return shortened(without_stop(said), LONGEST_REASON) or Message("it is refused")


def _number(limit: object) -> str:
    return f"{limit:.15g}" if isinstance(limit, float) else str(limit)


def _least(limit: int, many: Callable[[int], Message]) -> Message:
    return Message("not be empty") if limit == 1 else many(limit)


def _most_items(limit: int) -> Message:
    return Message("have at most 1 item") if limit == 1 else Message("have at most {count:,} items", count=limit)


def _most_characters(limit: int) -> Message:
    if limit == 1:
        return Message("have at most 1 character")
    return Message("have at most {count:,} characters", count=limit)


def _most_digits(limit: int) -> Message:
    return Message("have at most 1 digit") if limit == 1 else Message("have at most {count:,} digits", count=limit)


def _most_places(limit: int) -> Message:
    if limit == 1:
        return Message("have at most 1 decimal place")
    return Message("have at most {count:,} decimal places", count=limit)


def _expected(listed: object) -> str:
    """Return pydantic's list of allowed values, such as `'a', 'b' or 'c'`."""
    text = shortened(str(listed), LONGEST_REASON)
    names, either, last = text.rpartition(" or ")
    return Message("{names} or {last}", names=names, last=last) if either else text
