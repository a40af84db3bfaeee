"""What the engine and the components say is translated, wherever they say it."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from quantcrafter.app.services import i18n
from quantcrafter.app.services.phrases import Phrases, sentences
from quantcrafter.engine.api import Message, joined, word
from tests.support.engine_texts import (
    COMMAND_LINE,
    ROOT,
    SCRIPTS,
    bare_texts,
    message_calls,
    untranslated,
)
from tests.support.translations import LANGUAGES, translations

HOW = (
    "Add a line 'English text': 'translation' for each to {file} (any file of that folder will do; keep it sorted, "
    "`python -m tests.support.translations` checks). Of a message it is the template, of a component's text a sentence."
)


@pytest.fixture(autouse=True)
def _english_after() -> Iterator[None]:
    yield
    i18n.use_language("en")


# ---------------------------------------------------------------------- the source


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_and_every_text_of_a_built_in_component_is_translated(language: str) -> None:
    missing: dict[str, dict[str, str]] = {}
    for text, place, area in untranslated(translations(language)):
        missing.setdefault(f"resources/translations/{language}/{area}", {})[text] = place
    assert not missing, "\n".join(f"{HOW.format(file=file)}\n{texts}" for file, texts in missing.items())


def test_a_message_is_made_of_a_literal_whose_places_are_its_parameters() -> None:
    assert not [call for call in message_calls() if not call.fits]


def test_no_error_problem_or_line_of_a_log_is_made_of_a_text_that_is_no_message() -> None:
    assert not [text for text in bare_texts() if not text.startswith(("engine/cli", "engine/server"))]


def test_what_is_left_to_the_command_line_and_to_scripts_is_reached_by_nothing_of_the_desktop() -> None:
    modules = [place.removesuffix(".py").replace("/", ".") for place in (*COMMAND_LINE, *SCRIPTS)]
    assert all((ROOT / place).exists() for place in (*COMMAND_LINE, *SCRIPTS))
    jobs = ROOT / "engine" / "runtime" / "compute_process"
    for path in (*(ROOT / "app").rglob("*.py"), *jobs.rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        assert not [name for name in (*modules, "run_class") if name in source], path


# ---------------------------------------------------------------------- looking up


def test_a_message_is_looked_up_by_its_template_and_filled_with_its_parameters() -> None:
    phrases = Phrases({"'{name}' takes a {kind}, not {count:,}.": "{count:,} - {kind} -> '{name}'", "signal": "SIGNAL"})
    message = Message("'{name}' takes a {kind}, not {count:,}.", name="signal", kind=word("signal"), count=1_234)
    assert message == "'signal' takes a signal, not 1,234."
    assert phrases.translate(message) == "1,234 - SIGNAL -> 'signal'"


def test_english_text_that_reads_like_a_message_is_not_taken_for_one() -> None:
    phrases = Phrases({"There is no node '{name}'.": "NO '{name}'"})
    assert phrases.translate("There is no node 'money'.") == "There is no node 'money'."
    assert phrases.translate(Message("There is no node '{name}'.", name="money")) == "NO 'money'"


def test_messages_within_a_message_are_translated_and_names_are_not() -> None:
    phrases = Phrases({"{who} failed: {reason}.": "{reason}! ({who})", "it is empty": "EMPTY", "money": "MONEY"})
    message = Message("{who} failed: {reason}.", who="money", reason=Message("it is empty"))
    assert phrases.translate(message) == "EMPTY! (money)"


def test_texts_in_a_row_are_translated_each_and_an_unknown_one_stays_english() -> None:
    phrases = Phrases({"One.": "一。", "Two {count}.": "二 {count}。"})
    row = joined([Message("One."), Message("Two {count}.", count=2), "Mine."])
    assert row == "One. Two 2. Mine."
    assert phrases.translate(row) == "一。二 2。Mine."


def test_a_message_without_translation_is_english_and_told_once_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    phrases = Phrases({"known": "KNOWN"})
    with caplog.at_level(logging.INFO):
        texts = [phrases.translate(Message("Mine of {what}.", what=word("known"))) for _ in range(3)]
    assert texts == ["Mine of KNOWN."] * 3
    assert [record.getMessage() for record in caplog.records] == ["No translation of the message 'Mine of {what}.'."]


def test_an_unknown_sentence_stays_english_beside_a_known_one() -> None:
    phrases = Phrases({"No warm-up": "NO WARM-UP"})
    assert phrases.translate("Something new. No warm-up.\n\nIts own.") == "Something new. NO WARM-UP.\n\nIts own."
    assert phrases.translate("Something new.") == "Something new."


def test_sentences_end_before_a_capital_and_not_within_a_number_or_a_name() -> None:
    text = "Uses 2.5 of ta.SMA, e.g. once.\nThen\nmore. (So.) `x` is\n\nlast"
    assert list(sentences(text)) == ["Uses 2.5 of ta.SMA, e.g. once.", "Then more.", "(So.) `x` is", "last"]
