"""The cash of a ledger: kept by its changes, a column for whoever asks."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import numpy as np
from numpy.testing import assert_array_equal

from quantcrafter.engine.api.ledger import Ledger, Stretches
from tests.support.ledgers import curve_ledger


def ledger_of(values: list[float], starts: list[int], length: int) -> Ledger:
    return replace(
        curve_ledger(np.zeros(0), np.zeros(0)), cash=Stretches(np.array(values), np.array(starts, np.int64), length)
    )


def test_cash_that_is_kept_by_its_changes_has_a_value_for_each_step() -> None:
    ledger = ledger_of([100.0, 40.0, 90.0], [0, 2, 5], 6)
    assert_array_equal(ledger.cash, [100.0, 100.0, 40.0, 40.0, 40.0, 90.0])
    assert ledger.cash is ledger.cash


def test_a_ledger_without_steps_has_no_cash_curve() -> None:
    assert len(ledger_of([], [], 0).cash) == 0


def test_cash_survives_copies_of_the_ledger() -> None:
    ledger = ledger_of([100.0, 40.0], [0, 1], 3)
    kept = deepcopy(ledger)
    assert_array_equal(kept.cash, [100.0, 40.0, 40.0])
    assert_array_equal(replace(ledger, steps=None).cash, kept.cash)
