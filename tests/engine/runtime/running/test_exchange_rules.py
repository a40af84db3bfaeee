"""What the exchange of an instrument allows, by its market or the file, as a run and `validate` tell of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantcrafter.engine.cli.summary import stepped_in
from quantcrafter.engine.data.markets import MARKETS
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.results.no_trades import why_no_trade
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from quantcrafter.engine.runtime.run_store.run_writer import save_run
from quantcrafter.engine.runtime.running.load_graph import validate_file
from quantcrafter.engine.runtime.running.run import run
from quantcrafter.engine.simulation.venue_columns import limits_of
from tests.support.market_files import ENTER, EXIT, Row, from_of, strategy

CHINA = next(market for market in MARKETS if market.name == "cn_stocks")
LOCKED: list[Row] = [
    ("2024-06-03", 10.0, 10.1, 9.9, 10.0, ENTER),
    ("2024-06-04", 11.0, 11.0, 11.0, 11.0, 0),
    ("2024-06-05", 12.1, 12.1, 12.1, 12.1, 0),
]


def test_no_share_is_bought_at_a_locked_limit_of_china(tmp_path: Path) -> None:
    result = run(strategy(tmp_path, LOCKED, 'symbol: "600000.SH"', quantity=100), registry=load_registry())
    assert len(result.ledger.fills) == 0
    assert from_of(result, "price_limit_percent") == (10, "suffix")
    assert why_no_trade(result) == (
        "No trades: 1 entry order, not filled but rejected with the price locked at its limit."
    )
    (told,) = stepped_in(result)
    assert told == (
        "600000.SH: orders found the price locked at its limit and didn't fill. Sessions: 1, the first on "
        "2024-06-04 15:00 Shanghai."
    )


@pytest.mark.parametrize(
    ("symbol", "limits"),
    [
        ("600000.SH", [10]),
        ("000001.SZ", [10]),
        ("sz.300750", [10, 20]),
        ("301236.SZ", [10, 20]),
        ("688981.SH", [20]),
        ("835185.BJ", [30]),
        ("920002.BJ", [30]),
        ("KWEICHOW", [10]),
    ],
)
def test_the_code_of_a_chinese_share_tells_its_limit(symbol: str, limits: list[float]) -> None:
    assert [percent for _, percent in CHINA.limits_of(symbol)] == limits


def test_the_limit_of_chinext_was_doubled_on_24_august_2020() -> None:
    since = CHINA.limits_of("300750.SZ")[1][0]
    assert since == 18_498  # days since 1970


@pytest.mark.parametrize(("percent", "fills"), [(5, 1), (0, 1), (10, 0)])
def test_the_file_says_another_limit(tmp_path: Path, percent: float, fills: int) -> None:
    rows: list[Row] = [*LOCKED[:1], ("2024-06-04", 11.0, 11.0, 11.0, 11.0, 0)]
    rows[1] = rows[1] if percent != 5 else ("2024-06-04", 10.5, 10.5, 10.4, 10.4, 0)
    file = strategy(tmp_path, rows, f'symbol: "600000.SH", price_limit_percent: {percent}', quantity=100)
    result = run(file, registry=load_registry())
    assert len(result.ledger.fills) == fills
    if percent:
        assert from_of(result, "price_limit_percent") == (percent, "file")


def test_what_was_bought_today_is_sold_tomorrow_in_china(tmp_path: Path) -> None:
    day = ["01:30", "02:00", "02:30", "03:00", "05:00", "05:30", "06:00", "06:30"]
    times = [f"2024-06-{number:02}T{time}:00Z" for number in (3, 4) for time in day]
    rows = [(time, 10.0, 10.0, 10.0, 10.0, 0.0) for time in times]
    rows[0], rows[2] = (*rows[0][:5], ENTER), (*rows[2][:5], EXIT)
    result = run(
        strategy(tmp_path, rows, 'symbol: "600000.SH", timeframe: 30m', quantity=100), registry=load_registry()
    )
    assert result.trades["exit_bar"].tolist() == [8]
    assert from_of(result, "settlement") == ("t+1", "suffix")
    (told,) = stepped_in(result)
    assert told.startswith("600000.SH: exits waited for the next session, as settlement is t+1. Sessions: 1, the first")
    save_run(result, tmp_path / "kept")
    kept = RunFolder.open(tmp_path / "kept").instruments[0]
    assert (kept.settlement, kept.price_limits) == ("t+1", ((-1_000_000, 10.0),))
    at_once = run(
        strategy(tmp_path, rows, 'symbol: "600000.SH", timeframe: 30m, settlement: t+0', quantity=100),
        registry=load_registry(),
    )
    assert at_once.trades["exit_bar"].tolist() == [3]


@pytest.mark.parametrize(
    ("given", "remedy"),
    [("settlement: t+2", "t+0 or t+1"), ("price_limit_percent: 100", "from 0 to below 100")],
)
def test_a_rule_that_there_is_not_is_refused(tmp_path: Path, given: str, remedy: str) -> None:
    problems = validate_file(strategy(tmp_path, LOCKED, f"symbol: X, {given}"), load_registry())
    (error,) = [each for each in problems if each.severity == "error"]
    assert error.field == given.partition(":")[0]
    assert remedy in error.message + error.remedy


def test_the_first_session_of_a_run_has_limits_from_the_close_before_its_start(tmp_path: Path) -> None:
    rows: list[Row] = [
        ("2024-06-03", 10.0, 10.1, 9.9, 10.0, 0),
        ("2024-06-04", 10.0, 11.0, 10.0, 11.0, ENTER),
        ("2024-06-05", 12.1, 12.1, 12.1, 12.1, 0),
    ]
    file = strategy(tmp_path, rows, 'symbol: "600000.SH"', quantity=100, settings=", start: 2024-06-04")
    result = run(file, registry=load_registry())
    up, down = limits_of(result.instruments[0])
    assert up.tolist() == [11.0, 12.1]
    assert down.tolist() == [9.0, 9.9]
    assert len(result.ledger.fills) == 0


def test_spread_and_swap_of_a_currency_pair_are_booked_and_told(tmp_path: Path) -> None:
    rows: list[Row] = [
        ("2024-06-03", 1.1, 1.101, 1.099, 1.1, ENTER),
        ("2024-06-04", 1.1, 1.101, 1.099, 1.1, EXIT),
        ("2024-06-05", 1.1, 1.101, 1.099, 1.1, 0),
        ("2024-06-06", 1.1, 1.101, 1.099, 1.1, 0),
    ]
    terms = "symbol: EURUSD, market: forex, spread: {pips: 2}, swap: {long: -0.5, short: 0.1, unit: pips}"
    file = strategy(tmp_path, rows, terms, quantity=10_000)
    result = run(file, registry=load_registry())
    assert result.fills["price"].tolist() == [1.1002, 1.1]
    # One night, from Tuesday to Wednesday, of half a pip: 10,000 x 0.00005.
    assert result.cashflows["amount"].tolist() == pytest.approx([-0.5])
    assert result.trades["pnl"].tolist() == pytest.approx([-2.5])
    assert from_of(result, "pip_size") == (0.0001, "symbol")
    assert from_of(result, "spread") == ("2 pips, bars bid", "file, market")
    bare = run(strategy(tmp_path, rows, "symbol: EURUSD, market: forex", quantity=10_000), registry=load_registry())
    assert from_of(bare, "spread") == ("none", "default")
    assert from_of(bare, "swap") == ("none", "default")
    save_run(result, tmp_path / "kept")
    kept, job = RunFolder.open(tmp_path / "kept").instruments[0], result.instruments[0]
    assert (kept.spread, kept.quotes, kept.swap) == (job.spread, job.quotes, job.swap)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("spread: 2", "'spread' of an instrument must be a mapping, was a number."),
        ("spread: {ticks: 1, price: 2}", "in ticks, pips or price, not in several"),
        ("spread: {pips: 1}", "'spread' of X counts in pips, but it has no 'pip_size'."),
        ("funding_percent: 0.01", "'funding_percent' is for contracts, but X is spot."),
        ("swap: {long: 1}", "'swap' is for contracts, but X is spot."),
    ],
)
def test_costs_that_make_no_sense_are_refused(tmp_path: Path, given: str, told: str) -> None:
    problems = validate_file(strategy(tmp_path, LOCKED, f"symbol: X, {given}"), load_registry())
    errors = [each.message for each in problems if each.severity == "error"]
    assert any(told in each for each in errors), errors


@pytest.mark.parametrize(("expiry", "price", "reason"), [("2024-06-05", 103.0, "expiry"), ("2024-06-30", None, "")])
def test_a_contract_is_closed_with_the_session_of_its_expiry(
    tmp_path: Path, expiry: str, price: float | None, reason: str
) -> None:
    rows: list[Row] = [
        ("2024-06-03", 100.0, 101.0, 99.0, 100.0, ENTER),
        ("2024-06-04", 100.0, 101.0, 99.0, 100.0, 0),
        ("2024-06-05", 101.0, 104.0, 99.0, 103.0, 0),
        ("2024-06-06", 120.0, 121.0, 119.0, 120.0, 0),
    ]
    file = strategy(tmp_path, rows, f"symbol: ESM4, market: us_futures, expiry: {expiry}")
    result = run(file, registry=load_registry())
    assert result.trades["exit_price"].tolist() == ([] if price is None else [price])
    assert result.trades["exit_reason"].tolist() == ([reason] if reason else [])
    assert from_of(result, "expiry") == (expiry, "file")
    if reason:
        assert any("Bars after that are not used: 1." in note for note in result.notes)


@pytest.mark.parametrize(
    ("instrument", "duty"),
    [("symbol: BARC.L", 0.5), ("symbol: BARC.L, buy_duty_percent: 0", 0.0), ("symbol: BARC.L, kind: contract", 0.0)],
)
def test_shares_of_london_have_a_stamp_duty_on_purchases(tmp_path: Path, instrument: str, duty: float) -> None:
    rows: list[Row] = [("2024-06-03", 200.0, 201.0, 199.0, 200.0, ENTER), ("2024-06-04", 200.0, 201.0, 199.0, 200.0, 0)]
    result = run(strategy(tmp_path, rows, instrument), registry=load_registry())
    assert result.fills["commission"].tolist() == pytest.approx([200.0 * duty / 100.0])


@pytest.mark.parametrize(("lot", "count"), [("", 1), (", lot_size: 400", 0)])
def test_the_lot_of_a_hong_kong_stock_is_asked_for(tmp_path: Path, lot: str, count: int) -> None:
    problems = validate_file(strategy(tmp_path, LOCKED, f"symbol: 0005.HK, currency: USD{lot}"), load_registry())
    assert [each.code for each in problems].count("market_lot") == count


@pytest.mark.parametrize(
    ("currency", "account", "count"),
    [("", "USD", 1), ("", "GBP", 1), ("", "GBX", 0), (", currency: GBX", "GBX", 0), (", currency: GBP", "GBP", 0)],
)
def test_prices_of_london_without_a_currency_are_a_warning(
    tmp_path: Path, currency: str, account: str, count: int
) -> None:
    settings = f", currency: {account}"
    file = strategy(tmp_path, LOCKED, f"symbol: VOD.L{currency}", settings=settings)
    problems = validate_file(file, load_registry())
    told = [
        f"prices of London are usually in pence: each penny counts as one {account}" in each.message
        for each in problems
    ]
    assert sum(told) == len(problems) == count
    assert run(file, registry=load_registry()).warnings == tuple(problems)
