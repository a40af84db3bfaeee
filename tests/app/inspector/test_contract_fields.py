"""An instrument's form has what a contract needs, and writes it where the file has it."""

from __future__ import annotations

from pathlib import Path

from quantcrafter.app.document.document import Document
from quantcrafter.app.inspector.subjects import InstrumentFields, instrument_form
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.spec.instruments import OWN_FIELDS

EXAMPLE = Path("resources/examples/forex_on_margin.yaml")


def test_the_form_has_every_field_that_an_instrument_of_the_file_may_have() -> None:
    assert set(InstrumentFields.model_fields) == set(OWN_FIELDS)


def test_the_margin_of_a_contract_is_changed_in_its_own_mapping_and_problems_stand_at_their_field() -> None:
    document = Document.open(EXAMPLE, load_registry())
    form = instrument_form(document, 0)
    fields = {field.path: field for field in form.fields}
    assert form.value(fields["margin", "initial_percent"]) == 3.33
    document.do(*form.edits(fields["margin", "initial_percent"], None), label="Empty")
    document.do(*form.edits(fields["margin", "per_contract"], 40.5), label="Set")
    form = instrument_form(document, 0)
    assert form.value(fields["margin", "per_contract"]) == 40.5
    assert not document.problems
    document.do(*form.edits(fields["margin", "maintenance_per_contract"], 50), label="Set")
    assert [problem.path for problem in document.problems] == ["instruments.0.margin"]
    document.do(*form.edits(fields["kind",], "spot"), label="CursorContext")
    assert "instruments.0.margin" in [problem.path for problem in document.problems]
