"""What each rule costs on a million bars, beside the plain strategy as one loop in C, in one run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quantcrafter.engine.data.cache import BarCache
from quantcrafter.engine.simulation.driver import simulate
from quantcrafter.engine.simulation.kernel_forms import compiled
from tests.support.performance_page import publish
from tests.support.speed_cases import BARS, RULES, Case, columns, in_c, spent

TURNS = 15


@pytest.mark.benchmark_report
@pytest.mark.timeout(1_800)
def test_what_each_rule_costs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cache = BarCache(1 << 32)
    rows = [(name, *measured(case, cache, tmp_path)) for name, case in RULES.items()]
    plain = next(total for name, _, _, *parts in rows if name == "plain cross" for total in [sum(parts)])
    head = "| rule | fills | C ms | columns ms | simulation ms | x C | x plain |\n|---|---:|---:|---:|---:|---:|---:|"
    body = [
        f"| {name} | {fills:,} | {c_ms:.1f} | {column_ms:.1f} | {loop_ms:.1f} | {(column_ms + loop_ms) / c_ms:.1f} "
        f"| {(column_ms + loop_ms) / plain:.2f} |"
        for name, fills, c_ms, column_ms, loop_ms in rows
    ]
    publish("rules", [*head.splitlines(), *body])
    with capsys.disabled():
        print("\n".join([f"\n{BARS:,} bars", head, *body]))  # noqa: T201 - the report is what this is for


def measured(case: Case, cache: BarCache, folder: Path) -> tuple[int, float, float, float]:
    """Return fills, and milliseconds of the loop in C, of the columns and of the simulation: the best of some turns."""
    prepared = case.prepared(cache)
    bars = prepared.job.instruments[0].bars
    loop = in_c(case, bars, folder)
    best = [np.inf, np.inf, np.inf]
    fills = 0
    for _ in range(TURNS):
        c_ms, c_fills = spent(loop)
        column_ms, _ = spent(lambda: columns(prepared))
        loop_ms, ledger = spent(lambda: simulate(prepared.job, kernel=compiled()))
        best = [min(pair) for pair in zip(best, (c_ms * BARS / len(bars), column_ms, loop_ms), strict=True)]
        fills = len(ledger.fills)
        is_same_work = case.kind == "rsi" or case in (RULES["plain cross"], RULES["plain cross, few fills"])
        assert not is_same_work or abs(fills - c_fills) <= 1  # the loop in C keeps the last position
    return fills, best[0], best[1], best[2]
