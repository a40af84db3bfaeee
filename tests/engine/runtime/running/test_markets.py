"""What an instrument's market, its symbol and its data say, on files as traders have them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from quantcrafter.engine.api import Bars, DataError, Market, Session, Severity, Term, Timeframe, hookimpl
from quantcrafter.engine.graph.data_terms import complete
from quantcrafter.engine.graph.terms import Terms
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.research.lookahead import find_lookahead
from quantcrafter.engine.runtime.results.result import RunResult
from quantcrafter.engine.runtime.running.load_graph import validate_file
from quantcrafter.engine.runtime.running.run import run
from tests.support.market_files import ENTER, EXIT, Row, flat, from_of, held, strategy

# ---------------------------------------------------------------------- ticks and lots


def test_the_stop_of_a_currency_pair_is_not_rounded_to_a_cent(tmp_path: Path) -> None:
    rows: list[Row] = [
        ("2024-01-01", 1.085, 1.086, 1.084, 1.085, ENTER),
        ("2024-01-02", 1.0852, 1.0855, 1.083, 1.0835, 0),
        ("2024-01-03", 1.0835, 1.084, 1.081, 1.0815, 0),
        ("2024-01-04", 1.0815, 1.082, 1.07, 1.071, 0),
    ]
    file = strategy(
        tmp_path, rows, "symbol: EURUSD, session: 24x7", risk="{use: percent_stop, percent: 0.5}", quantity=10_000
    )
    result = run(file, registry=load_registry())
    assert result.trades["exit_price"].tolist() == [1.07977]
    assert from_of(result, "tick_size") == (pytest.approx(0.00001), "symbol")


def test_a_stop_of_a_coin_worth_millionths_lies_below_its_entry(tmp_path: Path) -> None:
    rows: list[Row] = [
        ("2024-01-01", 8.5e-06, 8.6e-06, 8.45e-06, 8.5e-06, ENTER),
        ("2024-01-02", 8.51e-06, 8.55e-06, 8.49e-06, 8.52e-06, 0),
        ("2024-01-03", 8.52e-06, 9e-06, 8.51e-06, 8.9e-06, 0),
    ]
    file = strategy(
        tmp_path, rows, "symbol: SHIB, session: 24x7", risk="{use: percent_stop, percent: 2}", quantity=1_000_000
    )
    result = run(file, registry=load_registry())
    assert len(result.trades) == 0
    assert len(result.ledger.open_positions) == 1
    assert result.orders["price"].tolist()[1] == pytest.approx(8.34e-06)
    assert from_of(result, "tick_size") == (pytest.approx(1e-8), "data")


def test_a_tick_that_prices_contradict_is_a_warning(tmp_path: Path) -> None:
    rows: list[Row] = [
        ("2024-01-01", 1.0851, 1.0862, 1.0843, 1.0855, ENTER),
        ("2024-01-02", 1.0852, 1.09, 1.08, 1.09, 0),
    ]
    result = run(strategy(tmp_path, rows, "symbol: X, tick_size: 0.01"), registry=load_registry())
    assert any(
        "'tick_size' is 0.01, but" in finding and "multiples of 0.0001" in finding for finding in result.findings
    )
    fine = run(strategy(tmp_path, rows, "symbol: X, tick_size: 0.0001"), registry=load_registry())
    assert not fine.findings


def test_a_tick_that_is_coarse_beside_a_stop_is_a_warning(tmp_path: Path) -> None:
    rows = flat(["2024-01-01", "2024-01-02"], volumes=[ENTER, 0])
    file = strategy(tmp_path, rows, "symbol: X, tick_size: 0.5", risk="{use: percent_stop, percent: 1}")
    assert any("coarse beside the distance of 'guard'" in each for each in run(file, registry=load_registry()).findings)


def test_lots_are_as_small_as_the_volumes_of_the_data(tmp_path: Path) -> None:
    rows: list[Row] = [("2024-01-01", 60_000, 60_000, 60_000, 60_000, 1.234), *flat(["2024-01-02"], 60_000.0, [2.5])]
    result = run(strategy(tmp_path, rows, "symbol: BTC, session: 24x7"), registry=load_registry())
    assert from_of(result, "lot_size") == (pytest.approx(0.001), "data")


def test_a_run_without_a_trade_says_that_one_lot_is_more_than_the_account_has(tmp_path: Path) -> None:
    file = strategy(tmp_path, flat(["2024-01-01", "2024-01-02"], 60_000.0, [ENTER, 0]), "symbol: BTC, session: 24x7")
    text = file.read_text(encoding="utf-8").replace(
        "use: fixed_quantity, quantity: 1", "use: percent_of_equity, percent: 50"
    )
    file.write_text(text, encoding="utf-8")
    told = run(file, registry=load_registry()).to_json()["no_trades"]
    assert told == (
        "No trades: 1 entry signal, sized to less than one lot. One lot of BTC is 1, then worth 60,000.00 USD; the "
        "account has 100,000.00 USD. Set a smaller 'lot_size' if the market has it, or a larger size."
    )


def test_no_bars_show_nothing_of_tick_and_lot() -> None:
    nothing = np.empty(0)
    times = np.empty(0, np.int64)
    bars = Bars("X", Timeframe.parse("1d"), times, times, nothing, nothing, nothing, nothing, nothing)
    terms = complete(Terms(), bars)
    assert (terms.value("tick_size"), terms.value("lot_size")) == (0.01, 1.0)


# ---------------------------------------------------------------------- markets


def test_the_end_of_a_symbol_names_a_market(tmp_path: Path) -> None:
    file = strategy(tmp_path, flat(["2024-06-03", "2024-06-04"]), 'symbol: "600000.SH"', settings=", currency: CNY")
    result = run(file, registry=load_registry())
    assert from_of(result, "market") == ("cn_stocks", "suffix")
    assert from_of(result, "currency") == ("CNY", "suffix")
    assert from_of(result, "session") == ("09:30-15:00 Asia/Shanghai", "suffix")
    assert from_of(result, "trading_days") == (243, "suffix")
    assert str(np.datetime64(int(result.instruments[0].bars.close_ns[0]), "ns"))[:16] == "2024-06-03T07:00"


@pytest.mark.parametrize("instrument", ['symbol: "600519.SS"', 'symbol: "600519", market: cn_stocks'])
@pytest.mark.parametrize("volumes", [(123_457, 98_999), (1103.5, 2207.25)])
def test_the_board_lot_of_a_stock_holds_whatever_the_volumes(
    tmp_path: Path, instrument: str, volumes: tuple[float, ...]
) -> None:
    rows = flat(["2024-06-03", "2024-06-04", "2024-06-05", "2024-06-06"], volumes=[*volumes, ENTER, 0])
    file = strategy(tmp_path, rows, instrument, quantity=950, settings=", currency: CNY")
    result = run(file, registry=load_registry())
    assert from_of(result, "lot_size")[0] == 100
    assert result.fills["quantity"].tolist() == [900]


def test_the_lot_of_hong_kong_that_is_assumed_is_the_lot_that_is_bought(tmp_path: Path) -> None:
    rows = flat(["2024-06-03", "2024-06-04", "2024-06-05"], volumes=[123_457, ENTER, 0])
    file = strategy(tmp_path, rows, "symbol: 0700.HK", quantity=135, settings=", currency: HKD")
    (problem,) = validate_file(file, load_registry())
    assert problem.message.endswith("100 is assumed.")
    assert run(file, registry=load_registry()).fills["quantity"].tolist() == [100]


def test_shares_of_europe_are_bought_whole_where_volumes_have_fractions(tmp_path: Path) -> None:
    rows = flat(["2024-06-03", "2024-06-04", "2024-06-05"], volumes=[10.5, ENTER, 0])
    file = strategy(tmp_path, rows, "symbol: SAP.DE", quantity=1.75, settings=", currency: EUR")
    assert run(file, registry=load_registry()).fills["quantity"].tolist() == [1]


@pytest.mark.parametrize("market", ["crypto_spot", "crypto_perpetual"])
def test_whole_volumes_of_coins_say_nothing_of_the_lot(tmp_path: Path, market: str) -> None:
    rows = flat(["2024-06-03", "2024-06-04", "2024-06-05"], 60_000.0, [28_000_000_000, ENTER, 0])
    result = run(strategy(tmp_path, rows, f"symbol: BTC, market: {market}", quantity=1.58), registry=load_registry())
    assert result.fills["quantity"].tolist() == pytest.approx([1.58])
    assert from_of(result, "lot_size") == (0.00001, "market")


def test_the_lot_of_a_single_bar_of_a_coin_is_that_of_its_market() -> None:
    one, time = np.array([60_000.0]), np.array([0])
    bars = Bars("BTC", Timeframe.parse("1d"), time, time + 1, one, one, one, one, one)
    registry = load_registry()
    (coins,) = (each for each in registry.markets if each.name == "crypto_spot")
    terms = complete(Terms(coins, values={"market": Term("crypto_spot", "market")}), bars)
    assert terms.values["lot_size"] == Term(0.00001, "market")


@pytest.mark.parametrize(
    ("instrument", "bought", "sold"),
    [
        ('symbol: "600000.SH"', 0.0, 0.05),
        ("symbol: 0700.HK", 0.1, 0.1),
        ("symbol: X, market: us_stocks", 0.0, 0.0),
        ('symbol: "600000.SH", sell_duty_percent: 0.1, buy_duty_percent: 0.2', 0.2, 0.1),
    ],
)
def test_taxes_of_a_market_are_charged_on_what_is_bought_and_sold(
    tmp_path: Path, instrument: str, bought: float, sold: float
) -> None:
    days = ["2024-06-03", "2024-06-04", "2024-06-05", "2024-06-06"]
    rows = flat(days, volumes=[ENTER, 0, EXIT, 0])
    file = strategy(
        tmp_path,
        rows,
        f"{instrument}, lot_size: 100",
        quantity=300,
        settings=", commission: {percent: 0.03, minimum: 5}",
    )
    result = run(file, registry=load_registry())
    value, broker = 300 * 100.0, 300 * 100.0 * 0.0003
    assert result.fills["commission"].tolist() == pytest.approx(
        [broker + value * bought / 100, broker + value * sold / 100]
    )
    assert result.ledger.equity[-1] == pytest.approx(100_000 - 2 * broker - value * (bought + sold) / 100)


def test_the_tax_of_an_order_that_fills_in_parts_is_that_of_the_whole(tmp_path: Path) -> None:
    days = ["2024-06-03", "2024-06-04", "2024-06-05", "2024-06-06"]
    rows = flat(days, volumes=[ENTER, 1000, 1000, 1000])
    file = strategy(
        tmp_path,
        rows,
        'symbol: "600000.SH", buy_duty_percent: 0.2, lot_size: 100',
        quantity=300,
        settings=", slippage: {volume_percent: 10}, commission: {minimum: 5}",
    )
    result = run(file, registry=load_registry())
    assert result.fills["quantity"].tolist() == [100, 100, 100]
    assert result.fills["commission"].tolist() == pytest.approx([25, 20, 20])


def test_what_the_file_says_goes_before_its_market(tmp_path: Path) -> None:
    text = "symbol: ES, market: us_futures, tick_size: 0.5, multiplier: 5, trading_days: 250"
    result = run(strategy(tmp_path, flat(["2024-06-03", "2024-06-04"]), text), registry=load_registry())
    assert from_of(result, "tick_size") == (0.5, "file")
    assert from_of(result, "multiplier") == (5, "file")
    assert from_of(result, "trading_days") == (250, "file")
    assert from_of(result, "kind") == ("contract", "market")


@pytest.mark.parametrize(
    "symbol",
    [
        *("ES", "ESZ4", "ESZ2024", "ES=F", "ES1!", "/ES", "ES 03-24", "ES ##-##", "ES.FUT", "ES.c.0", "@ES", "@ESH24"),
        *("ES_F", "CME_MINI:ES1!", "CME_MINI:ESZ2024", "ES1 Index", "ESc1", "ESZ24.CME", "/ESZ24:XCME", "ES_Z24"),
    ],
)
def test_a_futures_contract_is_told_by_its_root(tmp_path: Path, symbol: str) -> None:
    text = f'symbol: "{symbol}", market: us_futures'
    result = run(strategy(tmp_path, flat(["2024-06-03", "2024-06-04"]), text), registry=load_registry())
    assert (result.instruments[0].multiplier, result.instruments[0].tick_size) == (50, 0.25)


@pytest.mark.parametrize("symbol", ["VXF4", "ESPX", "6EUR", "X"])
def test_a_multiplier_that_is_not_known_is_a_warning(tmp_path: Path, symbol: str) -> None:
    rows = flat(["2024-06-03", "2024-06-04"])
    file = strategy(tmp_path, rows, f"symbol: {symbol}, market: us_futures")
    (problem,) = validate_file(file, load_registry())
    assert (problem.code, problem.severity) == ("market_multiplier", Severity.WARNING)
    assert problem.message == f"The multiplier of {symbol} isn't known; 1 is used."
    assert problem in run(file, registry=load_registry()).warnings
    stated = strategy(tmp_path, rows, f"symbol: {symbol}, market: us_futures, multiplier: 1")
    assert not validate_file(stated, load_registry())


def test_futures_close_before_the_daily_break_at_four_in_chicago(tmp_path: Path) -> None:
    first = datetime.fromisoformat("2024-06-06T22:00")  # Thursday, 17:00 in Chicago
    hours = [first + timedelta(hours=n) for n in (*range(23), *range(72, 95))]  # to Friday 16:00, and Monday's session
    prices = [100.0 if hour < first + timedelta(hours=48) else 90.0 for hour in hours]
    rows = [
        (f"{hour:%Y-%m-%dT%H:%M}:00Z", price, price, price, price, ENTER if number == 2 else 0)
        for number, (hour, price) in enumerate(zip(hours, prices, strict=True))
    ]
    file = strategy(tmp_path, rows, "symbol: ES, timeframe: 1h, market: us_futures", risk="{use: session_end}")
    result = run(file, registry=load_registry())
    assert result.trades["pnl"].tolist() == [0.0]
    assert str(np.datetime64(int(result.trades["exit_ts_ns"][0]), "ns"))[:16] == "2024-06-07T20:00"
    assert from_of(result, "session") == ("17:00-16:00 America/Chicago", "market")


def test_an_exchange_of_europe_has_its_own_calendar_and_currency(tmp_path: Path) -> None:
    file = strategy(tmp_path, flat(["2024-06-03", "2024-06-04"]), "symbol: NESN.SW", settings=", currency: CHF")
    result = run(file, registry=load_registry())
    assert result.instruments[0].bars.session.calendar == "XSWX"
    assert from_of(result, "currency") == ("CHF", "suffix")


def test_a_market_that_there_is_not_is_an_error_with_a_suggestion(tmp_path: Path) -> None:
    file = strategy(tmp_path, flat(["2024-06-03", "2024-06-04"]), "symbol: X, market: us_stock")
    (problem,) = validate_file(file, load_registry())
    assert problem.code == "unknown_market"
    assert "us_stocks" in problem.remedy


def test_a_currency_that_the_account_can_not_convert_is_a_warning(tmp_path: Path) -> None:
    file = strategy(tmp_path, flat(["2024-06-03", "2024-06-04"]), "symbol: 7203.T")
    (problem,) = validate_file(file, load_registry())
    assert problem.code == "market_currency"
    assert "priced in JPY" in problem.message


def test_plugins_add_markets(tmp_path: Path) -> None:
    class Moon:
        @hookimpl
        def register_markets(self) -> list[Market]:
            return [Market(name="moon_stocks", session=Session("UTC", 60, 120, (0, 1, 2)), tick_size=0.5, lot_size=7)]

    registry = load_registry(extra_plugins=[("moon", Moon())])
    result = run(
        strategy(tmp_path, flat(["2024-06-03", "2024-06-04"]), "symbol: CHEESE, market: moon_stocks"), registry=registry
    )
    assert from_of(result, "lot_size") == (7, "market")
    assert str(np.datetime64(int(result.instruments[0].bars.close_ns[0]), "ns"))[:16] == "2024-06-03T02:00"


def test_a_market_whose_calendar_there_is_not_is_refused(tmp_path: Path) -> None:
    class Wrong:
        @hookimpl
        def register_markets(self) -> list[Market]:
            return [Market(name="wrong", calendar="NOWHERE")]

    registry = load_registry(extra_plugins=[("wrong", Wrong())])
    with pytest.raises(DataError, match="names the calendar 'NOWHERE'"):
        run(strategy(tmp_path, flat(["2024-06-03", "2024-06-04"]), "symbol: X, market: wrong"), registry=registry)


@pytest.mark.parametrize("named", ["market: us_futures", "kind: contract"])
def test_futures_may_be_worth_less_than_nothing(tmp_path: Path, named: str) -> None:
    rows: list[Row] = [
        ("2024-01-01", 20.0, 21.0, 19.0, 20.0, ENTER),
        ("2024-01-02", 18.0, 19.0, -38.0, -37.0, EXIT),
        ("2024-01-03", -37.0, 14.0, -38.0, 10.0, 0),
        ("2024-01-04", 12.0, 15.0, 11.0, 14.0, 0),
    ]
    file = strategy(tmp_path, rows, f"symbol: CL, session: 24x7, multiplier: 1, {named}", quantity=100)
    result = run(file, registry=load_registry())
    assert result.trades["pnl"].tolist() == [-5500.0]
    with pytest.raises(DataError, match="price of zero or less"):
        run(strategy(tmp_path, rows, "symbol: CL, session: 24x7"), registry=load_registry())


# ---------------------------------------------------------------------- sessions


def half_hours(day: str, until: str) -> list[str]:
    """Return the half hours of a day in New York in summer, from 9:30 on."""
    moment, end = datetime.fromisoformat(f"{day}T09:30"), datetime.fromisoformat(f"{day}T{until}")
    return [
        f"{moment + timedelta(minutes=30 * n):%Y-%m-%dT%H:%M}:00-04:00" for n in range((end - moment).seconds // 1800)
    ]


@pytest.mark.parametrize("market", ["", ", market: us_stocks"])
def test_a_position_is_closed_before_a_half_day_ends(tmp_path: Path, market: str) -> None:
    times = [*half_hours("2024-07-02", "16:00"), *half_hours("2024-07-03", "13:00"), *half_hours("2024-07-05", "16:00")]
    rows = [
        (time, price, price, price, price, ENTER if time.startswith("2024-07-03T09:30") else 0)
        for time, price in ((each, 100.0 if each < "2024-07-04" else 102.0) for each in times)
    ]
    file = strategy(tmp_path, rows, f"symbol: SPY, timeframe: 30m{market}", risk="{use: session_end}", quantity=10)
    result = run(file, registry=load_registry())
    assert result.trades["pnl"].tolist() == [0.0]
    assert str(np.datetime64(int(result.trades["exit_ts_ns"][0]), "ns"))[:16] == "2024-07-03T16:30"


def test_dates_of_an_unknown_market_close_at_midnight_and_say_so(tmp_path: Path) -> None:
    result = held(tmp_path, flat(["2024-06-03", "2024-06-04", "2024-06-05"]), "symbol: X", 1)
    assert str(np.datetime64(int(result.instruments[0].bars.close_ns[0]), "ns"))[:16] == "2024-06-04T00:00"
    assert any("close at midnight UTC, later than on any exchange" in note for note in result.notes)
    assert from_of(result, "session") == ("00:00-24:00 UTC", "guess")


def weekly_feed(folder: Path, feed: str) -> Path:
    """Write a coin that reaches 200 on Saturday 13 January 2024, with the same in weeks as Binance has them."""
    monday = datetime.fromisoformat("2024-01-01")
    days = [monday + timedelta(days=n) for n in range(28)]
    daily = ["time,open,high,low,close,volume"]
    for day in days:
        high, close = (201, 200) if f"{day:%m%d}" in {"0113", "0114"} else (101, 100)
        daily.append(f"{day:%Y-%m-%d},100,{high},99,{close},1000")
    weekly = ["time,open,high,low,close,volume"]
    for number in range(4):
        high, close = (201, 200) if number == 1 else (101, 100)
        weekly.append(f"{days[7 * number]:%Y-%m-%d},100,{high},99,{close},7000")
    (folder / "d.csv").write_text("\n".join(daily), encoding="utf-8")
    (folder / "w.csv").write_text("\n".join(weekly), encoding="utf-8")
    file = folder / "weeks.yaml"
    file.write_text(
        f"""quantcrafter: 1
name: weeks
instruments:
  - {{symbol: BTC, data: csv, path: d.csv, timeframe: 1d}}
data:
  week: {{use: feed, symbol: BTC, data: csv, path: w.csv, timeframe: 1w{feed}}}
logic:
  el: {{use: compare, left: week.close, op: ">", right: 150}}
advisors:
  go: {{use: rule, enter_long: [el]}}
money:
  size: {{use: fixed_quantity, quantity: 1}}
execution:
  entry: {{use: market, signals: [go], money: size}}
""",
        encoding="utf-8",
    )
    return file


def test_a_week_of_an_unknown_market_is_known_on_monday(tmp_path: Path) -> None:
    file = weekly_feed(tmp_path, "")
    result = run(file, registry=load_registry())
    assert result.fills["price"].tolist() == [100.0]
    assert str(np.datetime64(int(result.fills["ts_ns"][0]), "ns"))[:10] == "2024-01-15"
    assert not find_lookahead(file, registry=load_registry())


def test_a_feed_whose_session_is_wrong_is_found_to_look_ahead(tmp_path: Path) -> None:
    found = find_lookahead(weekly_feed(tmp_path, ", session: us_stocks"), registry=load_registry())
    assert [(each.node, each.bar, each.known) for each in found] == [("week", 1, 201.0)]
    assert "Its session is wrong" in str(found[0])


# ---------------------------------------------------------------------- annualisation


def volatility(result: RunResult, days: float) -> float:
    """Return the annual volatility of the daily curve, in percent, straight from its definition."""
    equity = result.ledger.equity
    returns = equity / np.concatenate(([100_000.0], equity[:-1])) - 1
    return float(100 * returns.std(ddof=1) * np.sqrt(days))


def walk(times: Sequence[str]) -> list[Row]:
    prices = 100 + np.cumsum(np.random.default_rng(3).normal(0, 1, len(times))).round(2)
    return [(time, float(p), float(p), float(p), float(p), 0.0) for time, p in zip(times, prices, strict=True)]


def weekdays(count: int, clock: str = "") -> list[str]:
    days = [datetime.fromisoformat("2023-01-02") + timedelta(days=n) for n in range(count * 7 // 5 + 7)]
    return [f"{day:%Y-%m-%d}{clock}" for day in days if day.weekday() < 5][:count]


@pytest.mark.parametrize(
    ("clock", "instrument", "days", "source"),
    [
        ("T05:00:00Z", "symbol: AAPL", 252, "guess"),  # midnight in New York, as Polygon stamps days
        ("", "symbol: AAPL", 252, "guess"),
        ("", 'symbol: "600000.SH"', 243, "suffix"),
        ("", "symbol: X, market: jp_stocks, lot_size: 1", 245, "market"),
        ("", "symbol: X, trading_days: 200", 200, "file"),
        ("", "symbol: X, session: 24x7", 365, "file"),
    ],
)
def test_a_year_has_the_days_on_which_the_market_trades(
    tmp_path: Path, clock: str, instrument: str, days: float, source: str
) -> None:
    result = held(tmp_path, walk(weekdays(60, clock)), instrument, 900)
    assert from_of(result, "trading_days") == (days, source)
    assert result.metrics["annual_volatility_pct"] == pytest.approx(volatility(result, days))


def test_currencies_that_rest_from_friday_to_sunday_evening_trade_252_days_a_year(tmp_path: Path) -> None:
    first = datetime.fromisoformat("2023-01-01T22:00")
    hours = [first + timedelta(hours=n) for n in range(5 * 7 * 24)]
    open_ = [each for each in hours if (each - first) % timedelta(days=7) < timedelta(days=5)]
    result = held(tmp_path, walk([f"{each:%Y-%m-%dT%H:%M}:00Z" for each in open_]), "symbol: EURUSD, timeframe: 1h", 1)
    assert from_of(result, "trading_days") == (252, "guess")
    assert from_of(result, "session") == ("17:00-17:00 America/New_York", "guess")


def test_quarters_of_an_hour_of_bombay_without_a_market_trade_252_days_a_year(tmp_path: Path) -> None:
    days = weekdays(30)
    clocks = [f"{9 + (15 + 15 * n) // 60:02}:{(15 + 15 * n) % 60:02}" for n in range(25)]
    result = held(
        tmp_path, walk([f"{day}T{clock}:00+05:30" for day in days for clock in clocks]), "symbol: X, timeframe: 15m", 90
    )
    assert from_of(result, "trading_days") == (252, "guess")
    closes = result.ledger.equity[24::25]  # a day's last bar closes at 10:00 UTC
    returns = closes / np.concatenate(([100_000.0], closes[:-1])) - 1
    assert result.metrics["annual_volatility_pct"] == pytest.approx(100 * returns.std(ddof=1) * np.sqrt(252))
    assert result.metrics["sharpe"] == pytest.approx(returns.mean() / returns.std(ddof=1) * np.sqrt(252))


def quarters(day: str, last: str, price: float, mark: str = "") -> list[Row]:
    """Return a session of futures in quarters of an hour: from the evening before to the bar that opens at `last`."""
    begin, end = datetime.fromisoformat(f"{day}T00:00") - timedelta(hours=7), datetime.fromisoformat(f"{day}T{last}")
    times = [begin + timedelta(minutes=15 * n) for n in range(1 + int((end - begin) / timedelta(minutes=15)))]
    flat_price = (price, price, price, price)
    return [(f"{each:%Y-%m-%d %H:%M}", *flat_price, ENTER if f"{each:%H:%M}" == mark else 0) for each in times]


@pytest.mark.parametrize(
    ("symbol", "days", "exit_at"),
    [
        # Half days: each product group has its own close, and the next session a price 100 higher.
        ("ESU4", (("2024-07-02", "15:45"), ("2024-07-03", "12:00"), ("2024-07-05", "15:45")), "2024-07-03T12:00"),
        ("ESZ4", (("2024-11-28", "11:45"), ("2024-11-29", "12:00"), ("2024-12-02", "15:45")), "2024-11-29T12:00"),
        ("CLF5", (("2024-11-28", "13:15"), ("2024-11-29", "12:30"), ("2024-12-02", "15:45")), "2024-11-29T12:30"),
        ("ZNH5", (("2024-12-23", "15:45"), ("2024-12-24", "12:00"), ("2024-12-26", "15:45")), "2024-12-24T12:00"),
    ],
)
def test_a_future_is_flat_before_its_half_day_ends(
    tmp_path: Path, symbol: str, days: tuple[tuple[str, str], ...], exit_at: str
) -> None:
    (before, half, after) = days
    rows = [*quarters(*before, 500.0), *quarters(*half, 500.0, "09:00"), *quarters(*after, 600.0)]
    instrument = f"symbol: {symbol}, timeframe: 15m, market: us_futures, margin: {{per_contract: 5000}}"
    result = run(strategy(tmp_path, rows, instrument, risk="{use: session_end}"), registry=load_registry())
    (trade,) = result.trades
    assert trade["pnl"] == 0.0
    closes = result.instruments[0].bars.open_ns[int(result.ledger.fills["bar"][-1])]
    assert datetime.fromtimestamp(closes / 1e9, ZoneInfo("America/Chicago")).isoformat()[:16] == exit_at


def test_bars_of_a_half_day_never_close_before_they_trade(tmp_path: Path) -> None:
    """Oil trades until 13:30 on holidays, where the calendar of all futures once closed at noon."""
    rows = [*quarters("2024-07-03", "15:45", 70.0), *quarters("2024-07-04", "13:15", 71.0)]
    result = held(tmp_path, rows, "symbol: CLU4, timeframe: 1d, market: us_futures, margin: {per_contract: 5000}", 1)
    closes = [datetime.fromtimestamp(each / 1e9, ZoneInfo("America/Chicago")) for each in result.ledger.ts_ns]
    assert [f"{each:%m-%d %H:%M}" for each in closes] == ["07-03 16:00", "07-04 13:30"]


# ---------------------------------------------------------------------- days that calendars don't have


def in_zone(result: RunResult, zone: str) -> list[str]:
    return [f"{datetime.fromtimestamp(each / 1e9, ZoneInfo(zone)):%m-%d %H:%M}" for each in result.ledger.ts_ns]


def test_currencies_of_a_sunday_close_after_sunday(tmp_path: Path) -> None:
    """Trading begins on Sunday at 17:00 New York time, so a Sunday's bar can't have closed by then."""
    days = [f"2024-04-{day:02}" for day in (5, 7, 8, 9, 10, 11, 12, 14, 15)]
    result = held(tmp_path, flat(days, 1.1), "symbol: EURUSD, timeframe: 1d, market: forex", 100)
    expected = ["04-06", "04-08", "04-09", "04-10", "04-11", "04-12", "04-13", "04-15", "04-16"]
    assert in_zone(result, "America/New_York") == [f"{day} 00:00" for day in expected]
    assert any("Dates include Sundays" in note for note in result.notes)


def test_currencies_of_weekdays_close_at_five_in_new_york(tmp_path: Path) -> None:
    result = held(tmp_path, flat(["2024-04-05", "2024-04-08"], 1.1), "symbol: EURUSD, timeframe: 1d, market: forex", 9)
    assert in_zone(result, "America/New_York") == ["04-05 17:00", "04-08 17:00"]


def test_a_special_session_does_not_close_before_it_trades(tmp_path: Path) -> None:
    """Diwali's session of 12 November 2023, a Sunday, was from 18:15 to 19:15."""
    rows = flat(["2023-11-09", "2023-11-10"], 100.0) + flat(["2023-11-12"], 110.0) + flat(["2023-11-13"], 100.0)
    rows += flat(["2023-11-20", "2023-11-21"], 100.0)
    instrument = "symbol: INFY.NS, price_limit_percent: 0"
    daily = held(tmp_path, rows, f"{instrument}, timeframe: 1d", 1)
    assert in_zone(daily, "Asia/Kolkata")[1:4] == ["11-10 15:30", "11-13 00:00", "11-13 15:30"]
    # The week has closed on Friday by then: a longer bar that was given out never changes.
    weekly = held(tmp_path, rows, f"{instrument}, timeframe: 1w", 1).instruments[0].bars
    assert weekly.high.max() == 100.0


def test_minutes_of_a_special_session_are_kept_and_are_in_no_longer_bar(tmp_path: Path) -> None:
    """Diwali's session of 1 November 2024, a holiday, was from 18:00 to 19:00."""
    clocks = [f"2024-11-01 18:{minute:02}" for minute in (0, 15, 30, 45)]
    rows = flat([f"2024-10-31 {9 + n // 4}:{n % 4 * 15:02}" for n in range(1, 26)], 100.0) + flat(clocks, 110.0)
    rows += flat([f"2024-11-04 {9 + n // 4}:{n % 4 * 15:02}" for n in range(1, 26)], 100.0)
    rows = [(f"{row[0][:11]}{row[0][11:].zfill(5)}", *row[1:]) for row in rows]
    text = "symbol: INFY.NS, price_limit_percent: 0"
    short = held(tmp_path, rows, f"{text}, timeframe: 15m", 1).instruments[0].bars
    assert len(short) == len(rows)
    daily = held(tmp_path, rows, f"{text}, timeframe: 1d", 1)
    assert daily.instruments[0].bars.close.tolist() == [100.0, 100.0]
    assert in_zone(daily, "Asia/Kolkata") == ["10-31 15:30", "11-04 15:30"]


def test_no_position_is_opened_in_a_special_session_whose_end_is_not_known(tmp_path: Path) -> None:
    """Diwali's session of 21 October 2025, a holiday, was from 13:45 to 14:45, within the usual hours."""
    days = [f"2025-10-{day} {9 + n // 4:02}:{n % 4 * 15:02}" for day in (20, 23) for n in range(1, 26)]
    hour = [f"2025-10-21 {clock}" for clock in ("13:45", "14:00", "14:15", "14:30")]
    rows = flat(sorted([*days, *hour]), 100.0)
    rows = [(*row[:-1], ENTER if row[0] in hour[:2] else 0) for row in rows]
    text = "symbol: INFY.NS, timeframe: 15m, price_limit_percent: 0"
    file = strategy(tmp_path, rows, text, risk="{use: session_end}")
    result = run(file, registry=load_registry())
    assert not len(result.ledger.fills)
    assert len(result.ledger.blocked) == 2


@pytest.mark.parametrize("expiry", ["2024-12-20", "2024-12-21", "2024-12-22"])
def test_an_expiry_on_a_day_without_a_session_closes_at_the_last_session_before(tmp_path: Path, expiry: str) -> None:
    days = [f"2024-12-{day}" for day in (17, 18, 19, 20, 23)]
    text = f"symbol: ESZ4, timeframe: 1d, market: us_futures, margin: {{per_contract: 15000}}, expiry: {expiry}"
    steps: list[Row] = []
    for n, day in enumerate(days):
        steps += flat([day], 5000.0 + n, [ENTER if n == 0 else 0])
    result = run(strategy(tmp_path, steps, text), registry=load_registry())
    assert len(result.instruments[0].bars) == 4
    assert not len(result.ledger.open_positions)
    assert result.trades["pnl"].tolist() == [(5003.0 - 5001.0) * 50]
