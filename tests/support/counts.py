"""How many random cases a test tries, and the seed that they are drawn from.

`make test` tries a sample with a new seed each time; `make test-long` tries them all. The header of the test run prints
the seed, and `QUANTCRAFTER_TEST_SEED` repeats the run that had it.
"""

from __future__ import annotations

import os
import random
import zlib

SEED_VARIABLE = "QUANTCRAFTER_TEST_SEED"
LONG_VARIABLE = "QUANTCRAFTER_TEST_LONG"
INTERPRETED_VARIABLE = "QUANTCRAFTER_TEST_INTERPRETED"


def is_long() -> bool:
    """Return whether this is `make test-long`."""
    return os.environ.get(LONG_VARIABLE, "") not in {"", "0"}


def sample(few: int, *, of: int) -> int:
    """Return how many cases to try: `of` in `make test-long`, a fifth of `few` in `make coverage`, `few` otherwise."""
    if is_long():
        return of
    return max(1, few // 5) if is_interpreted() else few


def limit_s(*, of: float) -> float:
    """Return the time limit of a test in seconds: `of` in `make test-long`, otherwise a quarter of an hour at most."""
    return of if is_long() else min(of, 900.0)


def is_interpreted() -> bool:
    """Return whether this is `make coverage`, in which compiled functions run interpreted."""
    return os.environ.get(INTERPRETED_VARIABLE, "") not in {"", "0"}


def choose_seed() -> int:
    """Return the seed that was asked for, or draw one; workers and child processes then find the same."""
    text = os.environ.setdefault(SEED_VARIABLE, str(random.SystemRandom().randrange(1_000_000_000)))
    try:
        return int(text)
    except ValueError:
        raise SystemExit(f"{SEED_VARIABLE} must be a whole number, was '{text}'.") from None


def seed(of: str = "") -> int:
    """Return the seed of this test run; `of` names a purpose, so that two tests don't draw the same numbers."""
    return choose_seed() if not of else zlib.crc32(f"{choose_seed()} {of}".encode())


def how_to_repeat() -> str:
    """Return the words that tell how to draw the same cases again."""
    return f"{SEED_VARIABLE}={choose_seed()} repeats the random cases of this run"
