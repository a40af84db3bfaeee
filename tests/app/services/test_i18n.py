"""Every text of the interface is translated, by the extractor that reads the source."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from quantcrafter.app.services import i18n
from tests.support.engine_texts import engine_keys
from tests.support.translations import LANGUAGES, calls, calls_in, canonical, texts, translation_files, translations

_PLACE = re.compile(r"\{(\w+(?::[^{}\s]*)?)\}")
SCRIPTS = {"ru": re.compile("[\u0400-\u04ff]"), "zh_CN": re.compile("[\u4e00-\u9fff]")}

SAME_EVERYWHERE = {
    "Python",
    "YAML",
    "PNG",
    "SVG",
    "OK",
    "QuantCrafter",
    "YYYY-MM-DD",
    "time: Date, close: Last",
    "{count} MB",
    "{count} kB",
    "{size:,.0f} MB",
    "{name} is {missing}.",
    "run: {message}",
    "adjusted_close",
}
"""Names and signs that stand as they are in every language."""


@pytest.fixture(autouse=True)
def _english_after() -> Iterator[None]:
    yield
    i18n.use_language("en")


def _places(text: str) -> set[str]:
    return set(_PLACE.findall(text))


def _has_words(text: str) -> bool:
    """Return whether a text says anything as text: letters outside its places."""
    return any(re.search(r"[A-Za-z]{2,}", part) for part in _PLACE.split(text)[::2])


def test_every_text_of_the_interface_is_a_literal() -> None:
    bad = [str(call) for call in calls() if call.text is None]
    assert not bad, f"tr() must be called with a literal text: {bad}"


def test_the_extractor_finds_literals_and_tells_what_is_none() -> None:
    source = 'tr("Save")\nself.tr("Open {name}", name=x)\ntr(f"No {x}")\ntr(title)\ntr("a" "b")\nother("c")\n'
    found = [call.text for call in calls_in(source, Path("x.py"))]
    assert found == ["Save", "Open {name}", None, None, "ab"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated_and_nothing_is_left_over(language: str) -> None:
    wanted, have = texts(), translations(language)
    missing = {text: place for text, place in wanted.items() if text not in have}
    assert not missing, f"translate these in a file of resources/translations/{language}: {missing}"
    left = set(have) - set(wanted) - engine_keys()
    assert not left, f"remove these, no source uses them: {left}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_the_places_of_its_text(language: str) -> None:
    wrong = {text: done for text, done in translations(language).items() if _places(text) != _places(done)}
    assert not wrong


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_left_in_english_by_mistake(language: str) -> None:
    script = SCRIPTS[language]
    left = [
        text
        for text, done in translations(language).items()
        if text not in SAME_EVERYWHERE and _has_words(text) and not script.search(done)
    ]
    assert not left


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_ends_in_an_ellipsis_where_its_text_does(language: str) -> None:
    dots = ("...", "…")
    wrong = {text: done for text, done in translations(language).items() if text.endswith(dots) != done.endswith(dots)}
    assert not wrong


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_files_are_sorted_with_one_text_a_line(language: str) -> None:
    files = translation_files(language)
    assert files
    for path, table in files.items():
        assert path.read_text(encoding="utf-8") == canonical(table)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_that_stands_in_two_files_is_translated_alike(language: str) -> None:
    met: dict[str, str] = {}
    for path, table in translation_files(language).items():
        unlike = {text: done for text, done in table.items() if met.setdefault(text, done) != done}
        assert not unlike, f"{path.name} translates these otherwise than another file: {unlike}"


def test_a_text_is_given_in_the_language_in_use() -> None:
    i18n.use_language("ru")
    assert i18n.tr("Indicators") == "Индикаторы"
    i18n.use_language("zh_CN")
    assert i18n.tr("Indicators") == "指标"
    i18n.use_language("en")
    assert i18n.tr("Indicators") == "Indicators"


def test_an_unknown_language_means_english() -> None:
    i18n.use_language("tlh")
    assert i18n.language() == "en"
    assert i18n.tr("Indicators") == "Indicators"


def test_places_are_filled_in_whatever_the_language() -> None:
    i18n.use_language("ru")
    assert "x.yaml" in i18n.tr("“{name}” was changed by another program.", name="x.yaml")


def test_a_shipped_name_is_translated_and_a_users_own_is_left_alone() -> None:
    i18n.use_language("zh_CN")
    assert i18n.known("Golden cross") == "黄金交叉"
    assert i18n.known("My strategy") == "My strategy"
