"""Every reason that the ledger knows has words of its own."""

from __future__ import annotations

import pytest

from app.services.events import blocked_text, filled_text, ordered_text
from engine.api.ledger import BlockReason, Reason
from engine.runtime.explain import Blocked, Facts, Filled, Ordered
from tests.support.kept_runs import example_run, registry


@pytest.mark.parametrize("reason", list(BlockReason))
def test_why_an_entry_was_blocked_is_said_in_words(reason: BlockReason) -> None:
    word = reason.name.lower()
    text = blocked_text(Blocked(1, word, ("uptrend",)))
    assert text.startswith("Signal to enter long, no order: ")
    said = text.partition(": ")[2]
    assert said not in (word, word.replace("_", " "))


@pytest.mark.parametrize("reason", list(Reason))
def test_why_an_order_filled_is_said_in_words(reason: Reason) -> None:
    facts = Facts(example_run("rsi_pullback"), registry())
    word = reason.name.lower()
    text = filled_text(Filled(1, 1, 10, 99.5, word, "stop", 300), facts)
    assert text.startswith("Bought 10 at 99.5: ")
    assert text.partition(": ")[2] not in (word, word.replace("_", " "))


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("side", [1, -1])
def test_what_was_ordered_is_said_in_words(reason: Reason, side: int) -> None:
    text = ordered_text(Ordered(1, side, 10, reason.name.lower()))
    assert text.startswith("Ordered")
    assert "_" not in text
