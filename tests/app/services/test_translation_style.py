"""Translations read as texts of their language: its punctuation, one word for a term, and no English left in them."""

# ruff: noqa: RUF001 - the other alphabets are what this is about

from __future__ import annotations

import json
import re

import pytest

from tests.support.command_line import ROOT

FOLDER = ROOT / "resources" / "translations"
HAN = "\u4e00-\u9fff"
OPENED, CLOSED = "“（《", "”）】》"
CODE = re.compile(r"\{[^{}]*\}|`[^`]*`|'[^']*'|“[^”]*”|«[^»]*»|\"[^\"]*\"")
TITLE = re.compile(r"[(（]\d{4}[)）]")
ENGLISH = re.compile(
    r"(?<![-\w])(the|of|is|are|was|be|been|it|its|with|without|before|after|where|which|cannot|not|so)(?![-\w(])"
)

REJECTED = {
    "zh_CN": {"标的": "品种", "委托": "订单", "K线": "K 线", "数据馈送": "数据源"},
    "ru": {"ордер": "заявка", "азогрев": "прогрев"},
}
"""Words that stand for a term beside its own, which follows."""


def texts(language: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for file in sorted((FOLDER / language).glob("*.json")):
        found |= json.loads(file.read_text(encoding="utf-8"))
    assert len(found) > 2_000
    return found


@pytest.mark.parametrize("language", ["ru", "zh_CN"])
def test_a_term_has_one_word(language: str) -> None:
    found = texts(language).values()
    assert [text for text in found for word in REJECTED[language] if word in text.lower() or word in text] == []


@pytest.mark.parametrize("language", ["ru", "zh_CN"])
def test_no_english_is_left(language: str) -> None:
    plain = {text: CODE.sub(" ", text) for text in texts(language).values() if not TITLE.search(text)}
    assert [text for text, bare in plain.items() if ENGLISH.search(bare)] == []


def test_punctuation_between_chinese_words_is_chinese() -> None:
    narrow = re.compile(
        rf"[{HAN}{CLOSED}][,;?!]|(?<![;])[,;?!] ?[{HAN}{OPENED}]|[{HAN}]: ?(?=[{HAN}{{])|[{HAN}]\.(?= |$)"
    )
    outside = {text: re.sub(r"'[^']*'|`[^`]*`|“[^”]*”", "x", text) for text in texts("zh_CN").values()}
    assert [text for text, bare in outside.items() if narrow.search(bare)] == []
