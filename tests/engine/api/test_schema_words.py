"""Every kind of pydantic error has our own text; users never see pydantic's texts."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import AnyUrl, BaseModel, Field, StringConstraints, TypeAdapter, ValidationError
from pydantic_core import PydanticKnownError
from pydantic_core._pydantic_core import list_all_errors

from quantcrafter.engine.api import Role
from quantcrafter.engine.api.ports import BarsInput, SeriesInput, SignalInputs
from quantcrafter.engine.api.schema_words import must, own_words
from quantcrafter.engine.api.settings import Currency, RateSource
from quantcrafter.engine.graph.bind import bind
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.spec import check_strategy

TOLD_BY_OTHERS = {"missing", "extra_forbidden", "value_error", "assertion_error"}
NOT_OF_FILES = re.compile(
    r"json_|needs_python|recursion|get_attribute|no_such_attribute|default_factory|argument$|missing_sentinel|ellipsis"
    r"|is_instance_of|is_subclass_of|callable_type|mapping_type|missing_(keyword|positional)|unexpected_|multiple_arg"
    r"|union_tag_not_found"
)
PYTHONS = re.compile(r"\b(should|Input|String|dictionary|integer|parse|NoneType|float|valid)\b")


@pytest.mark.parametrize("known", list_all_errors(), ids=lambda known: known["type"])
def test_every_kind_of_finding_has_words(known: dict[str, Any]) -> None:
    kind = known["type"]
    if kind in TOLD_BY_OTHERS or NOT_OF_FILES.search(kind):
        return
    context = known.get("example_context")
    error = PydanticKnownError(kind, context)
    words = must({"type": kind, "ctx": context, "msg": error.message()})
    assert words, kind
    assert not PYTHONS.search(words), words


class Inner(BaseModel):
    level: int = 1


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        (Annotated[int, Field(ge=2)], 1, "be greater than or equal to 2"),
        (Annotated[float, Field(gt=0.5)], 0.25, "be greater than 0.5"),
        (Annotated[float, Field(le=1e9)], 1e10, "be less than or equal to 1000000000"),
        (int, "x", "be a whole number"),
        (int, 1.5, "be a whole number"),
        (float, [], "be a number"),
        (Annotated[float, Field(allow_inf_nan=False)], float("nan"), "be a finite number"),
        (Annotated[int, Field(multiple_of=5)], 3, "be a multiple of 5"),
        (bool, "maybe", "be true or false"),
        (str, 1, "be text"),
        (Annotated[str, Field(min_length=1)], "", "not be empty"),
        (Annotated[str, Field(max_length=3)], "long", "have at most 3 characters"),
        (Annotated[list[int], Field(min_length=2)], [1], "have at least 2 items"),
        (list[int], 1, "be a list"),
        (dict[str, int], 1, "be a mapping"),
        (Inner, 1, "be a mapping"),
        (Literal["a", "b"], "c", "be 'a' or 'b'"),
        (date, "x", "be a date such as 2020-01-31"),
        (datetime, "x", "be a date such as 2020-01-31, or a moment such as 2020-01-31 14:30"),
        (time, "x", "be a time such as 09:45"),
        (timedelta, "x", "be a length of time such as 1h or 30m"),
        (Decimal, "x", "be a number"),
        (UUID, "x", "be a UUID"),
        (AnyUrl, "x", "be an address such as https://example.com"),
        (Currency, "dollar", "be a code in capitals such as EUR"),
        (RateSource, "1//x", "name a feed, such as eurusd or 1/usdjpy"),
        (BarsInput, "a b", "name a node or one of its outputs, such as fast or bars.close"),
        (Annotated[str, StringConstraints(pattern="^x$")], "y", "match the pattern ^x$"),
    ],
)
def test_what_a_value_must_be(kind: Any, value: object, words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python(value)
    assert must(dict(caught.value.errors()[0])) == words


@pytest.mark.parametrize("kind", [SeriesInput, SignalInputs])
def test_a_reference_that_is_none_is_told_in_words(kind: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python({"a": 1})
    for details in caught.value.errors():
        assert not PYTHONS.search(must(dict(details)))


def test_a_rule_of_a_component_speaks_for_itself_and_briefly() -> None:
    details = {"type": "value_error", "msg": "Value error, " + "the period is odd. " * 100}
    assert must(details) == ""
    assert own_words(details).startswith("the period is odd")
    assert len(own_words(details)) <= 200


VALUES: tuple[Any, ...] = ("", "x", "a b", -1, 1.5, 1e300, True, None, [], [1], {}, {"a": 1}, "2020-13-01", "9" * 18)


def test_no_parameter_of_any_component_or_provider_is_refused_in_pydantics_words() -> None:
    registry = load_registry()
    leaked = []
    for section, names in (("indicators", registry.component_names(Role.INDICATOR)[:8]), *_sections(registry)):
        for name in names:
            for number, value in enumerate(VALUES):
                text = _file(registry, section, name, value, number)
                spec, problems = check_strategy(text)
                found = [*problems, *(bind(spec, registry)[1] if spec else ())]
                leaked += [
                    str(problem) for problem in found if re.search(r"[Ii]nput should|String should", str(problem))
                ]
    assert not leaked


def _sections(registry: Any) -> list[tuple[str, tuple[str, ...]]]:
    roles = ("logic", "advisors", "filters", "risk", "money", "execution", "data")
    return [(role, registry.component_names(role)) for role in roles]


def _file(registry: Any, section: str, name: str, value: object, number: int) -> str:
    from quantcrafter.engine.spec.emit import fragment

    fields = list(registry.component(section, name).model_fields)
    body = {"use": name, **dict.fromkeys(fields[number % 2 :: 2], value)}
    instrument = {"symbol": "X", "data": "synthetic", "bars": value, "price": value, "start_date": value}
    run = {"cash": value, "commission": value, "margin": {"initial_percent": value}, "start": value, "rates": value}
    parts = {"quantcrafter": 1, "instruments": [instrument], section: {"n": body}, "run": run}
    return "".join(f"{key}: {fragment(part)}\n" for key, part in parts.items())
