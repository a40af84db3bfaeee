"""`quantcrafter nodes`: everything on the palette, described from its class alone."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from ruamel.yaml import YAML

from quantcrafter.engine.api import Component, DataProvider, Role
from quantcrafter.engine.cli.main import main
from quantcrafter.engine.cli.nodes import reflowed
from quantcrafter.engine.plugins import Registry, load_registry
from quantcrafter.engine.plugins.descriptions import (
    SOURCES,
    describe,
    find,
    headline,
    names,
    range_words,
    sections,
    type_words,
)
from quantcrafter.engine.plugins.example import _scalar, example_lines
from tests.support.plugin_packages import module

PLUGIN = '''
class Wide(Indicator):
    """Add up lines. A second sentence.

    More about it,
    over two lines.
    """
    name = "test.wide"
    formula_source = "a book"
    category = "Sums"
    outputs = (Output("upper", PortType.SERIES, "The upper one."), Output("lower"))

    main: SeriesInput = port("The main line.")
    more: SeriesInputs = port("Further lines.")
    gate: ConditionInput | None = port("Only while this holds.", default=None)
    length: int = param("How many bars.", default=20, unit="bars", ge=2, le=500)
    factor: float = param("How much.", gt=0)
    kind: Literal["a", "b"] = param("Which kind.", default="b")
    names: tuple[str, ...] = param("Names.", default=())
    hidden: float = param("Rarely needed.", default=0.5, advanced=True)

    def warmup(self):
        return self.length + 1

    def lookback(self):
        return None

    def compute(self, main, more, gate=None):
        return main, main

@hookimpl
def register_indicators():
    return [Wide]
'''


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Return the registry with a plugin that has one of everything; the commands see it too."""
    made = load_registry(extra_plugins=[("test", module("test", "from typing import Literal\n" + PLUGIN))])
    monkeypatch.setattr("quantcrafter.engine.cli.installed.load_registry", lambda: made)
    return made


def everything() -> list[tuple[str, str, type[BaseModel]]]:
    registry = load_registry()
    return [
        (section, name, cls)
        for section in sections()
        for name in names(registry, section)
        for _, cls in find(registry, name, section)
    ]


def test_the_list_has_every_name_under_its_section(registry: Registry, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nodes"]) == 0

    shown = capsys.readouterr().out
    assert f"Indicators ({len(registry.component_names(Role.INDICATOR))})" in shown
    assert "  Sums\n  test.wide " in shown
    listed = {line.split()[0] for line in shown.splitlines() if line.startswith("  ")}
    assert {name for section in sections() for name in names(registry, section)} <= listed


def test_the_list_shows_the_first_sentence_of_the_help(registry: Registry, capsys: pytest.CaptureFixture[str]) -> None:
    main(["nodes", "--role", "indicators"])

    line = next(line for line in capsys.readouterr().out.splitlines() if "test.wide" in line)
    assert line.endswith("  Add up lines.")
    assert registry.owner("indicators", "test.wide") == "test"


def test_one_section_alone(registry: Registry, capsys: pytest.CaptureFixture[str]) -> None:
    main(["nodes", "-r", "sources"])

    shown = capsys.readouterr().out
    assert "Data providers" in shown
    assert "Indicators" not in shown
    assert registry.provider_names()


def test_a_card_shows_ports_parameters_outputs_and_an_example(
    registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["nodes", "test.wide"]) == 0

    shown = capsys.readouterr().out
    squeezed = " ".join(shown.split())
    assert "test.wide Indicators · Sums from test" in squeezed
    assert "More about it, over two lines." in shown
    assert "main series required The main line." in squeezed
    assert "more list of series required Further lines." in squeezed
    assert "gate condition none Only while this holds." in squeezed
    assert "length integer 20 2 to 500 bars How many bars." in squeezed
    assert "factor number required above 0 How much." in squeezed
    assert "kind a | b b Which kind." in squeezed
    assert "names list of text none Names." in squeezed
    assert "upper series The upper one." in squeezed
    assert "Warm-up 21 bars, lookback the whole history" in shown
    assert "Formula: a book" in shown
    assert registry is not None


def test_no_line_of_a_card_or_of_the_list_is_wider_than_the_terminal(
    registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["nodes", "test.wide"])

    assert max(len(line) for line in capsys.readouterr().out.splitlines()) <= 80
    assert registry is not None


def test_the_json_of_a_node_is_its_facts(registry: Registry, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nodes", "test.wide", "--json"]) == 0

    facts = json.loads(capsys.readouterr().out)
    assert facts["plugin"] == "test"
    assert (facts["warmup"], facts["lookback"]) == (21, None)
    assert facts["inputs"][1] == {
        "name": "more",
        "type": "series",
        "many": True,
        "required": True,
        "default": None,
        "description": "Further lines.",
    }
    assert facts["parameters"][0] == {
        "name": "length",
        "type": "integer",
        "required": False,
        "default": 20,
        "range": "2 to 500",
        "unit": "bars",
        "advanced": False,
        "description": "How many bars.",
    }
    assert registry is not None


def test_the_json_of_all_nodes_has_each_once(registry: Registry, capsys: pytest.CaptureFixture[str]) -> None:
    main(["nodes", "--json"])

    listed = [(each["role"], each["name"]) for each in json.loads(capsys.readouterr().out)]
    assert listed == [(section, name) for section in sections() for name in names(registry, section)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["test.wyde"], "There is no node 'test.wyde'. Did you mean 'test.wide'"),
        (["TEST.WIDE"], "Did you mean 'test.wide'?"),
        (["wide"], "Did you mean 'test.wide'?"),
        (["qqqqqq"], "There is no node 'qqqqqq'. See quantcrafter nodes."),
        (["test.wide", "--role", "filters"], "There is no node 'test.wide' in filters."),
        (["--role", "colours"], "there is no section 'colours'"),
    ],
)
def test_what_is_not_there_ends_with_2_and_a_suggestion(
    registry: Registry, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(["nodes", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert registry is not None


def test_the_example_of_everything_installed_is_yaml_that_its_class_takes() -> None:
    for section, name, cls in everything():
        lines = example_lines(section, cls)
        document = YAML(typ="safe").load(io.StringIO("\n".join(lines)))
        if issubclass(cls, DataProvider):
            values = document["instruments"][0]
            assert (values.pop("symbol"), values.pop("data"), values.pop("timeframe")) == ("AAPL", name, "1d")
        else:
            (values,) = document[section].values()
            assert values.pop("use") == name
        assert cls.model_validate(values), name
        assert max(map(len, lines)) <= 80, name


def test_everything_installed_can_be_described() -> None:
    registry = load_registry()
    for section, name, cls in everything():
        facts = describe(registry, section, cls)
        assert headline(cls), name
        assert facts["plugin"], name
        json.dumps(facts, allow_nan=False)
        if issubclass(cls, Component) and cls.role in (Role.INDICATOR, Role.LOGIC, Role.ADVISOR, Role.FILTER):
            assert isinstance(facts["warmup"], int), f"the example's values should make a {name}"


def test_sections_are_the_roles_and_the_data_providers() -> None:
    assert sections() == (*(str(role) for role in Role), SOURCES)


@given(
    st.one_of(
        st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False, min_value=-1e6, max_value=1e6).map(lambda x: round(x, 3)),
    )
)
def test_a_scalar_is_read_back_as_it_was(value: object) -> None:
    assert YAML(typ="safe").load(f"{{key: {_scalar(value, in_flow=True)}}}") == {"key": value}


def test_types_and_ranges_are_told_in_words() -> None:
    assert type_words({"anyOf": [{"type": "number"}, {"type": "null"}]}, {}) == "number"
    assert type_words({"$ref": "#/$defs/E"}, {"E": {"enum": ["x", "y"]}}) == "x | y"
    assert type_words({"type": "array", "items": {"type": "integer"}}, {}) == "list of integer"
    assert range_words({"minimum": 1, "maximum": 2.5}) == "1 to 2.5"
    assert range_words({"exclusiveMinimum": 0, "exclusiveMaximum": 90}) == "above 0, below 90"
    assert range_words({"minimum": -3e37, "maximum": 3e37}) == ""


def test_paragraphs_are_joined_and_lists_stay() -> None:
    assert reflowed("One\ntwo.\n\n- a\n- b\n\nThree.") == "One two.\n\n- a\n- b\n\nThree."
