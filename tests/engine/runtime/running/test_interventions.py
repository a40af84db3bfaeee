"""Interventions of rules appear in the tables, the JSON, the stored run and the summary."""

from __future__ import annotations

from pathlib import Path

import pytest

import quantcrafter
from quantcrafter.engine.cli.summary import stepped_in
from quantcrafter.engine.runtime.results.result import RunResult
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from quantcrafter.engine.runtime.run_store.run_writer import save_run

EXAMPLES = Path(__file__).parents[4] / "resources" / "examples"


@pytest.fixture(scope="module")
def result() -> RunResult:
    return quantcrafter.run(EXAMPLES / "volatility_portfolio.yaml")


def test_each_intervention_names_its_node_its_time_and_what_it_changed(result: RunResult) -> None:
    rows = result.interventions.rows()
    assert {row["node"] for row in rows} == {"trail", "at_most_three", "no_leverage", "bad_day"}
    moved = next(row for row in rows if row["kind"] == "stop_moved")
    assert moved["instrument"] in {"AAPL", "GOOG", "IBM", "MSFT"}
    assert moved["after"] > moved["before"]
    halt = next(row for row in rows if row["kind"] == "halt_began")
    assert halt["instrument"] == ""
    assert halt["after"] <= halt["before"] * 0.96
    assert halt["ts_ns"] == result.ledger.ts_ns[halt["bar"]]
    assert result.to_json()["interventions"] == rows


def test_they_are_kept_with_the_run(result: RunResult, tmp_path: Path) -> None:
    kept = RunFolder.open(save_run(result, tmp_path / "run"))
    assert kept.interventions == result.interventions
    assert kept.cashflows == result.cashflows


def test_the_summary_names_the_first_halts(result: RunResult) -> None:
    lines = stepped_in(result)
    assert lines[0].startswith("Trading was halted by 'bad_day' on ")
    halts = sum(row["kind"] == "halt_began" for row in result.interventions.rows())
    assert lines[-1] == f"... and {halts - 5:,} more times."
