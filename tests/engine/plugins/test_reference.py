"""The reference page of the components, made from the classes."""

from __future__ import annotations

import re
from pathlib import Path

from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.plugins.descriptions import names, sections
from quantcrafter.engine.plugins.reference import reference_page


def test_every_component_has_an_entry_with_help_ports_and_an_example() -> None:
    registry = load_registry()
    page = reference_page(registry, sections())
    entries = dict(re.findall(r"^### (\S+)\n(.*?)(?=^##|\Z)", page, flags=re.MULTILINE | re.DOTALL))
    for section in sections():
        for name in names(registry, section):
            assert name in entries
            example = entries[name].partition("```yaml\n")[2].partition("\n```")[0]
            assert len(example.splitlines()) == 2
            assert "Source:" in entries[name]
    assert "| `timeperiod` | integer |" in entries["ta.SMA"]
    assert "Source: TA-Lib" in entries["ta.SMA"]


def test_links_lead_to_headings() -> None:
    page = reference_page(load_registry(), sections())
    headings = {re.sub(r"[^a-z0-9_-]", "", each.lower()) for each in re.findall(r"^### (\S+)$", page, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]+)\)", page)) == headings


def test_a_page_can_be_of_one_section_and_one_plugin() -> None:
    page = reference_page(load_registry(), ("money",), plugin="builtin-nodes")
    assert "### risk_percent" in page
    assert "### ta.SMA" not in page
    assert "###" not in reference_page(load_registry(), ("money",), plugin="builtin-data")


def test_the_page_in_the_documents_is_the_one_that_is_printed() -> None:
    written = (Path(__file__).parents[3] / "docs" / "nodes.md").read_text(encoding="utf-8")
    assert written == reference_page(load_registry(), sections(), builtin=True), "make docs writes it anew"
