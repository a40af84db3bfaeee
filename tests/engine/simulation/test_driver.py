from dataclasses import replace

import numpy as np
import pytest

from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.ports import ENTER_LONG, EXIT_LONG
from quantcrafter.engine.api.rules import ProtectiveKind, ProtectiveRule
from quantcrafter.engine.simulation.driver import simulate
from tests.support.jobs import Setup, make_bars, make_job

ROWS = [[100, 101, 99, 100]] * 4
ATR_STOP = ProtectiveRule(ProtectiveKind.STOP_LOSS, multiple=1.0, column="atr")


def test_a_run_without_instruments_is_refused() -> None:
    with pytest.raises(RunError, match="at least one instrument"):
        simulate(make_job())


def test_an_instrument_without_bars_is_refused_by_name() -> None:
    with pytest.raises(RunError, match="TEST has no bars"):
        simulate(make_job((make_bars(np.empty((0, 4))), Setup())))


@pytest.mark.parametrize("size", [0.0, -1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("field", ["tick_size", "lot_size"])
def test_an_impossible_tick_or_lot_is_refused(field: str, size: float) -> None:
    with pytest.raises(RunError, match=f"TEST must be above 0, was {size}. Set '{field}'"):
        simulate(make_job((make_bars(ROWS), Setup(tick_size=size) if field == "tick_size" else Setup(lot_size=size))))


def test_columns_of_another_length_than_the_bars_are_refused() -> None:
    job = make_job((make_bars(ROWS), Setup()))
    short = replace(job.instruments[0], flags=np.zeros(3, np.uint8))
    with pytest.raises(RunError, match=r"must have 4 values, one a bar, were \[3, 4\]"):
        simulate(replace(job, instruments=(short,)))


def test_a_rule_that_names_a_column_needs_one() -> None:
    with pytest.raises(RunError, match="must have a column for just the protective rules"):
        simulate(make_job((make_bars(ROWS), Setup()), protection=(ATR_STOP,)))


def test_prices_of_a_single_instrument_are_neither_copied_nor_locked() -> None:
    bars = make_bars(ROWS)
    simulate(make_job((bars, Setup(flags={0: ENTER_LONG}))))
    assert bars.close.flags.writeable


def test_columns_may_be_read_only_strided_or_of_another_float_type() -> None:
    flags = {0: ENTER_LONG, 2: EXIT_LONG}
    atr = np.array([3.0, 3.0, 3.0, 3.0])
    plain = make_job((make_bars(ROWS), Setup(flags, rule_columns=(atr,))), protection=(ATR_STOP,))
    odd_atr = np.repeat(atr, 2)[::2].astype(np.float32)
    odd_atr.flags.writeable = False
    odd = make_job((make_bars(ROWS), Setup(flags, rule_columns=(odd_atr,))), protection=(ATR_STOP,))
    assert simulate(plain).orders.tobytes() == simulate(odd).orders.tobytes()


def test_more_instruments_than_the_usual_tables_can_hold_still_run() -> None:
    count = 2_800
    pairs = [(make_bars(ROWS[:2], f"S{k}"), Setup(flags={0: ENTER_LONG})) for k in range(count)]
    ledger = simulate(make_job(*pairs, settings={"cash": 1e9}))
    assert len(ledger.fills) == count
    assert [position.instrument for position in ledger.open_positions] == list(range(count))
