"""The page of figures takes one table a section, from the long run alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.counts import LONG_VARIABLE
from tests.support.reliability import PAGE, record

TEXT = "# Figures\n\n<!-- figures: a -->\n<!-- end -->\n\n<!-- figures: b -->\nold\n<!-- end -->\nlast\n"


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "reliability.md"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_the_long_run_replaces_its_own_table_only(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LONG_VARIABLE, "1")
    record("b", ("kind", "files"), [("all", 2000)], page=page)
    record("b", ("kind", "files"), [("all", 3000)], page=page)
    assert page.read_text(encoding="utf-8") == TEXT.replace(
        "old\n", "| kind | files |\n| --- | ---: |\n| all | 3,000 |\n"
    )
    assert list(page.parent.iterdir()) == [page]


def test_a_sample_leaves_the_page_as_it_is(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(LONG_VARIABLE, raising=False)
    record("b", ("kind",), [("all",)], page=page)
    assert page.read_text(encoding="utf-8") == TEXT


def test_a_section_that_the_page_lacks_is_an_error(page: Path) -> None:
    with pytest.raises(LookupError, match="figures: c"):
        record("c", ("kind",), [("all",)], page=page)


def test_every_section_of_the_real_page_is_closed() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text.count("<!-- figures: ") == text.count("<!-- end -->") >= 1


def test_every_test_that_the_page_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE.read_text(encoding="utf-8")))
    there = {
        name
        for path in (PAGE.parents[1] / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    }
    assert len(named) > 10
    assert named - there == set()


def test_every_test_that_a_row_names_is_there() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE.read_text(encoding="utf-8")))
    tests = Path(__file__).parents[1]
    there = {
        name
        for path in tests.rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert len(named) > 40
    assert named - there == set()
