"""The reference page of the components, made from the classes."""

from __future__ import annotations

import re

from engine.plugins import load_registry
from engine.plugins.facts import names, sections
from engine.plugins.reference import reference_page


def test_every_component_has_an_entry_with_help_ports_and_an_example() -> None:
    registry = load_registry()
    page = reference_page(registry, sections())
    entries = dict(re.findall(r"^### (\S+)\n(.*?)(?=^##|\Z)", page, flags=re.MULTILINE | re.DOTALL))
    for section in sections():
        for name in names(registry, section):
            assert name in entries
            assert "```yaml" in entries[name]
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
