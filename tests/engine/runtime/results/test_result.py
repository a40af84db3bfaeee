from __future__ import annotations

import csv
import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.ledger import FILL_DTYPE, ORDER_DTYPE, Ledger, OrderKind, OrderStatus, Reason, StatusReason
from quantcrafter.engine.runtime.results.result import RunResult
from tests.support.ledgers import Book, Deal, curve_ledger, job_of, million_run, walk_bars
from tests.support.results import result_of, walk_result

FILL_KEYS = [
    "bar",
    "ts_ns",
    "instrument",
    "side",
    "quantity",
    "price",
    "order_type",
    "commission",
    "slippage",
    "reason",
    "order_id",
]
TRADE_KEYS = [
    "instrument",
    "side",
    "quantity",
    "entry_bar",
    "entry_ts_ns",
    "entry_price",
    "exit_bar",
    "exit_ts_ns",
    "exit_price",
    "pnl",
    "commission",
    "exit_reason",
]


def one_deal() -> RunResult:
    job = job_of(walk_bars(30), lot_size=0.1)
    book = Book([job])
    book.deal(Deal(0, -1, 3, 4, 9), Reason.TAKE_PROFIT)
    return result_of(book.ledger(), [job])


def test_json_has_the_published_keys_in_their_order() -> None:
    document = walk_result().to_json()
    assert list(document)[:10] == [
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
    ]
    assert list(document["fills"][0]) == FILL_KEYS
    assert list(document["trades"][0])[: len(TRADE_KEYS)] == TRADE_KEYS
    assert list(document["equity"]) == ["ts_ns", "value"]
    assert list(document["timing"]) == ["load_s", "columns_s", "simulate_s", "total_s"]
    assert len(document["equity"]["value"]) == document["bars"]


def test_a_deal_reads_as_people_would_tell_it() -> None:
    result = one_deal()
    bars = result.instruments[0].bars
    entry, leave = result.fills
    trade = result.trades[0]
    assert (entry["side"], entry["quantity"], entry["reason"], entry["order_type"]) == ("sell", 0.3, "entry", "market")
    assert (leave["side"], leave["reason"], leave["bar"]) == ("buy", "take_profit", 9)
    assert entry["ts_ns"] == bars.open_ns[4]
    assert entry["price"] == bars.open[4]
    assert (trade["side"], trade["instrument"], trade["exit_reason"]) == ("short", "ABC", "take_profit")
    assert trade["pnl"] == pytest.approx(0.3 * (bars.open[4] - bars.open[9]) - trade["commission"])
    assert result.trades["pnl"].sum() == pytest.approx(trade["pnl"])


@pytest.mark.parametrize(
    ("kind", "at_open", "expected"),
    [
        (OrderKind.MARKET, True, "open_ns"),
        (OrderKind.STOP, True, "open_ns"),
        (OrderKind.STOP, False, "close_ns"),
        (OrderKind.LIMIT, False, "close_ns"),
        (OrderKind.CLOSE, True, "close_ns"),
    ],
)
def test_a_fill_inside_the_bar_is_known_at_its_close(kind: OrderKind, at_open: bool, expected: str) -> None:  # noqa: FBT001
    result = one_deal()
    bars = result.instruments[0].bars
    fills = result.ledger.fills.copy()
    fills["kind"][1] = kind
    if not at_open:
        fills["price"][1] = bars.open[9] - 0.5
    parts = result.ledger.parts.copy()
    parts["exit_price"] = fills["price"][1]
    changed = replace(result, ledger=replace(result.ledger, fills=fills, parts=parts))
    moment = getattr(bars, expected)[9]
    assert changed.fills[1]["ts_ns"] == moment
    assert changed.trades[0]["exit_ts_ns"] == moment


def test_orders_name_their_rule_and_leave_out_what_does_not_exist() -> None:
    result = one_deal()
    orders = np.zeros(2, ORDER_DTYPE)
    orders["id"], orders["parent"], orders["rule"] = [1, 2], [-1, 1], [-1, 0]
    orders["side"], orders["lots"], orders["closed_bar"] = [1, -1], 10, [4, -1]
    orders["price"], orders["fill_price"] = [np.nan, 95.0], [100.0, np.nan]
    orders["kind"], orders["status"] = (
        [OrderKind.MARKET, OrderStatus.WORKING],
        [OrderStatus.FILLED, OrderStatus.WORKING],
    )
    orders["kind"] = [OrderKind.MARKET, OrderKind.STOP]
    orders["reason"], orders["status_reason"] = [Reason.ENTRY, Reason.STOP_LOSS], StatusReason.NONE
    first, second = replace(result, ledger=replace(result.ledger, orders=orders)).orders
    assert (first["rule"], first["parent"], first["price"], first["closed_bar"]) == ("", None, None, 4)
    assert (second["rule"], second["parent"], second["closed_bar"]) == ("stop", 1, None)
    assert (second["status"], second["order_type"], second["fill_price"]) == ("working", "stop", None)


def test_tables_offer_rows_slices_and_columns() -> None:
    trades = walk_result().trades
    assert len(trades) == len(list(trades)) == len(trades["pnl"])
    assert trades[-1] == trades.rows()[-1]
    assert trades[1:3] == trades.rows()[1:3]
    assert trades == trades.rows()
    with pytest.raises(IndexError):
        trades[len(trades)]


def test_a_run_without_trades_has_empty_tables() -> None:
    bars = walk_bars(10)
    result = result_of(curve_ledger(bars.close_ns, np.full(10, 100.0)), [job_of(bars)])
    document = result.to_json()
    tables = ("fills", "trades", "orders", "blocked", "interventions", "cashflows", "open_positions")
    assert [document[key] for key in tables] == [[]] * 7


def test_the_json_file_reads_back_as_the_document(tmp_path: Path) -> None:
    result = walk_result()
    path = result.write_json(tmp_path / "deep" / "result.json")
    assert json.loads(path.read_text(encoding="utf-8")) == result.to_json()
    assert [each.name for each in path.parent.iterdir()] == ["result.json"]


def test_json_never_holds_nan(tmp_path: Path) -> None:
    result = one_deal()
    equity = result.ledger.equity.copy()
    equity[3] = np.inf
    fills = result.ledger.fills.copy()
    fills["slippage"][0] = np.nan
    broken = replace(result, ledger=replace(result.ledger, equity=equity, fills=fills))

    def refuse(name: str) -> None:
        raise AssertionError(name)

    document = json.loads(broken.write_json(tmp_path / "r.json").read_text(encoding="utf-8"), parse_constant=refuse)
    assert document["equity"]["value"][3] is None
    assert document["fills"][0]["slippage"] is None


def test_the_trade_list_reads_back_from_csv(tmp_path: Path) -> None:
    result = walk_result(instruments=2)
    path = result.write_trades_csv(tmp_path / "trades.csv")
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [float(row["pnl"]) for row in rows] == result.trades["pnl"].tolist()
    assert {row["instrument"] for row in rows} == {"SYM0", "SYM1"}
    assert rows[0]["entry_time"] == "2015-01-09T09:30:00"
    assert {row["time_zone"] for row in rows} == {"America/New_York"}


def test_an_unwritable_path_is_one_clear_error_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(RunError, match="The result can't be written to"):
        walk_result().write_json(tmp_path / "taken")
    assert [each.name for each in tmp_path.iterdir()] == ["taken"]


@pytest.mark.skipif(sys.platform == "win32", reason="permissions work differently there")
def test_files_have_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("", encoding="utf-8")
    path = walk_result().write_trades_csv(tmp_path / "trades.csv")
    assert os.stat(path).st_mode == os.stat(tmp_path / "plain").st_mode  # noqa: PTH116


@pytest.mark.benchmark_report
def test_forty_thousand_trades_are_written_quickly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger, jobs = million_run(200_000)
    result = result_of(ledger, jobs)
    begun = time.perf_counter()
    path = result.write_json(tmp_path / "r.json")
    elapsed = time.perf_counter() - begun
    with capsys.disabled():
        print(f"\nJSON of 40k trades, 80k fills, 200k steps: {elapsed:.2f} s, {path.stat().st_size / 1e6:.0f} MB")  # noqa: T201
    assert len(json.loads(path.read_bytes())["trades"]) == 40_000


def test_a_ledger_of_another_engine_may_lack_orders_of_its_trades() -> None:
    result = one_deal()
    ledger: Ledger = replace(result.ledger, fills=np.zeros(0, FILL_DTYPE))
    assert replace(result, ledger=ledger).trades[0]["entry_ts_ns"] == result.instruments[0].bars.open_ns[4]
