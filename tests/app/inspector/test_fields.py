"""Fields of a form: read from models alone."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from quantcrafter.app.document.edits import UNSET
from quantcrafter.app.inspector import typed_values
from quantcrafter.app.inspector.editors.numbers import step_size, stepped
from quantcrafter.app.inspector.fields import Field, FieldKind, fields_of
from quantcrafter.engine.api import PortType, Role, RunSettings
from quantcrafter.engine.plugins import load_registry


def field(role: Role, use: str, name: str) -> Field:
    cls = load_registry().component(role, use)
    assert cls is not None
    return next(entry for entry in fields_of(cls) if entry.name == name)


def test_every_component_and_provider_has_a_form() -> None:
    registry = load_registry()
    models: list[type[BaseModel] | None] = [
        registry.component(role, name) for role in Role for name in registry.component_names(role)
    ]
    models += [registry.provider(name) for name in registry.provider_names()]
    for model in models:
        assert model is not None
        assert [entry.name for entry in fields_of(model)] == list(model.model_fields)


@pytest.mark.parametrize(
    ("role", "use", "name", "kind"),
    [
        (Role.INDICATOR, "ta.RSI", "timeperiod", FieldKind.INTEGER),
        (Role.INDICATOR, "ta.RSI", "input", FieldKind.REFERENCE),
        (Role.INDICATOR, "ta.BBANDS", "matype", FieldKind.CHOICE),
        (Role.FILTER, "volatility_band", "minimum", FieldKind.NUMBER),
        (Role.FILTER, "weekdays", "days", FieldKind.CHOICES),
        (Role.FILTER, "event_calendar", "path", FieldKind.PATH),
        (Role.FILTER, "event_calendar", "before", FieldKind.DURATION),
        (Role.DATA, "resample", "timeframe", FieldKind.TIMEFRAME),
        (Role.EXECUTION, "market", "signals", FieldKind.REFERENCES),
    ],
)
def test_the_kind_follows_from_the_annotation(role: Role, use: str, name: str, kind: FieldKind) -> None:
    assert field(role, use, name).kind is kind


def test_ranges_units_and_ports_are_told() -> None:
    period = field(Role.INDICATOR, "ta.RSI", "timeperiod")
    assert (period.low, period.high, period.default, period.required) == (2, 100_000, 14, False)
    percent = field(Role.RISK, "percent_stop", "percent")
    assert (percent.unit, percent.low, percent.low_in, percent.required) == ("%", 0, False, True)
    line = field(Role.INDICATOR, "ta.RSI", "input")
    assert (line.port, line.numbers) == (PortType.SERIES, True)
    assert not field(Role.EXECUTION, "market", "money").numbers
    assert field(Role.FILTER, "event_calendar", "end_column").advanced
    assert field(Role.FILTER, "volatility_band", "minimum").optional


def test_nested_settings_have_their_path_and_group() -> None:
    percent = next(entry for entry in fields_of(RunSettings, ("run",)) if entry.name == "percent")
    assert (percent.path, percent.group, percent.unit) == (("run", "commission", "percent"), "Commission", "%")


@pytest.mark.parametrize(
    ("text", "value"),
    [("14", 14), ("2.50", 2.5), ("1,5", 1.5), (" 1 000 ", 1000), ("1e3", 1000.0), ("−3", -3)],  # noqa: RUF001 - a typed minus sign
)
def test_numbers_are_read_as_people_type_them(text: str, value: float) -> None:
    assert typed_values.number(text) == value
    assert type(typed_values.number(text)) is type(value)


@pytest.mark.parametrize("text", ["1,000", "abc", "nan", "inf", "1.2.3"])
def test_what_is_no_clear_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="number"):
        typed_values.number(text)


def test_lists_mappings_and_nothing_are_read() -> None:
    registry = load_registry()
    provider = registry.provider("csv")
    assert provider is not None
    columns = next(entry for entry in fields_of(provider) if entry.name == "columns")
    assert typed_values.parse(columns, "time: Date, close: 5") == {"time": "Date", "close": 5}
    assert typed_values.parse(columns, " ") is UNSET


def test_a_value_out_of_range_is_refused_in_the_fields_own_words() -> None:
    period = field(Role.INDICATOR, "ta.RSI", "timeperiod")
    assert typed_values.refusal(period, 1, {"input": "bars.close"}) == "Allowed: 2 to 100000."
    assert typed_values.refusal(period, 2, {"input": "bars.close"}) == ""
    assert typed_values.refusal(period, UNSET, {}) == ""
    percent = field(Role.RISK, "percent_stop", "percent")
    assert typed_values.refusal(percent, 100, {}) == "Allowed: above 0, below 100."
    assert typed_values.refusal(percent, UNSET, {}) == "A value is required."


def test_a_rule_over_two_fields_refuses_neither() -> None:
    start = field(Role.FILTER, "time_window", "start")
    written = {"start": "09:45", "end": "15:30"}
    assert typed_values.refusal(start, "15:30", written) == ""
    assert "match" in typed_values.refusal(start, "9 o'clock", written)


def test_steps_suit_the_size_of_the_number() -> None:
    percent = field(Role.RISK, "percent_stop", "percent")
    assert [step_size(percent, size) for size in (2.0, 15.0, 250_000.0, 0.05)] == [0.1, 1.0, 10_000.0, 0.001]
    assert stepped(percent, 2.0, 1) == 2.1
    assert stepped(percent, 0.1, -20) == 0.1
    period = field(Role.INDICATOR, "ta.RSI", "timeperiod")
    assert stepped(period, 2, -1) == 2
    assert stepped(period, 14, 10) == 24
