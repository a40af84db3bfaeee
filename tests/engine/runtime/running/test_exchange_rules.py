"""What the exchange of an instrument allows, by its market or the file, as a run and `validate` tell of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quantcrafter.engine.api import RunSettings
from quantcrafter.engine.cli.summary import stepped_in
from quantcrafter.engine.data.markets import MARKETS
from quantcrafter.engine.graph.terms import resolve
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.results.no_trades import why_no_trade
from quantcrafter.engine.runtime.results.result import RunResult
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from quantcrafter.engine.runtime.run_store.run_writer import save_run
from quantcrafter.engine.runtime.running.load_graph import validate_file
from quantcrafter.engine.runtime.running.run import run
from quantcrafter.engine.simulation.venue_columns import limits_of
from quantcrafter.engine.spec import InstrumentSpec
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
        ("302132.SZ", [10, 20]),
        ("688981.SH", [20]),
        ("835185.BJ", [30]),
        ("920002.BJ", [30]),
        ("KWEICHOW", [10]),
        ("sh600000", [10]),
        ("SHSE.688981", [20]),
    ],
)
def test_the_code_of_a_chinese_share_tells_its_limit(symbol: str, limits: list[float]) -> None:
    assert [percent for _, percent in CHINA.limits_of(symbol)] == limits


@pytest.mark.parametrize(
    ("symbol", "limit"),
    [
        ("sh600000", 10), ("600000.XSHG", 10), ("SHSE.600000", 10), ("600000.SS", 10), ("600000.SSE", 10),
        ("SSE:688981", 20), ("000001.XSHE", 10), ("sz000001", 10), ("sz.300750", 20), ("300750.SZSE", 20),
        ("SZSE.301236", 20), ("000001.SHE", 10), ("600000.SHG", 10), ("bj835185", 30), ("920002.BSE", 30),
        ("BJ.430047", 30),
    ],
)  # fmt: skip
def test_spellings_of_chinese_symbols_name_market_and_board(tmp_path: Path, symbol: str, limit: float) -> None:
    result = run(strategy(tmp_path, LOCKED, f'symbol: "{symbol}"', quantity=100), registry=load_registry())
    assert from_of(result, "market") == ("cn_stocks", "suffix")
    assert from_of(result, "settlement") == ("t+1", "suffix")
    assert from_of(result, "price_limit_percent") == (limit, "suffix")
    assert result.instruments[0].bars.session.calendar == "XSHG"


@pytest.mark.parametrize("symbol", ["500325.BSE", "BSE:500325", "SHOP", "SZ12345", "600000", "SH6000001"])
def test_other_symbols_name_no_chinese_exchange(symbol: str) -> None:
    assert CHINA.venue(symbol) is None


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


def by_hand(tmp_path: Path, instrument: str, prices: list[float], currency: str) -> RunResult:
    """Run a strategy with daily bars at these closes."""
    days = np.arange(np.datetime64("2024-01-01"), np.datetime64("2026-12-31"))
    days = days[np.is_busday(days)][: len(prices)]
    rows: list[Row] = [(str(day), *(price,) * 4, 0) for day, price in zip(days, prices, strict=True)]
    file = strategy(tmp_path, rows, instrument, settings=f", currency: {currency}")
    return run(file, registry=load_registry())


@pytest.mark.parametrize(
    ("instrument", "prices", "table", "tick"),
    [
        ('symbol: "0700.HK"', [412.2, 415.4, 409.8], ("hkex", "suffix"), 0.2),
        ('symbol: "0700.HK"', [412.25, 415.43, 409.87], ("none", "data"), 0.01),
        ('symbol: "0700.HK", tick_size: 0.05', [412.2, 415.4, 409.8], None, 0.05),
        ('symbol: "7203.T"', [2500.0, 2513.0, 2498.0], ("tse_other", "suffix"), 1.0),
        ('symbol: "7203.T"', [2500.5, 2513.0, 2498.0], ("tse_topix500", "data"), 0.5),
        ('symbol: "7203.T", tick_table: tse_topix500', [2500.0, 2513.0, 2498.0], ("tse_topix500", "file"), 0.5),
        ('symbol: "SAP.DE"', [100.0, 101.0, 102.0], ("none", "default"), 0.01),
        ('symbol: "SAP.DE"', [100 + k * 0.1 for k in range(120)], ("mifid_4", "data"), 0.1),
        ('symbol: "SAP.DE", tick_table: mifid_6', [100.0, 101.0, 102.0], ("mifid_6", "file"), 0.02),
        ("symbol: X, tick_table: hkex", [412.2, 415.4, 409.8], ("hkex", "file"), 0.2),
    ],
)
def test_the_table_of_ticks_is_named_with_its_source(
    tmp_path: Path, instrument: str, prices: list[float], table: tuple[str, str] | None, tick: float
) -> None:
    currency = {"H": "HKD", "T": "JPY", "D": "EUR"}.get(instrument.partition(".")[2][:1], "EUR")
    result = by_hand(tmp_path, instrument, prices, currency)
    assert result.instruments[0].tick_size == tick
    if table is None:
        assert "tick_table" not in result.instruments[0].terms
    else:
        assert from_of(result, "tick_table") == table
    save_run(result, tmp_path / "kept")
    kept = RunFolder.open(tmp_path / "kept").instruments[0]
    assert kept.tick_tables == result.instruments[0].tick_tables


def test_prices_that_contradict_the_table_of_the_file_are_told(tmp_path: Path) -> None:
    result = by_hand(tmp_path, 'symbol: "0700.HK", tick_table: hkex', [412.21, 415.43, 409.87], "HKD")
    assert any(
        "100% of the prices are not multiples of the ticks of the table 'hkex'" in each for each in result.findings
    )


def test_an_unknown_table_of_ticks_is_refused_with_the_nearest(tmp_path: Path) -> None:
    problems = validate_file(strategy(tmp_path, LOCKED, "symbol: X, tick_table: mifd_3"), load_registry())
    (error,) = [each for each in problems if each.severity == "error"]
    assert (error.code, "mifid_3" in error.remedy) == ("unknown_tick_table", True)


@pytest.mark.parametrize(("close", "fills"), [(330.0, 0), (329.0, 1)])
def test_no_share_is_bought_at_a_locked_limit_of_tokyo(tmp_path: Path, close: float, fills: int) -> None:
    rows: list[Row] = [
        ("2024-06-03", 250.0, 251.0, 249.0, 250.0, ENTER),
        ("2024-06-04", 330.0, 330.0, close, close, 0),  # 80 yen above
    ]
    result = run(strategy(tmp_path, rows, 'symbol: "7203.T"', quantity=100), registry=load_registry())
    assert len(result.ledger.fills) == fills
    assert from_of(result, "price_limit_amounts") == ("by table", "suffix")
    free = run(
        strategy(tmp_path, rows, 'symbol: "7203.T", price_limit_percent: 0', quantity=100), registry=load_registry()
    )
    assert len(free.ledger.fills) == 1


@pytest.mark.parametrize(("band", "fills", "warned"), [("", 1, 1), (", price_limit_percent: 5", 0, 0)])
def test_the_band_of_an_indian_share_is_asked_for(tmp_path: Path, band: str, fills: int, warned: int) -> None:
    rows: list[Row] = [
        ("2024-06-03", 100.0, 101.0, 99.5, 100.55, ENTER),
        ("2024-06-04", 105.55, 105.55, 105.55, 105.55, 0),  # 105.5775, rounded inward to 0.05
    ]
    file = strategy(tmp_path, rows, f'symbol: "TATA.NS", tick_size: 0.05{band}', quantity=1)
    assert len(run(file, registry=load_registry()).ledger.fills) == fills
    told = [each for each in validate_file(file, load_registry()) if each.code == "market_price_limit"]
    assert len(told) == warned


BONDS = (
    "010303.SH",
    "019547.SS",
    "101909.SZ",
    "136888.SH",
    "149000.SZ",
    "163001.SH",
    "188120.SH",
    "127018.SH",
    "112001.SZ",
)


@pytest.mark.parametrize(
    ("symbol", "values"),
    [
        ("600000.SH", ("CNY", 0.05, "t+1", 0.01, 100, 10)),
        ("510300.SH", ("CNY", 0, "t+1", 0.001, 100, 10)),
        ("159915.SZ", ("CNY", 0, "t+1", 0.001, 100, 10)),
        ("588000.SH", ("CNY", 0, "t+1", 0.001, 100, 20)),
        ("sh.561300", ("CNY", 0, "t+1", 0.001, 100, 10)),
        ("161725.XSHE", ("CNY", 0, "t+1", 0.001, 100, 10)),
        ("113050.SH", ("CNY", 0, "t+0", 0.001, 10, 20)),
        ("128136.SZ", ("CNY", 0, "t+0", 0.001, 10, 20)),
        *((code, ("CNY", 0, "t+0", 0.001, 10, 0)) for code in BONDS),
        ("200002.SZ", ("HKD", 0.05, "t+1", 0.01, 100, 10)),
        ("900901.SH", ("USD", 0.05, "t+1", 0.001, 100, 10)),
    ],
)
def test_chinese_codes_tell_funds_bonds_and_b_shares(symbol: str, values: tuple[object, ...]) -> None:
    market = next(each for each in MARKETS if each.name == "cn_stocks")
    run_settings = RunSettings(currency="CNY", rates={"HKD": "h", "USD": "u"})
    made, terms, problems = resolve(InstrumentSpec(symbol=symbol, data="csv"), (market,), run_settings)
    found = (made.currency, made.sell_duty_percent, made.settlement, made.tick_size, made.lot_size)
    assert (*found, terms.price_limits[-1][1]) == values
    is_fund = symbol.startswith(("51", "15", "161", "588", "sh.56"))
    assert [each.code for each in problems] == ["market_settlement"] * is_fund


@pytest.mark.parametrize(
    ("symbol", "told"),
    [
        ("000300.SH", "000300.SH is an index by its code"),
        ("399001.SZ", "399001.SZ is an index by its code"),
        ("880008.SH", "880008.SH is an index by its code"),
        ("sh930050", "sh930050 is an index by its code"),
        ("931643.SH", "931643.SH is an index by its code"),
        ("932000.SH", "932000.SH is an index by its code"),
        ("SHSE.000001", "SHSE.000001 is an index by its code"),
        ("899050.BJ", "899050.BJ is an index by its code"),
        ("204001.SH", "204001.SH is a repo by its code: its prices are interest rates"),
        ("131810.SZ", "131810.SZ is a repo by its code"),
        ("000001.SZ", ""),
        ("000001", ""),
        ("430047.BJ", ""),
    ],
)
def test_indexes_and_repos_of_china_are_no_shares(symbol: str, told: str) -> None:
    market = next(each for each in MARKETS if each.name == "cn_stocks")
    spec = InstrumentSpec(symbol=symbol, data="csv", market="cn_stocks")
    made, terms, problems = resolve(spec, (market,), RunSettings(currency="CNY"))
    assert made.sell_duty_percent == (0 if told else 0.05)
    assert [each.code for each in problems] == ["market_untradable"] * bool(told)
    assert told in "".join(each.message for each in problems)
    assert (terms.price_limits[-1][1] == 0) == bool(told)


def test_what_an_instrument_says_goes_before_its_code(tmp_path: Path) -> None:
    rows: list[Row] = [("2024-06-03", 1, 1, 1, 1, ENTER), ("2024-06-04", 1, 1, 1, 1, 0)]
    own = 'symbol: "511010.SH", settlement: t+0, sell_duty_percent: 0.01'
    file = strategy(tmp_path, rows, own, settings=", currency: CNY")
    result = run(file, registry=load_registry())
    assert (from_of(result, "settlement"), from_of(result, "sell_duty_percent")) == (("t+0", "file"), (0.01, "file"))
    assert from_of(result, "tick_size") == (0.001, "symbol")
    assert not [each for each in validate_file(file, load_registry()) if each.code == "market_settlement"]
