"""The seed and the counts of random cases: what a test run prints is enough to repeat it."""

from __future__ import annotations

import pytest

from tests.support.counts import (
    INTERPRETED_VARIABLE,
    LONG_VARIABLE,
    SEED_VARIABLE,
    choose_seed,
    how_to_repeat,
    sample,
    seed,
)


def test_a_named_seed_is_used_and_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SEED_VARIABLE, "77")
    assert choose_seed() == seed() == 77
    assert how_to_repeat().startswith("QUANTCRAFTER_TEST_SEED=77 ")


def test_without_a_name_each_run_draws_another_seed_and_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = set()
    for _ in range(5):
        monkeypatch.delenv(SEED_VARIABLE, raising=False)
        drawn.add(choose_seed())
        assert choose_seed() == choose_seed()
    assert len(drawn) > 1


def test_each_purpose_draws_numbers_of_its_own_from_one_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SEED_VARIABLE, "77")
    assert seed("files") == seed("files") != seed("graphs")
    before = seed("files")
    monkeypatch.setenv(SEED_VARIABLE, "78")
    assert seed("files") != before


def test_a_seed_that_is_no_number_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SEED_VARIABLE, "x")
    with pytest.raises(SystemExit, match="QUANTCRAFTER_TEST_SEED must be a whole number, was 'x'"):
        choose_seed()


def test_the_long_run_tries_them_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(LONG_VARIABLE, raising=False)
    monkeypatch.delenv(INTERPRETED_VARIABLE, raising=False)
    assert sample(150, of=2_000) == 150
    monkeypatch.setenv(LONG_VARIABLE, "1")
    assert sample(150, of=2_000) == 2_000
