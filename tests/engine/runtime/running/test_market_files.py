"""Files from real markets that were once read wrongly in silence, or refused without a way out: run as a user does.

What the instruments of these markets are worth (ticks, lots, half days, weeks, years) is in `test_markets`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quantcrafter.engine.api import DataError, Timeframe
from quantcrafter.engine.data.store import BarStore
from quantcrafter.engine.data.store.bar_files import ImportOptions, import_file
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.results.result import RunResult
from quantcrafter.engine.runtime.running.run import run
from tests.support.file_formats import german, text, zipped
from tests.support.file_variants import GERMAN, QUOTED, SEMI, Price, days, epoch, half_hours, hours, lines, thousands
from tests.support.market_data import texts

HEADER = "Date,Open,High,Low,Close,Volume"
_IB = "date,open,high,low,close,volume,average,barCount"
_METATRADER = "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>"


def bought(folder: Path, name: str, data: bytes, instrument: str, *, settings: str = "", after: int = 0) -> RunResult:
    """Run a strategy that buys 10 at the second open and, with `after`, sells so many bars later, and so on."""
    (folder / name).write_bytes(data)
    stop = f"risk:\n  out: {{use: time_stop, bars: {after}}}\n" if after else ""
    file = folder / "strategy.yaml"
    file.write_text(
        f"""quantcrafter: 1
name: case
instruments:
  - {{data: csv, path: "{name}", {instrument}}}
logic:
  always: {{use: compare, left: bars.close, op: ">", right: 0}}
advisors:
  go: {{use: rule, enter_long: [always]}}
{stop}money:
  size: {{use: fixed_quantity, quantity: 10}}
execution:
  entry: {{use: market, signals: [go], money: size{", risk: [out]" if after else ""}}}
run: {{cash: 1000000{settings}}}
""",
        encoding="utf-8",
    )
    return run(file, registry=load_registry())


def first_fill(result: RunResult) -> tuple[str, float]:
    """Return when (UTC) and for how much was bought first."""
    return texts(result.fills["ts_ns"][:1])[0], float(result.fills["price"][0])


def volumes(result: RunResult) -> list[float]:
    return [float(each) for each in result.instruments[0].bars.volume[:2]]


def imported(path: Path, data: bytes) -> str:
    """Import a file into the store, and return the symbol under which its bars are kept."""
    path.write_bytes(data)
    (done,) = import_file(BarStore(), str(path), (), ImportOptions())
    return done.put.series.symbol


# ---------------------------------------------------------------------- symbols


def test_two_files_of_one_exchange_or_program_stay_two_instruments(tmp_path: Path) -> None:
    charts = {
        symbol: text("time,open,high,low,close,Volume", lines(days("%Y-%m-%d"), scale=scale))
        for symbol, scale in (("AAPL", 1.83), ("MSFT", 4.03))
    }
    names = [imported(tmp_path / f"BATS_{symbol}, 1D.csv", data) for symbol, data in charts.items()]
    assert names == ["AAPL", "MSFT"]
    for symbol, price in (("EURUSD", 0.01), ("USDJPY", 1.5)):
        data = text("", lines(hours("%Y%m%d %H%M%S", minutes=1), SEMI, scale=price))
        assert imported(tmp_path / f"DAT_ASCII_{symbol}_M1_202401.csv", data) == symbol
    assert BarStore().read("MSFT", Timeframe(1, "d")).close[0] == pytest.approx(100.5 * 4.03, abs=0.006)


# ---------------------------------------------------------------------- prices


def test_a_split_of_yahoo_s_adjusted_prices_is_not_booked_again(tmp_path: Path) -> None:
    rows = [f"{day},100,101,99,{100 + (number > 2)},1000,0.0,{4.0 * (number == 2)}" for number, day in _six_days()]
    data = text(HEADER + ",Dividends,Stock Splits", rows)
    result = bought(tmp_path, "d.csv", data, "symbol: AAPL, timeframe: 1d, corporate_actions: columns", after=4)
    assert result.fills["quantity"].tolist() == [10.0, 10.0]
    assert any("Splits are not booked" in finding for finding in result.findings)


def _six_days() -> list[tuple[int, str]]:
    return list(enumerate(days("%Y-%m-%d", 6)))


def test_pence_among_pounds_are_told(tmp_path: Path) -> None:
    prices = (1.0, 1.0, 100.0, 1.0, 1.0)
    rows = [f"{day},{p},{p * 1.01},{p * 0.99},{p},1000" for day, p in zip(days("%Y-%m-%d", 5), prices, strict=True)]
    result = bought(tmp_path, "d.csv", text(HEADER, rows), "symbol: VOD.L, timeframe: 1d, session: 24x7")
    assert any("as where pence and pounds are mixed: row 4" in finding for finding in result.findings)


def test_prices_below_zero_are_refused_with_what_allows_them(tmp_path: Path) -> None:
    data = text(HEADER, ["2020-04-17,18,19,17,18,9", "2020-04-20,17,18,-40,-37,9", "2020-04-21,-14,14,-16,10,9"])
    with pytest.raises(DataError, match=r"set a market such as us_futures, or 'kind: contract'"):
        bought(tmp_path, "cl.csv", data, "symbol: CL, timeframe: 1d")
    for allowed in ("market: us_futures", "kind: contract"):
        assert first_fill(bought(tmp_path, "cl.csv", data, f"symbol: CL, timeframe: 1d, {allowed}"))[1] == 17.0


@pytest.mark.parametrize("sign", [" ", "\u00a0", "\u202f"], ids=["blank", "no-break", "narrow"])
def test_french_thousands_are_parted_by_any_blank(tmp_path: Path, sign: str) -> None:
    data = text("Date;Open;High;Low;Close", _french_rows(thousands(sign, ",")))
    assert first_fill(bought(tmp_path, "d.csv", data, "symbol: X, timeframe: 1d"))[1] == 38_784.0


def _french_rows(price: Price) -> list[str]:
    return lines(days("%d/%m/%Y"), "{t};{o};{h};{l};{c}", scale=384.0, price=price)


def test_prices_that_cross_a_thousand_stay_in_one_unit(tmp_path: Path) -> None:
    rows = ["2024-01-15,985,990,980,988,900", "2024-01-16,988,995,986,994,900"]
    rows += [f'2024-01-{day},"1,00{day - 16}","1,016","1,001","1,012",900' for day in (17, 18)]
    rows += ['2024-01-19,"1,012","1,016","1,006","1,014",900']
    result = bought(tmp_path, "d.csv", text(HEADER, rows), "symbol: X, timeframe: 1d", after=3)
    assert result.trades["pnl"].tolist() == [240.0]


def test_a_point_in_german_prices_parts_thousands(tmp_path: Path) -> None:
    data = text("Date;Open;High;Low;Close;Volume", lines(days("%d.%m.%Y"), SEMI, scale=160.0, price=german))
    assert first_fill(bought(tmp_path, "dax.csv", data, "symbol: DAX, timeframe: 1d"))[1] == 16_160.0


def test_a_comma_without_decimals_in_a_file_of_commas_parts_thousands(tmp_path: Path) -> None:
    rows = lines(days("%Y-%m-%d"), QUOTED, scale=380.0, price=lambda v: f"{v:,.0f}", volume=lambda n: f"{n * 12:,}")
    result = bought(tmp_path, "nikkei.csv", text(HEADER, rows), "symbol: NKY, timeframe: 1d")
    assert first_fill(result)[1] == 38_380.0
    assert volumes(result) == [12_000.0, 12_012.0]


def test_a_comma_before_decimals_parts_thousands(tmp_path: Path) -> None:
    data = text(HEADER, lines(days("%Y-%m-%d"), QUOTED, scale=41.0, price=thousands(",")))
    assert first_fill(bought(tmp_path, "spx.csv", data, "symbol: SPX, timeframe: 1d"))[1] == 4_141.0


# ---------------------------------------------------------------------- times


def test_a_leap_second_is_refused_by_its_name(tmp_path: Path) -> None:
    times = [*(f"2016-12-31T23:59:{second}Z" for second in (57, 58, 59, 60)), "2017-01-01T00:00:00Z"]
    with pytest.raises(DataError, match=r"row 5 has '2016-12-31T23:59:60Z', a leap second"):
        bought(tmp_path, "d.csv", text(HEADER.lower(), lines(times)), "symbol: X, timeframe: 1s")


def test_an_hour_that_is_told_twice_asks_for_the_time_zone(tmp_path: Path) -> None:
    times = [f"2024-11-0{day} {hour:02}:00" for day, hour in ((2, 23), (3, 0), (3, 1), (3, 1), (3, 2), (3, 3))]
    data = text(HEADER, lines(times))
    with pytest.raises(DataError, match=r"Set 'timezone'.*America/New_York") as caught:
        bought(tmp_path, "d.csv", data, "symbol: X, timeframe: 1h")
    assert caught.value.field == "timezone"
    result = bought(tmp_path, "d.csv", data, "symbol: X, timeframe: 1h, timezone: America/New_York")
    assert np.diff(result.instruments[0].bars.open_ns).tolist() == [3_600_000_000_000] * 5


def test_milliseconds_and_microseconds_of_joined_files_are_told_row_by_row(tmp_path: Path) -> None:
    times = days(epoch(1000), 2) + days(epoch(1_000_000), 8)[2:]
    result = bought(tmp_path, "BTCUSDT-1d.csv", text("", lines(times)), "symbol: BTCUSDT, timeframe: 1d")
    assert texts(result.instruments[0].bars.open_ns)[:2] == ["2024-01-15T00:00", "2024-01-16T00:00"]


def test_a_zone_in_the_text_of_a_time_counts(tmp_path: Path) -> None:
    data = text(_IB, lines(half_hours("%Y%m%d %H:%M:%S US/Eastern"), "{t},{o},{h},{l},{c},{v},100,5"))
    assert first_fill(bought(tmp_path, "AAPL.csv", data, "symbol: AAPL, timeframe: 30m"))[0] == "2024-01-15T15:00"


def test_files_of_histdata_are_in_eastern_standard_time_even_in_summer(tmp_path: Path) -> None:
    name = "DAT_ASCII_EURUSD_M1_202407.csv"
    july = [time.replace("202401", "202407") for time in hours("%Y%m%d %H%M%S", minutes=1)]
    data = text("", lines(july, SEMI, scale=0.01, price=lambda value: f"{value:.6f}"))
    result = bought(tmp_path, name, data, "symbol: EURUSD, timeframe: 1m")
    assert texts(result.instruments[0].bars.open_ns)[0] == "2024-07-15T05:00"
    assert imported(tmp_path / name, data) == "EURUSD"


def test_compact_dates_newest_first_are_turned_round(tmp_path: Path) -> None:
    rows = lines(days("%Y%m%d"), "000001.SZ,{t},{o},{h},{l},{c},99,1,1.0,{v},9")
    data = text("ts_code,trade_date,open,high,low,close,pre_close,change,pct_chg,vol,amount", rows[::-1])
    result = bought(
        tmp_path, "000001.csv", data, 'symbol: "000001.SZ", lot_size: 1, timeframe: 1d', settings=", currency: CNY"
    )
    assert first_fill(result) == ("2024-01-16T01:30", 101.0)


def test_the_time_of_databento_is_ts_event(tmp_path: Path) -> None:
    header = "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol"
    rows = lines(hours("%Y-%m-%dT%H:%M:%S.000000000Z", minutes=30), "{t},33,1,1,{o},{h},{l},{c},{v},AAPL")
    result = bought(tmp_path, "ohlcv.csv", text(header, rows), "symbol: AAPL, timeframe: 30m")
    assert first_fill(result) == ("2024-01-15T00:30", 101.0)


# ---------------------------------------------------------------------- volumes


def test_the_volume_of_metatrader_is_that_of_its_ticks_where_there_is_no_other(tmp_path: Path) -> None:
    rows = lines(hours("%Y.%m.%d\t%H:%M:%S"), "{t}\t{o}\t{h}\t{l}\t{c}\t{v}\t0\t7")
    result = bought(tmp_path, "EURUSD_H1.csv", text(_METATRADER, rows), "symbol: EURUSD, timeframe: 1h")
    assert volumes(result) == [1000.0, 1001.0]
    assert any("'TICKVOL', as 'VOL' has none" in note for note in result.notes)
    (spread,) = (note for note in result.notes if "column 'SPREAD' is not used" in note)
    assert "set 'spread: {column: SPREAD, unit: points}' of the instrument" in spread


def test_a_cap_of_the_volume_works_with_ticks(tmp_path: Path) -> None:
    rows = lines(hours("%Y.%m.%d\t%H:%M:%S"), "{t}\t{o}\t{h}\t{l}\t{c}\t50\t0\t7")
    instrument, settings = "symbol: EURUSD, timeframe: 1h", ", slippage: {volume_percent: 10}"
    result = bought(tmp_path, "d.csv", text(_METATRADER, rows), instrument, settings=settings)
    assert result.fills["quantity"].tolist() == [5.0, 5.0]  # 10 % of 50 in each bar


def test_the_volume_of_tradestation_is_that_at_rising_and_at_falling_prices(tmp_path: Path) -> None:
    rows = lines(half_hours("%m/%d/%Y,%H:%M")[1:13], "{t},{o},{h},{l},{c},{v},500")
    data = text('"Date","Time","Open","High","Low","Close","Up","Down"', rows)
    result = bought(tmp_path, "x.txt", data, "symbol: X, timeframe: 30m")
    assert volumes(result) == [1500.0, 1501.0]
    assert texts(result.instruments[0].bars.close_ns)[0] == "2024-01-15T15:00"  # stamped at the end of the bar


# ---------------------------------------------------------------------- files


def test_an_archive_of_binance_is_unpacked(tmp_path: Path) -> None:
    data = zipped(BTCUSDT_1h__csv=text("", lines(hours(epoch(1000)), "{t},{o},{h},{l},{c},{v},1,2,3,4,5,0")))
    name = "BTCUSDT-1h-2024-01.zip"
    assert first_fill(bought(tmp_path, name, data, "symbol: BTCUSDT, timeframe: 1h")) == ("2024-01-15T01:00", 101.0)
    assert imported(tmp_path / name, data) == "BTCUSDT"


def test_the_three_lines_of_yfinance_s_header_are_no_rows(tmp_path: Path) -> None:
    header = "Price,Close,High,Low,Open,Volume\nTicker,AAPL,AAPL,AAPL,AAPL,AAPL\nDate,,,,,"
    data = text(header, lines(days("%Y-%m-%d"), "{t},{c},{h},{l},{o},{v}"))
    assert first_fill(bought(tmp_path, "AAPL.csv", data, "symbol: AAPL, timeframe: 1d"))[1] == 101.0


def test_a_german_header_is_understood(tmp_path: Path) -> None:
    data = text(GERMAN, lines(days("%d.%m.%Y"), SEMI, scale=152.0, price=german), encoding="cp1252")
    assert first_fill(bought(tmp_path, "dax.csv", data, "symbol: DAX, timeframe: 1d"))[1] == 15_352.0


def test_a_line_of_text_at_the_end_is_no_row_and_no_symbol(tmp_path: Path) -> None:
    rows = lines(days("%Y-%m-%d"), "AAPL,{t},{o},{h},{l},{c},1,1%,{v}")[::-1]
    footer = '"Downloaded from Barchart.com as of 03-01-2024 10:00am CST"'
    data = text("Symbol,Time,Open,High,Low,Last,Change,%Chg,Volume", rows, footer=footer)
    result = bought(tmp_path, "aapl.csv", data, "symbol: AAPL, timeframe: 1d")
    assert len(result.instruments[0].bars) == 30
    assert imported(tmp_path / "aapl.csv", data) == "AAPL"


def test_utf_16_is_read_by_its_mark(tmp_path: Path) -> None:
    data = text(HEADER, lines(hours("%Y-%m-%d %H:%M")), encoding="utf-16")
    assert first_fill(bought(tmp_path, "x.csv", data, "symbol: X, timeframe: 1h")) == ("2024-01-15T01:00", 101.0)


def test_rows_may_end_in_a_carriage_return_alone(tmp_path: Path) -> None:
    data = text(HEADER, lines(hours("%Y-%m-%d %H:%M")), end="\r")
    assert first_fill(bought(tmp_path, "x.csv", data, "symbol: X, timeframe: 1h")) == ("2024-01-15T01:00", 101.0)
