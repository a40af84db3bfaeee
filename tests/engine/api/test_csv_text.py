"""A spreadsheet that opens a table of ours carries nothing out, and we read symbols as they were."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from quantcrafter.engine.api import Timeframe
from quantcrafter.engine.api.csv_text import csv_text
from quantcrafter.engine.data.store import BarStore
from quantcrafter.engine.data.store.bar_files import ImportOptions, export_bars, import_file, symbols_in

HOSTILE = ("=cmd|'/c calc'!A1", "@SUM(1)", "+1+1", "-2", "\tX", "\rX", "\uff1d1+1")


def test_texts_that_are_formulas_are_marked_and_numbers_stay_numbers() -> None:
    text = csv_text(["=name", "pnl"], [[symbol, -2.5] for symbol in (*HOSTILE, "SPY", "A-B")])
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows[0] == ["'=name", "pnl"]
    assert [row[0] for row in rows[1:]] == [*(f"'{symbol}" for symbol in HOSTILE), "SPY", "A-B"]
    assert {row[1] for row in rows[1:]} == {"-2.5"}


@pytest.mark.parametrize("symbol", [*HOSTILE[:4], "SPY", "'quoted"])
def test_a_symbol_comes_back_from_an_exported_table_as_it_was(symbol: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    text = csv_text(["symbol", "date", "open", "high", "low", "close"], [[symbol, "2020-01-02", 1, 2, 1, 2]])
    path.write_text(text + text.splitlines()[1].replace("01-02", "01-03") + "\n")
    assert symbols_in(str(path), {}) == (symbol,)
    store = BarStore(tmp_path / "bars")
    import_file(store, str(path), (symbol,), ImportOptions())
    out = tmp_path / "out.csv"
    export_bars(store, symbol, Timeframe(1, "d"), out)
    assert not any(
        cell.startswith(("=", "@", "+", "-")) for row in csv.reader(io.StringIO(out.read_text())) for cell in row
    )
    assert symbols_in(str(out), {}) == (symbol,)
