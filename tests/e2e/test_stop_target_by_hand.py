"""Percent stop and target against a table worked out by hand, from the command line to the JSON file."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

GOLDEN = Path(__file__).parents[1] / "golden" / "stop_target"


def table(name: str) -> list[dict[str, str]]:
    with (GOLDEN / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def run_to_json(out: Path, *options: str) -> dict[str, Any]:
    command = [
        sys.executable,
        "-m",
        "quantcrafter.engine.cli",
        "run",
        str(GOLDEN / "strategy.yaml"),
        "--json",
        str(out),
        "--no-history",
    ]
    done = subprocess.run(
        [*command, *options], capture_output=True, text=True, encoding="utf-8", check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return result


def assert_rows(actual: list[dict[str, Any]], expected: list[dict[str, str]]) -> None:
    assert len(actual) == len(expected)
    for row, wanted in zip(actual, expected, strict=True):
        for name, value in wanted.items():
            if name == "why":
                continue
            if isinstance(row[name], str):
                assert row[name] == value, (wanted, name)
            else:
                assert row[name] == pytest.approx(float(value), abs=1e-9), (wanted, name)


def test_every_fill_and_trade_is_as_worked_out_by_hand(tmp_path: Path) -> None:
    result = run_to_json(tmp_path / "out.json")
    assert_rows(result["fills"], table("fills.csv"))
    assert_rows(result["trades"], table("trades.csv"))
    assert result["bars"] == 16
    assert result["equity"]["value"][-1] == pytest.approx(10_000 + 38 - 22 - 22.2 - 42 + 68 - 1 - 5, abs=1e-9)


def test_arming_from_the_next_bar_spares_the_stop_within_the_entry_bar(tmp_path: Path) -> None:
    result = run_to_json(tmp_path / "out.json", "--set", "run.fills.arm=next_bar")
    second, third = result["trades"][1:3]
    assert (second["entry_bar"], second["exit_bar"]) != (5, 5)
    assert third["entry_bar"] > 5


def test_the_json_has_the_documented_keys(tmp_path: Path) -> None:
    result = run_to_json(tmp_path / "out.json")
    assert set(result) >= {
        "strategy",
        "engine",
        "mode",
        "bars",
        "warmup",
        "fills",
        "trades",
        "metrics",
        "equity",
        "timing",
    }
    fill_keys = "bar ts_ns instrument side quantity price order_type commission slippage reason order_id"
    assert set(result["fills"][0]) >= set(fill_keys.split())
    trade_keys = (
        "instrument side quantity entry_bar entry_ts_ns entry_price exit_bar exit_ts_ns exit_price pnl commission"
    )
    assert set(result["trades"][0]) >= {*trade_keys.split(), "exit_reason"}
    assert set(result["equity"]) == {"ts_ns", "value"}
    assert set(result["timing"]) >= {"load_s", "columns_s", "simulate_s", "total_s"}
