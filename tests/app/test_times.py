"""One trade over the change to summer time, on all surfaces: the same time everywhere, with the exchange's zone."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from quantcrafter.app.charts.model.chart import chart_model
from quantcrafter.app.dialogs.comparison.dialog import ComparisonDialog
from quantcrafter.app.panes.results.columns import trades_sheet
from quantcrafter.app.panes.results.model import SheetModel
from quantcrafter.app.panes.results.overview import Overview
from quantcrafter.app.panes.why.page import page
from quantcrafter.app.theme import current
from quantcrafter.engine.cli.main import main
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.compute_process.jobs.journal import JournalRequest
from quantcrafter.engine.runtime.explain.run_facts import Facts
from quantcrafter.engine.runtime.explain.why import explain
from quantcrafter.engine.runtime.results.report_columns import report_data
from quantcrafter.engine.runtime.results.result import RunResult
from quantcrafter.engine.runtime.run_store.comparison import compare_runs
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from quantcrafter.engine.runtime.run_store.run_writer import save_run
from quantcrafter.engine.runtime.running.run import run
from quantcrafter.engine.stats.report import report_page
from tests.support.children import children
from tests.support.job_context import DirectContext

ENTRY, EXIT = "2024-03-08 10:30", "2024-03-11 11:30"
"""15:30 UTC in winter time, 15:30 UTC in summer time."""
TEXT = """\
quantcrafter: 1
name: Summer time
instruments:
  - {symbol: ABC, data: csv, path: abc.csv, timeframe: 1h, market: us_stocks}
logic:
  el: {use: compare, left: bars.volume, op: "==", right: 1}
  xl: {use: compare, left: bars.volume, op: "==", right: 2}
advisors:
  go: {use: rule, enter_long: [el], exit_long: [xl]}
money:
  size: {use: fixed_quantity, quantity: 10}
execution:
  entry: {use: market, signals: [go], money: size}
run: {cash: 100000}
"""


@pytest.fixture
def strategy(tmp_path: Path) -> Path:
    """Hours of New York on a Friday in winter time and the Monday after it in summer time."""
    rows = ["time,open,high,low,close,volume"]
    for day, first in (("2024-03-08", 14), ("2024-03-11", 13)):
        for n in range(7):
            volume = {("2024-03-08", 0): 1, ("2024-03-11", 1): 2}.get((day, n), 9)
            rows.append(f"{day}T{first + n}:30:00Z,{100 + n},{101 + n},{99 + n},{100 + n},{volume}")
    (tmp_path / "abc.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    file = tmp_path / "summer.yaml"
    file.write_text(TEXT, encoding="utf-8")
    return file


@pytest.fixture
def result(strategy: Path) -> RunResult:
    return run(strategy, registry=load_registry())


@pytest.fixture
def kept(result: RunResult, tmp_path: Path) -> RunFolder:
    return RunFolder.open(save_run(result, tmp_path / "run"))


def test_the_command_line(
    strategy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path / "home"))
    out = tmp_path / "trades.csv"
    assert main(["run", str(strategy), "--trades", str(out)]) == 0
    assert [line.split("  ")[0] for line in capsys.readouterr().out.splitlines() if "(New York)" in line] == [
        "Start (New York)",
        "End (New York)",
    ]
    assert main(["runs", "show", "last"]) == 0
    shown = capsys.readouterr().out
    assert "In (New York)" in shown
    assert "Out (New York)" in shown
    assert ENTRY in shown
    assert EXIT in shown
    with out.open(encoding="utf-8", newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert (row["entry_time"], row["exit_time"]) == (f"{ENTRY.replace(' ', 'T')}:00", f"{EXIT.replace(' ', 'T')}:00")
    assert row["time_zone"] == "America/New_York"


def test_the_report(result: RunResult) -> None:
    page = report_page(report_data(result))
    assert "Entry (New York)" in page
    assert f'<td class="t">{ENTRY}</td>' in page
    assert f'<td class="t">{EXIT}</td>' in page
    assert "<td>Start (New York)</td>" in page
    figures = json.loads(page.partition('id="figures">')[2].partition("</script>")[0])
    assert figures["price0"]["x"][1] == ENTRY
    assert figures["price0"]["layout"]["xaxis"]["title"]["text"] == "New York"
    assert figures["equity"]["layout"]["xaxis"]["title"]["text"] == "New York"
    assert str(np.datetime64(figures["equity"]["x"][0], "ms")) == "2024-03-08T10:30:00.000"


@pytest.mark.usefixtures("qtbot")
def test_the_tables_their_filter_and_their_files(kept: RunFolder) -> None:
    model = SheetModel()
    model.show(trades_sheet(kept))
    assert model.sheet is not None
    titles = [model.sheet.title(shown) for shown in model.sheet.shown]
    entry, leave = titles.index("Entry time (New York)"), titles.index("Exit time (New York)")
    assert (model.index(0, entry).data(), model.index(0, leave).data()) == (ENTRY, EXIT)
    (row,) = csv.DictReader(io.StringIO(model.as_text([0], separator=",")))
    assert row["entry_time"] == f"{ENTRY.replace(' ', 'T')}:00"
    assert row["time_zone"] == "America/New_York"
    for text, count in (("entry_ts_ns>=2024-03-08T10:30", 1), ("entry_ts_ns>2024-03-08T10:30", 0)):
        model.set_filter(text)
        assert len(model.rows) == count


def test_the_figures(kept: RunFolder, qtbot: QtBot) -> None:
    overview = Overview()
    qtbot.addWidget(overview)
    overview.show_run(kept)
    texts = [label.text() for label in children(overview, QLabel)]
    assert texts[texts.index("Start (New York)") + 1] == "2024-03-08 09:30"


def test_the_chart(kept: RunFolder) -> None:
    clock = chart_model(kept, 0).clock
    bar = int(kept.trades["entry_bar"][0])
    assert clock.text(bar) == ENTRY
    assert clock.named(bar) == f"{ENTRY} New York"
    assert clock.zone_name == "New York"
    assert {tick.time.utcoffset() for tick in clock.ticks(0, 13, 20)} == {timedelta(hours=-5), timedelta(hours=-4)}


def test_the_explanation_and_the_log(kept: RunFolder) -> None:
    registry = load_registry()
    facts = Facts(kept, registry, 0)
    text = page(facts, explain(facts, int(kept.trades["entry_bar"][0])), current())
    assert "close of 2024-03-08 11:30 New York" in text
    context = DirectContext()
    JournalRequest(kept.folder).execute(context)
    assert [line.time for line in context.lines] == [f"{ENTRY} New York", f"{EXIT} New York"]


def test_the_comparison(kept: RunFolder, strategy: Path, tmp_path: Path, qtbot: QtBot) -> None:
    other = run(strategy, registry=load_registry(), overrides=("money.size.quantity=20",))
    dialog = ComparisonDialog(compare_runs(kept, RunFolder.open(save_run(other, tmp_path / "other"))))
    qtbot.addWidget(dialog)
    heads = [dialog.trades.horizontalHeaderItem(column).text() for column in range(dialog.trades.columnCount())]  # type: ignore[attr-defined]
    assert heads[3:5] == ["Entry time (New York)", "Exit time (New York)"]
    assert [dialog.trades.item(0, column).text() for column in (3, 4)] == [ENTRY, EXIT]  # type: ignore[attr-defined]
    assert dialog.curves.reading(0).startswith("2024-03-08 10:30 New York")
    assert dialog.curves.axes()["bottom"].tickStrings([1_709_910_000.0], 1.0, 3600.0) == ["10:00"]


def test_a_run_of_which_bars_are_no_longer_kept(result: RunResult, tmp_path: Path) -> None:
    tables = RunFolder.open(save_run(result, tmp_path / "tables", keep="tables"))
    row = tables.trades[0]
    assert tables.times.text(row["entry_ts_ns"], row["instrument"], row["entry_bar"]) == ENTRY
    assert tables.times.head("Entry") == "Entry (New York)"
