"""Loops over columns give the same bits in Python and as machine code: short columns take the first way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from quantcrafter.engine.api.compiled import njit_kept
from quantcrafter.nodes import kernels
from quantcrafter.nodes.advisors import kernels as advisors

RNG = np.random.default_rng(11)
PRICES = np.exp(np.cumsum(RNG.normal(0.0, 0.02, 900))).round(2)
GAPS = np.where(RNG.random(900) < 0.02, np.nan, PRICES)
OTHER = np.where(RNG.random(900) < 0.02, np.nan, PRICES + RNG.integers(-1, 2, 900) * 0.01)
TRUE = RNG.random(900) < 0.1
DAY = np.arange(900) // 30
FLAGS = RNG.integers(0, 16, 900).astype(np.uint8)

CALLS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "crosses": (kernels.crosses, (GAPS, OTHER, 1, 2, 20)),
    "bars_since": (kernels.bars_since, (TRUE,)),
    "highest_since": (kernels.highest_since, (GAPS, TRUE)),
    "value_when": (kernels.value_when, (GAPS, TRUE, 2)),
    "latched": (kernels.latched, (TRUE, TRUE[::-1].copy(), False)),
    "tally": (kernels.tally, (TRUE, TRUE[::-1].copy())),
    "advanced": (kernels.advanced, (FLAGS.astype(np.int64), TRUE, 4)),
    "log_of": (kernels.log_of, (GAPS - 1.0,)),
    "exp_of": (kernels.exp_of, ((GAPS - 1.0) * 900.0,)),
    "session_values": (kernels.session_values, (DAY, ~TRUE, PRICES, PRICES, OTHER, GAPS, PRICES)),
    "opening_range": (kernels.opening_range, (DAY, TRUE, ~TRUE, PRICES, OTHER)),
    "percent_rank": (kernels.percent_rank, (GAPS, 20)),
    "zscore": (kernels.zscore, (GAPS, 20)),
    "volatility": (kernels.volatility, (GAPS, 20, 252.0)),
    "pattern_flags": (advisors.pattern_flags, (TRUE, TRUE[::-1].copy(), 3, (1, 2), (4, 8))),
    "stances": (advisors.stances, (FLAGS,)),
}


def columns(result: Any) -> tuple[Any, ...]:
    return result if isinstance(result, tuple) else (result,)


@pytest.mark.parametrize("name", CALLS)
def test_a_loop_gives_the_same_bits_in_python_and_as_machine_code(name: str) -> None:
    function, arguments = CALLS[name]
    plain = function.__wrapped__  # type: ignore[attr-defined]
    with np.errstate(all="ignore"):
        in_python = plain(*arguments)
    compiled = njit_kept(plain)(*arguments)
    for one, other in zip(columns(in_python), columns(compiled), strict=True):
        assert one.dtype == other.dtype
        assert one.tobytes() == other.tobytes()
