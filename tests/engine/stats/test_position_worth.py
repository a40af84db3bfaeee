"""What holding an instrument earns, by hand: rates, splits, dividends, contracts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from quantcrafter.engine.api.engine import InstrumentJob
from quantcrafter.engine.stats.curve import buy_and_hold_percent
from quantcrafter.engine.stats.position_worth import holding
from tests.support.jobs import Setup, instrument, make_bars


def job(opens: tuple[float, ...], closes: tuple[float, ...], **more: Any) -> InstrumentJob:
    rows = [(a, max(a, b), min(a, b), b) for a, b in zip(opens, closes, strict=True)]
    columns = {name: np.array(value) if isinstance(value, tuple) else value for name, value in more.items()}
    return instrument(make_bars(rows), Setup(more=columns))


def test_spot_is_what_its_price_has_become() -> None:
    assert holding(job((100.0, 110.0), (110.0, 120.0))).tolist() == pytest.approx([1.1, 1.2])


def test_spot_in_another_currency_is_bought_and_marked_at_the_rates_of_the_days() -> None:
    held = holding(job((100.0, 110.0), (110.0, 120.0), rate_open=(2.0, 2.0), rate_close=(2.0, 1.0)))
    assert held.tolist() == pytest.approx([1.1, 0.6])


def test_a_split_leaves_what_is_held_alone_and_a_dividend_is_kept_as_money() -> None:
    held = holding(job((100.0, 50.0), (100.0, 50.0), split=(1.0, 2.0), dividend=(0.0, 3.0)))
    assert held.tolist() == pytest.approx([1.0, 1.06])


def test_a_split_at_the_first_open_was_before_the_purchase() -> None:
    assert holding(job((100.0,), (120.0,), split=(2.0,), dividend=(5.0,))).tolist() == pytest.approx([1.2])


def test_a_contract_keeps_the_money_and_adds_its_profit_at_the_rate_of_the_close() -> None:
    held = holding(job((100.0, 110.0), (110.0, 80.0), kind="contract", rate_open=(2.0, 2.0), rate_close=(2.0, 1.0)))
    assert held.tolist() == pytest.approx([1.1, 0.9])


def test_before_the_first_rate_there_is_money_and_the_purchase_is_at_the_next_open() -> None:
    held = holding(job((90.0, 100.0), (100.0, 110.0), rate_open=(0.0, 2.0), rate_close=(2.0, 2.0)))
    assert held.tolist() == pytest.approx([1.0, 1.1])


def test_a_first_price_of_zero_or_less_makes_no_share() -> None:
    below = job((-10.0, -5.0), (-5.0, 5.0), kind="contract")
    assert np.isnan(holding(below)).all()
    assert buy_and_hold_percent((below,)) != buy_and_hold_percent((below,))  # NaN: shown as undefined
