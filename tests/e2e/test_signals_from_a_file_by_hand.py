"""Signals from a file on IBM against dates and opens that are picked by the standard library alone."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

import quantcrafter
from tests.e2e.test_golden_cross_oracle import adjusted_rows

EXAMPLE = Path(__file__).parents[2] / "resources" / "examples" / "signals_from_a_file.yaml"
HELD = 20


def test_every_trade_begins_after_a_cut_and_ends_after_twenty_bars_or_a_raise() -> None:
    days = [row[0].date().isoformat() for row in adjusted_rows("IBM")]
    opens = [row[1] for row in adjusted_rows("IBM")]
    with (EXAMPLE.parent / "files" / "fed_rates.csv").open(encoding="utf-8") as file:
        told = {row["date"]: row["signal"] for row in csv.DictReader(file)}
    # On 17 September 2001 the exchange was open again; every date but one is a session.
    at = {next(n for n, each in enumerate(days) if each >= day): signal for day, signal in told.items()}
    expected, entry = [], None
    for bar in range(len(days) - 1):
        if entry is not None and (bar - entry + 1 == HELD or at.get(bar) == "exit"):
            expected.append((entry, bar + 1))
            entry = None
        elif entry is None and at.get(bar) == "buy":
            entry = bar + 1
    trades = quantcrafter.run(EXAMPLE).ledger.trades
    assert list(zip(trades["entry_bar"].tolist(), trades["exit_bar"].tolist(), strict=True)) == expected
    assert len(expected) == 18
    assert [days[entry] for entry, _ in expected[:3]] == ["2001-01-04", "2001-03-21", "2001-05-16"]
    assert trades["entry_price"] == pytest.approx([opens[entry] for entry, _ in expected], rel=1e-12)
    assert trades["exit_price"] == pytest.approx([opens[leave] for _, leave in expected], rel=1e-12)
