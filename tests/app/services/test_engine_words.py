"""What the engine says of data and of runs reads in the language in use, with all that is put into it."""

# ruff: noqa: RUF001 - letters and signs of other languages

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from quantcrafter.app.services import i18n
from quantcrafter.app.services.problems import error_text, failure_text, problem_text
from quantcrafter.engine.api import NEW_YORK_STOCKS, DataError, DataRequest, Message, Problem, RunError, SpecError, word
from quantcrafter.engine.api.capability import Capability
from quantcrafter.engine.data.findings import Finding
from quantcrafter.engine.data.providers.csv_file import CsvProvider
from quantcrafter.engine.data.quality import check
from quantcrafter.engine.data.store.sources import make_provider
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.compute_process.jobs import Failure
from quantcrafter.engine.runtime.running.load_graph import load_text
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
    told = (Message("{symbol}: {finding}", symbol="SPY", finding=str(item)) for item in findings(rows))
    left = {text: english_left(i18n.translated(text)) for text in told}
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


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_strategys_mistakes_are_told_without_a_word_of_english(language: str) -> None:
    text = """
quantcrafter: 1
instruments: [{symbol: SPY, data: sample, tick_size: -1}]
indicators: {fast: {use: ta.SMA, timeperiod: 0}, slow: {use: ta.SMA, input: nowhere}}
risk: {stop: {use: percent_stop}}
"""
    with pytest.raises(SpecError) as caught:
        load_text(text, load_registry(), file="s.yaml")
    problems = caught.value.problems
    assert len(problems) > 3
    i18n.use_language(language)
    names = re.compile(
        r"'[^']*'|\b(ta\.SMA|nowhere|SPY|fast|slow|stop|percent_stop|execution|bars|close|macd|signal)\b"
    )
    left = {str(each): ENGLISH.findall(names.sub("", problem_text(each))) for each in problems}
    assert not {text: words for text, words in left.items() if words}


def test_messages_read_as_a_trader_would_write_them(tmp_path: Path) -> None:
    (tmp_path / "spy.csv").write_text("time,open,high,low,close\n")
    with pytest.raises(DataError) as caught:
        CsvProvider(path="spy.csv").load(DataRequest("SPY", DAY, base_dir=str(tmp_path)))
    refused = Message(
        "The engine '{name}' doesn't do {capability}, which {asker}.",
        name="vnpy",
        capability=word(Capability.STOP_LIMIT_ORDERS),
        asker=Message("node '{node}' needs", node="enter"),
    )
    english = [str(caught.value), refused]
    assert english == [
        "SPY from spy.csv: the file has no rows. Give a file with bars.",
        "The engine 'vnpy' doesn't do stop-limit orders, which node 'enter' needs.",
    ]
    i18n.use_language("ru")
    assert [error_text(caught.value), i18n.translated(refused)] == [
        "SPY из spy.csv: в файле нет строк. Дайте файл с барами.",
        "Движок 'vnpy' не умеет: стоп-лимитные заявки; это нужно узлу 'enter'.",
    ]
    i18n.use_language("zh_CN")
    assert [error_text(caught.value), i18n.translated(refused)] == [
        "spy.csv 的 SPY：文件中没有数据行。请提供含 K 线的文件。",
        "引擎 'vnpy' 不支持止损限价单：节点 'enter' 需要它。",
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_faults_of_a_providers_options_are_told_each(language: str) -> None:
    with pytest.raises(DataError) as caught:
        make_provider(CsvProvider, {"stamp": "x"})
    assert str(caught.value) == "Data provider 'csv': 'path' is needed; 'stamp' must be 'auto', 'open' or 'close'."
    i18n.use_language(language)
    assert not ENGLISH.findall(re.sub(r"'\w+'", "", error_text(caught.value)))


def test_a_message_crosses_to_another_process_and_back_with_its_parts() -> None:
    error = RunError(Message("The last step is not run yet. {why}", why=Message("It is empty.")))
    failure = pickle.loads(pickle.dumps(Failure.of(error)))  # noqa: S301 - our own bytes
    assert isinstance(failure.message, Message)
    assert failure.message.parameters["why"].template == "It is empty."


def test_a_failure_is_told_by_its_first_mistake_and_an_error_in_its_words() -> None:
    message = Message("There is no engine '{name}'.", name="x")
    remedy = Message("{hint} Available: {names}.", hint="", names="native")
    problems = (Problem("use", message, remedy, file="a.yaml", line=3),)
    i18n.use_language("ru")
    assert failure_text(Failure.of(SpecError(problems))) == "Движка 'x' нет. Доступно: native."
    assert error_text(SpecError(problems)) == "Движка 'x' нет. Доступно: native."
    lost = RunError(
        Message("The run in '{folder}' can't be read: {cause}. Run it again.", folder="/runs/1", cause="[Errno 2]")
    )
    assert (
        failure_text(Failure.of(lost))
        == error_text(lost)
        == ("Запуск в '/runs/1' не читается: [Errno 2]. Запустите его заново.")
    )


def test_a_plugins_own_words_are_left_alone() -> None:
    own = "Rates from ECB failed."
    i18n.use_language("ru")
    assert i18n.translated(own) == own
    assert np.all([i18n.translated(text) == text for text in ("My words; and others.", "It's mine.")])
