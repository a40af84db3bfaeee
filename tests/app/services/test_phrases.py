"""What the engine and the components say is translated, wherever they say it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from quantcrafter.app.services import i18n
from quantcrafter.app.services.phrases import Phrases, sentences
from tests.support.engine_texts import COMMAND_LINE, ROOT, SCRIPTS, problem_templates, untranslated
from tests.support.translations import LANGUAGES, translations

HOW = (
    "Add a line 'English text': 'translation' for each to {file} (any file of that folder will do; keep it sorted, "
    "`python -m tests.support.translations` checks). A sentence is the unit; {{0}} stands for what is put in."
)


@pytest.fixture(autouse=True)
def _english_after() -> Iterator[None]:
    yield
    i18n.use_language("en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_of_a_built_in_component_and_of_a_problem_is_translated(language: str) -> None:
    missing: dict[str, dict[str, str]] = {}
    for sentence, place, area in untranslated(translations(language)):
        missing.setdefault(f"resources/translations/{language}/{area}", {})[sentence] = place
    assert not missing, "\n".join(f"{HOW.format(file=file)}\n{texts}" for file, texts in missing.items())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_is_told_by_its_own_translation_and_no_other_that_fits_it_too(language: str) -> None:
    table = translations(language)
    phrases = Phrases(table)
    wrong = {}
    for sentence, place in problem_templates().items():
        own = table.get(sentence) or table[sentence.removesuffix(".")]
        told = phrases.sentence(_filled(sentence))
        if told is None or told.rstrip(".。") != _filled(own).rstrip(".。"):
            wrong[sentence] = f"{place}: {told}"
    assert not wrong


def _filled(text: str) -> str:
    return re.sub(r"\{(\d+)\}", r"X\1", text)


def test_what_is_left_to_the_command_line_and_to_scripts_is_reached_by_nothing_of_the_desktop() -> None:
    modules = [place.removesuffix(".py").replace("/", ".") for place in (*COMMAND_LINE, *SCRIPTS)]
    assert all((ROOT / place).exists() for place in (*COMMAND_LINE, *SCRIPTS))
    jobs = ROOT / "engine" / "runtime" / "compute_process"
    for path in (*(ROOT / "app").rglob("*.py"), *(jobs / "jobs").glob("*.py"), jobs / "service.py"):
        source = path.read_text(encoding="utf-8")
        assert not [name for name in (*modules, "run_class") if name in source], path


def test_the_longest_pattern_wins_and_what_its_places_hold_is_translated_too() -> None:
    phrases = Phrases({"'{0}' takes a {1}.": "{1} -> '{0}'", "{0}: {1}": "[{0}: {1}]", "signal": "SIGNAL"})
    assert phrases.translate("'a: b' takes a signal.") == "SIGNAL -> 'a: b'"
    assert phrases.translate("one: signal") == "[one: SIGNAL]"


def test_a_name_in_quotes_is_never_translated() -> None:
    phrases = Phrases({"There is no node '{0}'.": "NO '{0}'", "money": "MONEY"})
    assert phrases.translate("There is no node 'money'.") == "NO 'money'"


def test_an_unknown_sentence_stays_english_beside_a_known_one() -> None:
    phrases = Phrases({"No warm-up": "NO WARM-UP"})
    assert phrases.translate("Something new. No warm-up.\n\nIts own.") == "Something new. NO WARM-UP.\n\nIts own."
    assert phrases.translate("Something new.") == "Something new."


def test_sentences_end_before_a_capital_and_not_within_a_number_or_a_name() -> None:
    text = "Uses 2.5 of ta.SMA, e.g. once.\nThen\nmore. (So.) `x` is\n\nlast"
    assert list(sentences(text)) == ["Uses 2.5 of ta.SMA, e.g. once.", "Then more.", "(So.) `x` is", "last"]


@pytest.mark.parametrize(("language", "greater"), [("ru", "больше 0"), ("zh_CN", "大于 0")])
def test_a_problem_is_told_in_the_language_in_use(language: str, greater: str) -> None:
    text = "'percent' of 'percent_of_equity' must be greater than 0, was -5. Use more than 0."
    assert i18n.said(text) == text

    i18n.use_language(language)

    told = i18n.said(text)
    assert told.count(greater) == 2
    assert "'percent_of_equity'" in told
    assert "greater" not in told


NO_TRADES = (
    "No trades: 93 entry signals, all blocked by filter 'calm'.",
    "No trades: 1 entry signal, blocked by filters 'calm', 'hot' and 'some'.",
    (
        "No trades: 93 entry signals, and none became an order: 48 of them blocked by filters 'a', 'b', 'c' "
        "and 2 more; 44 of them sized to less than one lot; 1 of them for other reasons."
    ),
    (
        "No trades: 9 entry orders, none of them filled: 8 of them expired before the price was reached; "
        "1 of them cancelled by an exit signal. 3 more entry signals became no order: without equity left."
    ),
    "No trades: 'go' and 'other' never gave the same entry signal at the same bar, and the execution needs all.",
    "No trades: the warm-up takes all 3,270 bars. Take more bars, or shorter periods.",
)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("text", NO_TRADES)
def test_why_there_was_no_trade_is_told_in_the_language_in_use(text: str, language: str) -> None:
    i18n.use_language(language)
    left = re.sub(r"'\w+'", "", i18n.said(text))
    assert not re.findall(r"[A-Za-z]{2,}", left), left
