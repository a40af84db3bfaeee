"""The page on performance has a place for each table of `make bench`, which is written only where it is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.performance_page import PAGE, VARIABLE, publish

SECTIONS = ("rules", "vectorbt", "lengths")


@pytest.fixture
def page(tmp_path: Path) -> Path:
    copy = tmp_path / "performance.md"
    copy.write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    return copy


@pytest.mark.parametrize("section", SECTIONS)
def test_a_table_takes_the_place_of_the_last_one(section: str, page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = page.read_text(encoding="utf-8")
    monkeypatch.setenv(VARIABLE, "1")
    publish(section, ["| a |", "|---|", "| 1 |"], page)
    after = page.read_text(encoding="utf-8")
    begin = f"<!-- figures: {section} -->\n"
    assert f"{begin}| a |\n|---|\n| 1 |\n<!-- end -->\n" in after
    assert after.partition(begin)[0] == before.partition(begin)[0]
    assert (
        after.partition(begin)[2].partition("<!-- end -->")[2]
        == before.partition(begin)[2].partition("<!-- end -->")[2]
    )


def test_the_page_stays_as_it_is_unless_asked_for(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = page.read_text(encoding="utf-8")
    monkeypatch.delenv(VARIABLE, raising=False)
    publish("rules", ["| a |"], page)
    assert page.read_text(encoding="utf-8") == before


def test_a_table_without_a_place_is_refused(page: Path) -> None:
    with pytest.raises(LookupError, match="unknown"):
        publish("unknown", ["| a |"], page)
