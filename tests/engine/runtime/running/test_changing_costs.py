"""Spreads, fundings and swaps that change over time: the money by hand, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from quantcrafter.engine.adapters.native import NativeEngine
from quantcrafter.engine.api import DataError, InstrumentJob, SpecError
from quantcrafter.engine.api.capability import Capability
from quantcrafter.engine.data.store import BarStore
from quantcrafter.engine.data.store.bar_files import ImportOptions, import_file
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.parity.run import run_parity
from quantcrafter.engine.runtime.results.result import RunResult
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from quantcrafter.engine.runtime.run_store.run_writer import save_run
from quantcrafter.engine.runtime.running.load_graph import load_graph, validate_file
from quantcrafter.engine.runtime.running.run import run
from tests.support.market_files import ENTER, EXIT, Row, from_of, strategy

POINT = 0.00001


def result_of(file: Path) -> RunResult:
    return run(file, registry=load_registry())


# ---------------------------------------------------------------------- spread

QUOTES = "symbol: EURUSD, market: forex, timeframe: 1h, spread: {column: spread, unit: points}"


def metatrader(folder: Path, spreads: Sequence[object], instrument: str = QUOTES, risk: str = "") -> Path:
    """Write bars of an hour at 1.1, as MetaTrader 5 exports them with a spread in points; entered on the first one."""
    file = strategy(folder, [], instrument, risk=risk, quantity=100_000, settings=", margin: {initial_percent: 3}")
    lines = ["<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>"]
    for hour, spread in enumerate(spreads):
        volume = {0: ENTER, 2: EXIT}.get(hour, 5)
        lines.append(
            f"2024.06.03\t{hour:02}:00:00\t1.10000\t1.10050\t1.09951\t1.10000\t{volume}\t0\t{spread}",
        )
    (folder / "d.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def test_each_fill_pays_the_spread_of_its_bar(tmp_path: Path) -> None:
    result = result_of(metatrader(tmp_path, [1, 20, 30, 40, 50]))
    # Bars are bid: bought at the ask of the second bar, 20 points above, and sold at the bid.
    assert result.fills["price"].tolist() == [1.1002, 1.1]
    assert result.ledger.equity[-1] - 100_000 == pytest.approx(-100_000 * 20 * POINT)
    assert from_of(result, "spread") == ("column spread in points, bars bid", "file, market")
    assert not [note for note in result.notes if "not used" in note]


@pytest.mark.parametrize(
    ("quotes", "prices"), [("bid", [1.1002, 1.1]), ("ask", [1.1, 1.0996]), ("mid", [1.1001, 1.0998])]
)
def test_the_bars_say_which_side_the_spread_is_on(tmp_path: Path, quotes: str, prices: list[float]) -> None:
    instrument = QUOTES.replace("points}", f"points, bars: {quotes}}}")
    result = result_of(metatrader(tmp_path, [1, 20, 30, 40, 50], instrument))
    assert result.fills["price"].tolist() == pytest.approx(prices)


@pytest.mark.parametrize(
    ("unit", "spread", "price"), [("pips", 2, 1.1002), ("ticks", 20, 1.1002), ("price", 0.0002, 1.1002)]
)
def test_a_column_may_count_in_other_units(tmp_path: Path, unit: str, spread: float, price: float) -> None:
    file = metatrader(tmp_path, [spread] * 5, QUOTES.replace("points", unit))
    assert result_of(file).fills["price"][0] == price


@pytest.mark.parametrize(("wide", "fills"), [(49, 1), (50, 2)])
def test_the_spread_of_a_bar_triggers_a_stop(tmp_path: Path, wide: int, fills: int) -> None:
    # Short from 1.1 on the bid, the stop is 100 points above; the ask of the fourth bar is its high, 50 points above
    # the open, and the spread: it reaches the stop with 50 points.
    file = metatrader(tmp_path, [10, 10, 10, wide, 10], risk="{use: ticks_stop, ticks: 100}")
    text = file.read_text(encoding="utf-8")
    text = text.replace("enter_long: [el], exit_long: [xl]", "enter_short: [el]")
    file.write_text(text, encoding="utf-8")
    result = result_of(file)
    assert len(result.fills) == fills
    if fills > 1:
        assert (result.fills["bar"][1], result.fills["price"][1]) == (3, 1.101)


INDEX = "symbol: GER40, kind: contract, timeframe: 1h, spread: {column: spread, unit: points, bars: bid}"


def index_prices(folder: Path, form: str, instrument: str = INDEX) -> Path:
    """Write bars of a stock index in Germany, which MetaTrader quotes with two decimals: 17000.10."""
    file = metatrader(folder, [100] * 5, instrument)
    text = (folder / "d.csv").read_text(encoding="utf-8")
    for old, price in (("1.10000", 17000.1), ("1.10050", 17000.5), ("1.09951", 17000.0)):
        text = text.replace(old, format(price, form) if form else repr(price))
    (folder / "d.csv").write_text(text, encoding="utf-8")
    file.write_text(file.read_text(encoding="utf-8").replace("quantity: 100000", "quantity: 1"), encoding="utf-8")
    return file


DOUBT = "a point of 'spread' is taken as 0.1, the last decimal place of the numbers"


@pytest.mark.parametrize(
    ("form", "more", "point", "told"),
    [
        (".2f", "", 0.01, ""),
        ("", "", 0.1, DOUBT),
        ("", ", tick_size: 0.01", 0.01, ""),
        (".2f", ", tick_size: 0.1", 0.1, "a point of 'spread' is 0.1, the last decimal place of 'tick_size', but"),
        (".2f", ", tick_size: 0.25", 0.01, ""),
    ],
)
def test_a_point_is_that_of_the_text_of_prices(tmp_path: Path, form: str, more: str, point: float, told: str) -> None:
    result = result_of(index_prices(tmp_path, form, INDEX + more))
    assert result.ledger.equity[-1] - 100_000 == pytest.approx(-100 * point)
    found = [each for each in result.findings if "point of 'spread'" in each]
    assert (len(found), told in "".join(found)) == (bool(told), True)


def test_the_store_keeps_with_how_many_decimals_prices_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path / "home"))
    file = index_prices(tmp_path, ".2f")
    import_file(BarStore(), str(tmp_path / "d.csv"), ("GER40",), ImportOptions({"timezone": "UTC"}))
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("data: csv, path: d.csv", "data: store"), encoding="utf-8")
    result = result_of(file)
    assert result.ledger.equity[-1] - 100_000 == pytest.approx(-1.0)
    assert not [each for each in result.findings if "point" in each]
    index_prices(tmp_path, "")
    import_file(BarStore(), str(tmp_path / "d.csv"), ("GER40",), ImportOptions({"timezone": "UTC"}))
    assert [each for each in result_of(file).findings if DOUBT in each]


def test_a_market_shows_the_point_where_the_text_does_not(tmp_path: Path) -> None:
    file = metatrader(tmp_path, [20] * 5)
    text = (tmp_path / "d.csv").read_text(encoding="utf-8")
    (tmp_path / "d.csv").write_text(text.replace("1.10000", "1.1").replace("1.10050", "1.1005"), encoding="utf-8")
    result = result_of(file)
    assert result.fills["price"].tolist() == [1.1002, 1.1]
    assert not [each for each in result.findings if "point" in each]


def test_longer_bars_have_the_widest_spread_of_their_bars(tmp_path: Path) -> None:
    # Two-hour bars are counted from 17:00 in New York: the second one has the bars of 01:00 and 02:00 UTC.
    file = metatrader(tmp_path, [1, 3, 20, 40, 5, 6, 7, 8], QUOTES.replace("1h", "2h"))
    assert result_of(file).fills["price"][0] == 1.1002


@pytest.mark.parametrize(
    ("spreads", "instrument", "told"),
    [
        ([1, -2, 3], QUOTES, "a spread must be a number that is not negative, was -2 on 2024-06-02 21:00 New York"),
        ([1, "", ""], QUOTES, "a spread must be a number that is not negative, was nan"),
        ([1, "x", 2], QUOTES, "row 3"),
        ([1, 2, 3], QUOTES.replace("column: spread", "column: width"), "no column for 'width' among"),
    ],
)
def test_a_spread_that_is_none_is_refused(tmp_path: Path, spreads: list[object], instrument: str, told: str) -> None:
    with pytest.raises(DataError) as caught:
        result_of(metatrader(tmp_path, spreads, instrument))
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("spread", "told"),
    [
        ("{column: spread}", "'column' and 'unit' of 'spread' are given together"),
        ("{unit: points}", "'column' and 'unit' of 'spread' are given together"),
        ("{column: spread, unit: points, pips: 2}", "'spread' is a number, or comes from a column, not both"),
        ("{column: spread, unit: dollars}", "'spread.unit' must be"),
    ],
)
def test_a_wrong_spread_is_explained(tmp_path: Path, spread: str, told: str) -> None:
    instrument = QUOTES.replace("{column: spread, unit: points}", spread)
    problems = validate_file(metatrader(tmp_path, [1, 2, 3], instrument), load_registry())
    assert any(told in problem.message for problem in problems), [problem.message for problem in problems]


def test_a_source_without_spreads_says_so(tmp_path: Path) -> None:
    file = metatrader(tmp_path, [1, 2, 3])
    text = file.read_text(encoding="utf-8").replace("data: csv, path: d.csv", "data: synthetic, bars: 100")
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match="the data provider 'synthetic' has no column of spreads"):
        result_of(file)


BY_PRICE: list[Row] = [
    ("2024-06-03", 2990.0, 2990.0, 2990.0, 2990.0, ENTER),
    ("2024-06-04", 2990.0, 2990.0, 2990.0, 2990.0, EXIT),
    ("2024-06-05", 3100.0, 3100.0, 3100.0, 3100.0, ENTER),
    ("2024-06-06", 3100.0, 3100.0, 3100.0, 3100.0, EXIT),
    ("2024-06-07", 5000.0, 5000.0, 5000.0, 5000.0, ENTER),
    ("2024-06-10", 2999.0, 3200.0, 2999.0, 3200.0, 0),
]


@pytest.mark.parametrize("engine", ["native", "backtrader", "vnpy"])
def test_a_spread_in_ticks_has_the_tick_at_the_price_of_its_bar(tmp_path: Path, engine: str) -> None:
    if engine != "native":
        pytest.importorskip(engine)
    file = strategy(tmp_path, BY_PRICE, "symbol: X, tick_table: tse_other, spread: {ticks: 2, bars: bid}")
    result = run(file, registry=load_registry(), engine=engine)
    # Bought at the ask, two ticks above the open: of 1 yen below 3000, of 5 yen from there on. Sold at the bid. The
    # tick of the bar of 2999 is that of its open, as an order fills before its later prices are known.
    assert result.fills["price"].tolist() == [2992.0, 3100.0, 3110.0, 5000.0, 3001.0]
    assert result.ledger.equity[-1] - 100_000 == (3100 - 2992) + (5000 - 3110) + (3200 - 3001)
    assert result.instruments[0].spread == 0.0


# ---------------------------------------------------------------------- funding

PERPETUAL = "symbol: BTCUSDT, market: crypto_perpetual, timeframe: 4h, tick_size: 0.1, funding: {file: funding.csv}"
LAYOUTS = {
    "archive of Binance": (
        "calc_time,funding_interval_hours,last_funding_rate\n"
        "1704067200000,8,0.00010000\n1704096000003,8,0.00020000\n1704124800001,8,-0.00050000\n1704153600000,8,0.0001\n"
    ),
    "interface of Binance": (
        "symbol,fundingTime,fundingRate,markPrice\n"
        "BTCUSDT,1704067200000,0.0001,1\nBTCUSDT,1704096000003,0.0002,1\nBTCUSDT,1704124800001,-0.0005,1\n"
        "BTCUSDT,1704153600000,0.0001,1\n"
    ),
    "site of Binance": (
        "Time,Contracts,Funding Interval,Funding Rate,Mark Price\n"
        "2024-01-02 00:00:00,BTCUSDT Perpetual,8h,0.0100%,1\n2024-01-01 16:00:00,BTCUSDT Perpetual,8h,-0.0500%,1\n"
        "2024-01-01 08:00:00,BTCUSDT Perpetual,8h,0.0200%,1\n2024-01-01 00:00:00,BTCUSDT Perpetual,8h,0.0100%,1\n"
    ),
    "Bybit": (
        "symbol,fundingRate,fundingRateTimestamp\n"
        "BTCUSDT,0.0001,1704153600000\nBTCUSDT,-0.0005,1704124800000\nBTCUSDT,0.0002,1704096000000\n"
        "BTCUSDT,0.0001,1704067200000\n"
    ),
    "percentages": (
        "time,rate_percent\n2024-01-01T00:00:00Z,0.01\n2024-01-01T08:00:00Z,0.02\n"
        "2024-01-01T16:00:00Z,-0.05\n2024-01-02T00:00:00Z,0.01\n"
    ),
    "several symbols": (
        "symbol;time;rate\n"
        "ETHUSDT;2024-01-01T08:00:00Z;0.9\nBTCUSDT;2024-01-01T00:00:00Z;0.0001\nBTCUSDT;2024-01-01T08:00:00Z;0.0002\n"
        "BTCUSDT;2024-01-01T17:00:00+01:00;-0.0005\nBTCUSDT;2024-01-02T00:00:00Z;0.0001\n"
    ),
}


def perpetual(folder: Path, funding: str, instrument: str = PERPETUAL, settings: str = "") -> Path:
    """Write six bars of four hours from 1 January 2024 on, at 100 and 10 more each; two are bought at the second."""
    rows: list[Row] = []
    for number in range(6):
        price = 100.0 + 10 * number
        rows.append((f"2024-01-01 {4 * number:02}:00:00", price, price, price, price, ENTER if number == 0 else 0))
    (folder / "funding.csv").write_text(funding, encoding="utf-8")
    return strategy(folder, rows, instrument, quantity=2, settings=settings)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_funding_is_paid_at_its_own_rate(tmp_path: Path, layout: str) -> None:
    result = result_of(perpetual(tmp_path, LAYOUTS[layout]))
    # Bought at the open of 4:00. At 8:00, on the last close of 110: 2 x 110 x 0.02 %. At 16:00, on 130: long ones get
    # 2 x 130 x 0.05 %. The funding of midnight is after the last bar.
    assert result.cashflows["bar"].tolist() == [2, 4]
    assert result.cashflows["amount"].tolist() == pytest.approx([-0.044, 0.13])
    assert from_of(result, "funding") == ("funding.csv", "file")


def test_rates_in_percent_are_told_by_their_unit(tmp_path: Path) -> None:
    file = perpetual(
        tmp_path, LAYOUTS["archive of Binance"], PERPETUAL.replace("funding.csv}", "funding.csv, unit: percent}")
    )
    assert result_of(file).cashflows["amount"].tolist() == pytest.approx([-0.00044, 0.0013])


HEAD = "time,rate\n"


@pytest.mark.parametrize(("rate", "more", "told"), [("0.01", "", 1), ("0.002", "", 0), ("0.01", ", unit: percent", 0)])
def test_fundings_that_look_like_percent_are_told(tmp_path: Path, rate: str, more: str, told: int) -> None:
    """0.01 as a part is 1 % of the value every eight hours, a usual funding as a percentage."""
    lines = "".join(f"2024-01-01 {hour:02}:00,{rate}\n" for hour in (0, 8, 16))
    file = perpetual(tmp_path, HEAD + lines, PERPETUAL.replace("funding.csv}", f"funding.csv{more}}}"))
    found = [each for each in result_of(file).findings if "half of the fundings of funding.csv are 1 %" in each]
    assert len(found) == told


@pytest.mark.parametrize(
    ("funding", "told"),
    [
        (
            HEAD + "2024-01-01 00:00:00,0.0001\n2024-01-01 16:00:00,0.0001\n",
            "funding.csv has no funding from 2024-01-01 to 2024-01-01 16:00 UTC. Give all fundings of the run",
        ),
        (HEAD + "2023-01-01,0.0001\n", "has no funding from 2024-01-01 to 2024-01-02"),
        (HEAD + "2024-01-01 08:00,0.08\n", "row 2 has a funding of 8 % of the value. Set 'unit: percent'"),
        (HEAD + "2024-01-01 08:00,much\n", "row 2 has 'much' where a number is needed. Correct the file."),
        (HEAD + "yesterday,0.0001\n", "row 2 has 'yesterday' where a time is needed."),
        (HEAD + "2024-01-01,0\n2024-01-01,0\n", "rows 2 and 3 have the same time."),
        (HEAD + "2024-01-01\n", "row 2 has 1 cells, the header 2."),
        ("time,price\n2024-01-01,1\n", "no column for rate among 'time', 'price'."),
        (HEAD, "the file has no rows."),
        ("symbol,time,rate\nA,2024-01-01,0\nB,2024-01-01,0\n", "the file has A, B, but no 'BTCUSDT'."),
    ],
)
def test_a_file_of_fundings_that_does_not_do_is_refused(tmp_path: Path, funding: str, told: str) -> None:
    with pytest.raises(DataError) as caught:
        result_of(perpetual(tmp_path, funding))
    assert told in str(caught.value)


def test_a_file_that_a_strategy_may_not_read_is_refused(tmp_path: Path) -> None:
    outside = perpetual(tmp_path, LAYOUTS["Bybit"], PERPETUAL.replace("funding.csv", "/etc/hostname"))
    with pytest.raises(SpecError, match="hostname"):
        result_of(outside)
    with pytest.raises((DataError, SpecError), match=r"nothing\.csv"):
        result_of(perpetual(tmp_path, "", PERPETUAL.replace("funding.csv", "nothing.csv")))


# ---------------------------------------------------------------------- swap

SWAP = "symbol: EURUSD, market: forex, swap: {file: swap.csv, unit: pips}"
RATES = "date,long,short\n2024-05-30,-0.5,0.1\n2024-06-05,-0.7,0.3\n"


def currency(folder: Path, rates: str, instrument: str = SWAP, side: str = "long") -> Path:
    """Write days from Monday, 3 June 2024 on, at 1.1; 10,000 are bought or sold on Tuesday and held to Friday."""
    flags = {"03": ENTER, "06": EXIT}
    days = ("03", "04", "05", "06", "07")
    rows: list[Row] = [(f"2024-06-{day}", 1.1, 1.101, 1.099, 1.1, flags.get(day, 0)) for day in days]
    (folder / "swap.csv").write_text(rates, encoding="utf-8")
    file = strategy(folder, rows, instrument, quantity=10_000)
    text = file.read_text(encoding="utf-8")
    if side == "short":
        text = text.replace("enter_long: [el], exit_long: [xl]", "enter_short: [el], exit_short: [xl]")
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(("side", "nights"), [("long", [-0.5, -0.7 * 3, -0.7]), ("short", [0.1, 0.3 * 3, 0.3])])
def test_each_night_has_the_swap_of_its_day(tmp_path: Path, side: str, nights: list[float]) -> None:
    # Nights begin at 17:00 in New York on Tuesday, Wednesday (three nights) and Thursday; Wednesday has a new rate.
    result = result_of(currency(tmp_path, RATES, side=side))
    assert result.cashflows["amount"].tolist() == pytest.approx([10_000 * 0.0001 * each for each in nights])
    assert from_of(result, "swap") == ("swap.csv, in pips, three nights on wednesday", "file")


def test_a_swap_that_begins_after_the_run_is_refused(tmp_path: Path) -> None:
    late = "date,long,short\n2024-06-04,-0.5,0.1\n"
    with pytest.raises(DataError, match="begins on 2024-06-04, after the first bar of the run, 2024-06-02 21:00 UTC"):
        result_of(currency(tmp_path, late))


@pytest.mark.parametrize(
    ("instrument", "told"),
    [
        (SWAP.replace("unit: pips", "unit: pips, long: -1"), "by 'long' and 'short' or by a 'file', not by both"),
        (f"{SWAP}, funding_percent: 0.01", "A swap that changes and a funding exclude each other."),
        (f"{PERPETUAL}, funding_percent: 0.01", "'funding_percent' and 'funding' exclude each other."),
        ("symbol: AAPL, kind: spot, funding: {file: funding.csv}", "'funding' is for contracts, but AAPL is spot."),
    ],
)
def test_what_excludes_each_other_is_refused(tmp_path: Path, instrument: str, told: str) -> None:
    problems = validate_file(currency(tmp_path, RATES, instrument), load_registry())
    assert any(told in problem.message for problem in problems), [problem.message for problem in problems]


# ---------------------------------------------------------------------- engines, kept runs, sessions


@pytest.mark.parametrize("what", ["spread", "funding", "swap"])
def test_every_engine_has_the_same_trades(tmp_path: Path, what: str) -> None:
    pytest.importorskip("backtrader")
    if what == "spread":
        file = metatrader(tmp_path, [1, 20, 30, 40, 50], risk="{use: ticks_stop, ticks: 60}")
    else:
        file = perpetual(tmp_path, LAYOUTS["Bybit"]) if what == "funding" else currency(tmp_path, RATES)
    graph = load_graph(file, load_registry())
    report = run_parity(graph, registry=load_registry(), engines=("native", "backtrader"))
    assert [outcome.differences for outcome in report.outcomes] == [(), ()]


def test_an_engine_without_it_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NativeEngine, "capabilities", NativeEngine.capabilities - {Capability.CHANGING_COSTS})
    for file in (metatrader(tmp_path, [1, 2, 3]), perpetual(tmp_path, LAYOUTS["Bybit"]), currency(tmp_path, RATES)):
        with pytest.raises(SpecError, match="spreads, funding and swap that change"):
            result_of(file)


def kept(folder: Path, file: Path) -> tuple[InstrumentJob, InstrumentJob]:
    """Return the instrument of a run as it was kept, and as it was run."""
    result = result_of(file)
    save_run(result, folder / "kept")
    return RunFolder.open(folder / "kept").instruments[0], result.instruments[0]


def test_a_kept_run_has_the_same_spreads(tmp_path: Path) -> None:
    found, job = kept(tmp_path, metatrader(tmp_path, [1, 2, 3]))
    assert found.spreads is not None
    assert job.spreads is not None
    assert found.bars.content_hash == job.bars.content_hash
    assert found.spreads.tolist() == job.spreads.tolist() == pytest.approx([0.00001, 0.00002, 0.00003])


def test_a_kept_run_has_the_same_swaps(tmp_path: Path) -> None:
    found, job = kept(tmp_path, currency(tmp_path, RATES))
    assert found.swap is not None
    assert job.swap is not None
    assert found.swap.dated is not None
    assert job.swap.dated is not None
    assert found.swap.dated.long.tolist() == job.swap.dated.long.tolist()


def test_a_kept_run_has_the_same_fundings(tmp_path: Path) -> None:
    found, job = kept(tmp_path, perpetual(tmp_path, LAYOUTS["Bybit"]))
    assert found.funding is not None
    assert job.funding is not None
    assert found.funding.times_ns.tolist() == job.funding.times_ns.tolist()
    assert found.funding.long.tolist() == job.funding.long.tolist()
