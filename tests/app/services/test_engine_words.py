"""What the engine says of data and of runs reads in the language in use, with all that is put into it."""

# ruff: noqa: RUF001 - letters and signs of other languages

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest

from quantcrafter.app.services import i18n
from quantcrafter.app.services.problems import error_text, failure_text
from quantcrafter.engine.api import NEW_YORK_STOCKS, DataError, Problem, RunError, SpecError
from quantcrafter.engine.data.findings import Finding
from quantcrafter.engine.data.quality import check
from quantcrafter.engine.runtime.compute_process.jobs import Failure
from tests.engine.data.test_quality import KINDS, corrupted
from tests.support.market_data import DAY, MINUTE, minutes, moments, raw_bars
from tests.support.translations import LANGUAGES

NAMES = re.compile(r"\b(SPY|UTC|America|New_York|test|csv|nan|inf|on_bad_bars|repair|1d|1m)\b")
"""What stays as it is in a finding: symbols, zones, files and what a strategy file says."""
ENGLISH = re.compile(r"[A-Za-z]{2,}")


@pytest.fixture(autouse=True)
def _english_after() -> Iterator[None]:
    yield
    i18n.use_language("en")


def english_left(text: str) -> list[str]:
    return ENGLISH.findall(NAMES.sub("", text))


def findings(rows: list[int]) -> Iterator[Finding]:
    """Yield a finding of every kind, repaired, about bars at these rows."""
    for kind in KINDS:
        bad = corrupted(raw_bars(minutes("2024-03-11T06:00", 40)), kind, rows)
        yield from check(bad, MINUTE, on_bad_bars="repair").findings
    days = [f"2024-0{month}-{day:02d}" for month in range(1, 9) for day in (1, 2, 3, 6, 7)]
    found = check(raw_bars(moments(*days), session=NEW_YORK_STOCKS, stamp="date"), DAY).findings
    assert {item.kind for item in found} == {"gap", "outside_session"}
    yield from found


@pytest.mark.parametrize("rows", [[7], [7, 9], [3, 5, 9, 12, 15, 18, 21, 33]])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_finding_about_bars_leaves_no_word_in_english(language: str, rows: list[int]) -> None:
    i18n.use_language(language)
    left = {text: english_left(i18n.said(text)) for item in findings(rows) for text in (str(item), f"SPY: {item}")}
    assert not {text: words for text, words in left.items() if words}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refusal_lists_its_faults_line_by_line(language: str) -> None:
    bad = corrupted(raw_bars(minutes("2024-03-11T06:00", 40)), "not_a_number", [4, 9])
    bad = corrupted(bad, "high_below_low", [20])
    with pytest.raises(DataError) as caught:
        check(bad, MINUTE, symbol="SPY")
    i18n.use_language(language)

    told = error_text(caught.value)

    assert len(told.splitlines()) == len(str(caught.value).splitlines()) == 4
    assert [line.startswith("  - ") for line in told.splitlines()] == [False, True, True, False]
    assert not english_left(told)


@pytest.mark.parametrize(
    ("text", "russian", "chinese"),
    [
        (
            "SPY from data/spy.csv: the file has no rows. Give a file with bars.",
            "SPY из data/spy.csv: в файле нет строк. Дайте файл с барами.",
            "data/spy.csv 的 SPY：文件中没有数据行。请提供含 K 线的文件。",
        ),
        (
            "The engine 'vnpy' does not do stop-limit orders, which node 'enter' needs.",
            "Движок 'vnpy' не умеет: стоп-лимитные заявки; это нужно узлу 'enter'.",
            "引擎 'vnpy' 不支持止损限价单：节点 'enter' 需要它。",
        ),
        (
            "BUY 10 SPY at 98.5  (market, signal, order 3, commission 1.00)",
            "ПОКУПКА 10 SPY по 98.5 (рыночная, сигнал, заявка 3, комиссия 1.00)",
            "买入 10 SPY @ 98.5（市价，信号，订单 3，手续费 1.00）",
        ),
        (
            "Data provider 'csv': 'path' is needed; 'stamp' must be 'open' or 'close'.",
            "Поставщик данных 'csv': нужно 'path'; 'stamp': нужно значение 'open' или 'close'.",
            "数据提供方 'csv'：需要 'path'; 'stamp' 必须是 'open' 或 'close'。",
        ),
    ],
)
def test_messages_read_as_a_trader_would_write_them(text: str, russian: str, chinese: str) -> None:
    i18n.use_language("ru")
    assert i18n.said(text) == russian
    i18n.use_language("zh_CN")
    assert i18n.said(text) == chinese


def test_a_word_of_ours_before_a_colon_is_no_symbol() -> None:
    i18n.use_language("ru")
    assert i18n.said("SPY: Times carry no zone: taken as UTC.") == "SPY: Время без часового пояса: принято за UTC."
    assert not english_left(i18n.said("Group: Price."))


def test_a_failure_is_told_by_its_first_mistake_and_an_error_in_its_words() -> None:
    problems = (Problem("use", "There is no engine 'x'.", "There are: native.", file="a.yaml", line=3),)
    i18n.use_language("ru")
    assert failure_text(Failure.of(SpecError(problems))) == "Движка 'x' нет. Есть: native."
    assert error_text(SpecError(problems)) == "Движка 'x' нет. Есть: native."
    lost = RunError("The run in '/runs/1' cannot be read: [Errno 2].")
    assert failure_text(Failure.of(lost)) == error_text(lost) == "Запуск в '/runs/1' не читается: [Errno 2]."


def test_a_plugins_own_words_are_left_alone() -> None:
    own = "Rates from ECB failed."
    i18n.use_language("ru")
    assert i18n.said(own) == own
    assert np.all([i18n.said(text) == text for text in ("My words; and others.", "It's mine.")])
