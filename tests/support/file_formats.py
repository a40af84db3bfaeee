"""Small files laid out as programs and sites write them, each with what must come of it.

Every file holds the same four bars, 100 to 103 and a multiple of that, so that a test knows the values without reading
the file. `READ` are read as they are; `ASKED` are refused first, and read with the one option that the refusal names.
"""

from __future__ import annotations

import gzip
import io
import textwrap
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

CLOSES = (100.5, 101.5, 102.5, 103.5)
VOLUMES = (1000.0, 1001.0, 1002.0, 1003.0)
LINE = 120
"""How long a line of the documentation may be."""


@dataclass(frozen=True)
class FileFormat:
    """One file.

    Args:
        source: the program or site, as the table in docs/data.md names it.
        name: the file's name.
        data: its content.
        symbol: the symbol that its name or content gives away.
        first: when the first bar opens (UTC).
        closes: the closes of its bars, oldest first.
        volumes: their volumes.
        option: what must be set to read it, named by the refusal.
        told: a part of what must be said of a guess.
        note: what the table says of it.
    """

    source: str
    name: str
    data: bytes
    symbol: str | None
    first: str
    closes: tuple[float, ...] = CLOSES
    volumes: tuple[float, ...] = VOLUMES
    option: Mapping[str, Any] = field(default_factory=dict)
    told: str = ""
    note: str = ""


def _days(pattern: str, count: int = 4, start: str = "2024-01-15") -> list[str]:
    first = datetime.fromisoformat(start)
    return [(first + timedelta(days=number)).strftime(pattern) for number in range(count)]


def _hours(pattern: str, count: int = 4, start: str = "2024-01-15", minutes: int = 60) -> list[str]:
    first = datetime.fromisoformat(start)
    return [(first + timedelta(minutes=minutes * number)).strftime(pattern) for number in range(count)]


def _plain(value: float) -> str:
    return f"{value:.2f}"


def rows(
    times: list[str],
    separator: str = ",",
    *,
    scale: float = 1.0,
    price: Callable[[float], str] = _plain,
    layout: str = "{time}{s}{o}{s}{h}{s}{l}{s}{c}{s}{v}",
    volume: Callable[[int], str] = str,
) -> list[str]:
    """Return a line for each time; prices are 100 and more times `scale`, written by `price`."""
    made = []
    for number, time in enumerate(times):
        base = 100.0 + number
        prices = {"o": base, "h": base + 1.0, "l": base - 1.0, "c": base + 0.5}
        cells = {name: price(value * scale) for name, value in prices.items()}
        made.append(layout.format(time=time, s=separator, v=volume(1000 + number), **cells))
    return made


def text(header: str, lines: list[str], *, end: str = "\n", encoding: str = "utf-8", footer: str = "") -> bytes:
    """Return a file of a header (none if empty), lines and a footer."""
    return end.join([*([header] if header else []), *lines, *([footer] if footer else []), ""]).encode(encoding)


def zipped(**members: bytes) -> bytes:
    """Return a zip archive; `__` in a name stands for a dot."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            member = zipfile.ZipInfo(name.replace("__", "."))  # of one date: the same bytes each time
            archive.writestr(member, data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def german(value: float) -> str:
    """Return `16.100,50`."""
    return f"{value:,.2f}".translate(str.maketrans(",.", ".,"))


def french(value: float) -> str:
    """Return `16 100,50` with a narrow no-break space."""
    return f"{value:,.2f}".replace(",", "\u202f").replace(".", ",")


def swiss(value: float) -> str:
    """Return `16'100.50`."""
    return f"{value:,.2f}".replace(",", "'")


def _epoch(times: list[str], factor: int) -> list[str]:
    return [str(round(datetime.fromisoformat(f"{time}+00:00").timestamp()) * factor) for time in times]


_ISO_HOURS = _hours("%Y-%m-%dT%H:%M:%S")
_DAY = "2024-01-15T00:00"
_METATRADER5 = "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>"
_TIME_LAYOUT = "{time}{s}{o}{s}{h}{s}{l}{s}{c}{s}{v}"
_BINANCE = "{time},{o},{h},{l},{c},{v},1,2,3,4,5,0"
_HISTDATA = text(
    "", rows(_hours("%Y%m%d %H%M%S", minutes=1), ";", price=lambda value: f"{value:.6f}", volume=lambda _: "0")
)
_BINANCE_HOURS = text("", rows(_epoch(_ISO_HOURS, 1000), layout=_BINANCE))
_CLOSE_FIRST = "{time},{c},{h},{l},{o},{v}"
_BIG = tuple(close * 160 for close in CLOSES)
_NONE = (0.0,) * 4

_YFINANCE = (
    "Price,Close,High,Low,Open,Volume\nTicker,AAPL,AAPL,AAPL,AAPL,AAPL\nDate,,,,,",
    "Price,Date,Close,High,Low,Open,Volume\nTicker,,AAPL,AAPL,AAPL,AAPL,AAPL",
    ",Close,High,Low,Open,Volume\n,AAPL,AAPL,AAPL,AAPL,AAPL\nDate,,,,,",
    "Ticker,AAPL,AAPL,AAPL,AAPL,AAPL\nPrice,Close,High,Low,Open,Volume\nDate,,,,,",
    "Date,\"('Close', 'AAPL')\",\"('High', 'AAPL')\",\"('Low', 'AAPL')\",\"('Open', 'AAPL')\",\"('Volume', 'AAPL')\"",
)
_YFINANCE_TWO = (
    "Price,Close,Close,High,High,Low,Low,Open,Open,Volume,Volume\n"
    "Ticker,AAPL,MSFT,AAPL,MSFT,AAPL,MSFT,AAPL,MSFT,AAPL,MSFT\nDate,,,,,,,,,,"
)


def yfinance(header: str) -> bytes:
    """Return a file of a header of one to three lines over the columns close, high, low, open and volume."""
    index = header.startswith("Price,Date")
    lines = rows(_days("%Y-%m-%d"), layout=_CLOSE_FIRST)
    return text(header, [f"{number},{line}" for number, line in enumerate(lines)] if index else lines)


def _two_symbols() -> bytes:
    one = rows(_days("%Y-%m-%d"), layout=_CLOSE_FIRST)
    other = rows(_days("%Y-%m-%d"), layout=_CLOSE_FIRST, scale=3.0)
    lines = []
    for mine, theirs in zip(one, other, strict=True):
        cells = [pair for both in zip(mine.split(",")[1:], theirs.split(",")[1:], strict=True) for pair in both]
        lines.append(",".join([mine.split(",")[0], *cells]))
    return text(_YFINANCE_TWO, lines)


TWO_SYMBOLS = _two_symbols()
"""What yfinance writes for AAPL and MSFT: the prices of MSFT are three times as high."""

READ: tuple[FileFormat, ...] = (
    FileFormat(
        "MetaTrader 4",
        "EURUSD60.csv",
        text("", rows(_hours("%Y.%m.%d,%H:%M"))),
        "EURUSD",
        _DAY,
        told="Set 'timezone'",
        note="No header. Times are in the broker's time zone: set `timezone`.",
    ),
    FileFormat(
        "MetaTrader 5",
        "EURUSD_H1_202401150000_202401150300.csv",
        text(_METATRADER5, rows(_hours("%Y.%m.%d\t%H:%M:%S"), "\t", layout=_TIME_LAYOUT + "{s}0{s}7")),
        "EURUSD",
        _DAY,
        told="'TICKVOL', as 'VOL' has none",
        note="The volume is `TICKVOL` if `VOL` is always 0. UTF-16 is supported.",
    ),
    FileFormat(
        "MetaTrader 5",
        "EURUSD_H1.csv",
        text(
            _METATRADER5,
            rows(_hours("%Y.%m.%d\t%H:%M:%S"), "\t", layout=_TIME_LAYOUT + "{s}0{s}7"),
            end="\r\n",
            encoding="utf-16",
        ),
        "EURUSD",
        _DAY,
    ),
    FileFormat(
        "TradingView",
        "BATS_AAPL, 1D.csv",
        text("time,open,high,low,close,Volume", rows(_days("%Y-%m-%d"))),
        "AAPL",
        _DAY,
        note="In the file name, the symbol follows the exchange. Times are seconds since 1970 or include their zone.",
    ),
    FileFormat(
        "TradingView",
        "BINANCE_BTCUSDT, 60_a1b2c.csv",
        text("time,open,high,low,close,Volume", rows(_epoch(_ISO_HOURS, 1))),
        "BTCUSDT",
        _DAY,
    ),
    FileFormat(
        "Yahoo Finance",
        "AAPL.csv",
        text(
            "Date,Open,High,Low,Close,Adj Close,Volume",
            rows(_days("%Y-%m-%d"), layout="{time},{o},{h},{l},{c},55.5,{v}"),
        ),
        "AAPL",
        _DAY,
        note="The adjusted close is ignored, and so are lines with dividends and splits in a copied table.",
    ),
    FileFormat(
        "Yahoo Finance",
        "AAPL.txt",
        text(
            "Date\tOpen\tHigh\tLow\tClose Close price adjusted for splits.\t"
            "Adj Close Adjusted close price adjusted for splits "
            "and dividend and/or capital gain distributions.\tVolume",
            [
                *rows(
                    [*reversed(_days("Jan %d, %Y"))],
                    "\t",
                    layout="{time}{s}{o}{s}{h}{s}{l}{s}{c}{s}55.5{s}{v}",
                    volume=lambda number: f"{number:,}",
                ),
                "Jan 14, 2024\t0.24 Dividend",
            ],
        ),
        "AAPL",
        _DAY,
        closes=CLOSES[::-1],
        volumes=VOLUMES[::-1],
        told="a dividend or a split",
    ),
    *(
        FileFormat(
            "yfinance",
            "AAPL.csv",
            yfinance(header),
            "AAPL",
            _DAY,
            note="Headers of one to three lines. Of several symbols, the requested one is read." if not number else "",
        )
        for number, header in enumerate(_YFINANCE)
    ),
    FileFormat(
        "yfinance",
        "AAPL.csv",
        text(
            "Date,Open,High,Low,Close,Volume,Dividends,Stock Splits",
            rows(_days("%Y-%m-%d 00:00:00-05:00"), layout=_TIME_LAYOUT + ",0.0,0.0"),
        ),
        "AAPL",
        _DAY,
    ),
    FileFormat("yfinance", "x.csv", TWO_SYMBOLS, None, _DAY),
    FileFormat(
        "Stooq",
        "aapl_us_d.csv",
        text("Date,Open,High,Low,Close,Volume", rows(_days("%Y-%m-%d"))),
        "AAPL.US",
        _DAY,
        note="Also with Polish column names, and with `<TICKER>`.",
    ),
    FileFormat(
        "Stooq",
        "aapl.us.txt",
        text(
            "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>",
            rows(_days("%Y%m%d"), layout="AAPL.US,D,{time},000000,{o},{h},{l},{c},{v},0"),
        ),
        "AAPL.US",
        _DAY,
    ),
    FileFormat(
        "Stooq",
        "cdr_d.csv",
        text("Data,Otwarcie,Najwyzszy,Najnizszy,Zamkniecie,Wolumen", rows(_days("%Y-%m-%d"))),
        "CDR",
        _DAY,
    ),
    FileFormat(
        "Binance",
        "BTCUSDT-1h-2024-01.csv",
        _BINANCE_HOURS,
        "BTCUSDT",
        _DAY,
        note="Twelve columns without a header, times in ms or us. Joined files and `.zip` files are supported.",
    ),
    FileFormat(
        "Binance",
        "BTCUSDT-1h-2024-01.zip",
        zipped(**{"BTCUSDT-1h-2024-01__csv": _BINANCE_HOURS}),
        "BTCUSDT",
        _DAY,
    ),
    FileFormat(
        "Binance",
        "BTCUSDT-1h.csv",
        text("", rows([*_epoch(_ISO_HOURS[:2], 1000), *_epoch(_ISO_HOURS[2:], 1_000_000)], layout=_BINANCE)),
        "BTCUSDT",
        _DAY,
        told="ms first in row 1, us first in row 3",
    ),
    FileFormat(
        "Kraken",
        "XBTUSD_60.csv",
        text("", rows(_epoch(_ISO_HOURS, 1), layout=_TIME_LAYOUT + ",42")),
        "XBTUSD",
        _DAY,
        note="No header. The last column is the number of trades.",
    ),
    FileFormat(
        "Dukascopy",
        "EURUSD_Candlestick_1_Hour_BID_01.02.2024-02.02.2024.csv",
        text("Gmt time,Open,High,Low,Close,Volume", rows(_hours("%d.%m.%Y %H:%M:%S.000", start="2024-02-01"))),
        "EURUSD",
        "2024-02-01T00:00",
        note="`Gmt time` is UTC. The day comes first.",
    ),
    FileFormat(
        "Dukascopy",
        "EURUSD_Candlestick_1_Hour_BID_01.02.2024-02.02.2024.csv",
        text(
            "Local time,Open,High,Low,Close,Volume",
            rows(_hours("%d.%m.%Y %H:%M:%S.000 GMT+0100", start="2024-02-01T01:00")),
        ),
        "EURUSD",
        "2024-02-01T00:00",
    ),
    FileFormat(
        "Alpha Vantage",
        "intraday_60min_IBM.csv",
        text("timestamp,open,high,low,close,volume", rows(_hours("%Y-%m-%d %H:%M:%S", start="2024-01-15T04:00"))),
        "IBM",
        "2024-01-15T09:00",
        told="America/New_York",
        note="Intraday times are New York time. The format is detected from the file name.",
    ),
    FileFormat(
        "Interactive Brokers",
        "AAPL.csv",
        text(
            "date,open,high,low,close,volume,average,barCount",
            rows(_hours("%Y%m%d  %H:%M:%S"), layout=_TIME_LAYOUT + ",1,5"),
        ),
        "AAPL",
        _DAY,
        told="Set 'timezone'",
        note="Old files have no time zone. New ones do, or are in UTC if a hyphen separates date and time.",
    ),
    FileFormat(
        "Interactive Brokers",
        "AAPL.csv",
        text(
            "date,open,high,low,close,volume,average,barCount",
            rows(_hours("%Y%m%d %H:%M:%S US/Eastern", start="2024-01-15T09:30"), layout=_TIME_LAYOUT + ",1,5"),
        ),
        "AAPL",
        "2024-01-15T14:30",
    ),
    FileFormat(
        "Interactive Brokers",
        "AAPL.csv",
        text("date,open,high,low,close,volume", rows(_hours("%Y%m%d-%H:%M:%S"))),
        "AAPL",
        _DAY,
    ),
    FileFormat(
        "NinjaTrader",
        "ES 03-24.Last.txt",
        text("", rows(_hours("%Y%m%d %H%M%S", start="2024-01-15T00:01", minutes=1), ";")),
        "ES 03-24",
        _DAY,
        told="times are when bars close",
        note="Detected from the name of the exported file. Times are the ends of bars in UTC.",
    ),
    FileFormat(
        "HistData",
        "DAT_ASCII_EURUSD_M1_202401.csv",
        _HISTDATA,
        "EURUSD",
        "2024-01-15T05:00",
        volumes=_NONE,
        told="taken as EST",
        note="Detected from the file name. Times are Eastern Standard Time without daylight saving.",
    ),
    FileFormat(
        "HistData",
        "HISTDATA_COM_ASCII_EURUSD_M1_202401.zip",
        zipped(DAT_ASCII_EURUSD_M1_202401__csv=_HISTDATA, DAT_ASCII_EURUSD_M1_202401__txt=b"Status report"),
        "EURUSD",
        "2024-01-15T05:00",
        volumes=_NONE,
    ),
    FileFormat(
        "CryptoDataDownload",
        "Binance_BTCUSDT_1h.csv",
        text(
            "https://www.CryptoDataDownload.com\n"
            "Unix,Date,Symbol,Open,High,Low,Close,Volume BTC,Volume USDT,tradecount",
            [
                line.replace("@", f"{unix},")
                for unix, line in zip(
                    _epoch([*reversed(_ISO_HOURS)], 1000),
                    rows([*reversed(_hours("%Y-%m-%d %H:%M:%S"))], layout="@{time},BTC/USDT,{o},{h},{l},{c},{v},9,9"),
                    strict=True,
                )
            ],
        ),
        "BTC/USDT",
        _DAY,
        closes=CLOSES[::-1],
        volumes=VOLUMES[::-1],
        note="The line before the header is skipped. Files with the newest bar first are reversed.",
    ),
    FileFormat(
        "Polygon",
        "2024-01-15.csv.gz",
        gzip.compress(
            mtime=0,
            data=text(
                "ticker,volume,open,close,high,low,window_start,transactions",
                rows(_epoch(_ISO_HOURS, 1_000_000_000), layout="AAPL,{v},{o},{c},{h},{l},{time},9"),
            ),
        ),
        "AAPL",
        _DAY,
        note="`window_start` is the time in ns. The columns `t`, `o`, `h`, `l`, `c`, `v` are also supported.",
    ),
    FileFormat(
        "Databento",
        "xnas-itch-20240115.ohlcv-1h.csv",
        text(
            "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol",
            rows(
                _hours("%Y-%m-%dT%H:%M:%S.000000000Z"),
                layout="{time},34,2,1,{o},{h},{l},{c},{v},AAPL",
                price=lambda value: f"{value:.9f}",
            ),
        ),
        "AAPL",
        _DAY,
        note="`ts_event` is the time. Prices that are whole numbers are billionths.",
    ),
    FileFormat(
        "Databento",
        "xnas-itch-20240115.ohlcv-1h.csv",
        text(
            "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol",
            rows(
                _epoch(_ISO_HOURS, 1_000_000_000),
                layout="{time},34,2,1,{o},{h},{l},{c},{v},AAPL",
                price=lambda value: f"{value * 1e9:.0f}",
            ),
        ),
        "AAPL",
        _DAY,
        told="billionths",
    ),
    FileFormat(
        "Barchart",
        "aapl_daily_historical-data-01-19-2024.csv",
        text(
            "Time,Open,High,Low,Last,Change,%Chg,Volume",
            rows([*reversed(_days("%Y-%m-%d"))], layout="{time},{o},{h},{l},{c},1,1%,{v}"),
            footer='"Downloaded from Barchart.com as of 01-19-2024 06:27am CST"',
        ),
        "AAPL",
        _DAY,
        closes=CLOSES[::-1],
        volumes=VOLUMES[::-1],
        told="row 6",
        note="The last line is ignored.",
    ),
    FileFormat(
        "Investing.com",
        "AAPL Historical Data.csv",
        text(
            '"Date","Price","Open","High","Low","Vol.","Change %"',
            rows(
                [*reversed(_days("%m/%d/%Y"))],
                layout='"{time}","{c}","{o}","{h}","{l}","{v}","1.00%"',
                scale=160,
                price=lambda value: f"{value:,.2f}",
                volume=lambda number: f"{number / 1000:.3f}K",
            ),
        ),
        "AAPL",
        _DAY,
        closes=_BIG[::-1],
        volumes=VOLUMES[::-1],
        note="Thousands separators, and volumes such as 1.2M, also in the languages below.",
    ),
    FileFormat(
        "Investing.com",
        "DAX Historical Data.csv",
        text(
            '"Datum","Zuletzt","Eröffn.","Hoch","Tief","Vol.","+/- %"',
            rows(
                [*reversed(_days("%d.%m.%Y"))],
                layout='"{time}","{c}","{o}","{h}","{l}","{v}","1,00%"',
                scale=160,
                price=german,
                volume=lambda number: f"{number / 1000:.3f}K".replace(".", ","),
            ),
        ),
        "DAX",
        _DAY,
        closes=_BIG[::-1],
        volumes=VOLUMES[::-1],
    ),
    FileFormat(
        "TradeStation",
        "AAPL.txt",
        text(
            '"Date","Time","Open","High","Low","Close","Up","Down"',
            rows(
                _hours("%m/%d/%Y,%H:%M", start="2024-01-15T10:00", minutes=30),
                layout="{time},{o},{h},{l},{c},400,{v}",
                volume=lambda number: str(number - 400),
            ),
        ),
        "AAPL",
        "2024-01-15T14:30",
        told="'Up' + 'Down'",
        note="Times are the ends of bars in Eastern time. The volumes of rising and falling prices are added.",
    ),
    FileFormat(
        "Tushare",
        "000001.csv",
        text(
            "ts_code,trade_date,open,high,low,close,pre_close,change,pct_chg,vol,amount",
            rows([*reversed(_days("%Y%m%d"))], layout="000001.SZ,{time},{o},{h},{l},{c},1,1,1,{v},9"),
        ),
        "000001.SZ",
        _DAY,
        closes=CLOSES[::-1],
        volumes=VOLUMES[::-1],
        note="The symbol is `ts_code`.",
    ),
    FileFormat(
        "Excel, German",
        "dax.csv",
        text(
            "Datum;Eröffnung;Hoch;Tief;Schluss;Volumen",
            rows(
                _days("%d.%m.%Y"), ";", scale=160, price=german, volume=lambda number: f"{number:,}".replace(",", ".")
            ),
            end="\r\n",
            encoding="cp1252",
        ),
        "DAX",
        _DAY,
        closes=_BIG,
        note="Semicolons, `16.100,50`; Windows-1252 or UTF-8.",
    ),
    FileFormat(
        "Excel, French",
        "cac.csv",
        text(
            "Date;Ouverture;Plus haut;Plus bas;Clôture;Volume",
            rows(_days("%d/%m/%Y", start="2024-02-05"), ";", scale=160, price=french),
            end="\r\n",
            encoding="utf-8-sig",
        ),
        "CAC",
        "2024-02-05T00:00",
        closes=_BIG,
        note="`16 100,50` with any kind of space. The day comes first.",
    ),
    FileFormat(
        "Excel, French",
        "cac.csv",
        text(
            "Date;Ouverture;Plus haut;Plus bas;Clôture;Volume",
            rows(_days("%d/%m/%Y"), ";", scale=160, price=lambda value: french(value).replace("\u202f", "\u00a0")),
            end="\r\n",
            encoding="cp1252",
        ),
        "CAC",
        _DAY,
        closes=_BIG,
    ),
    FileFormat(
        "Excel, Swiss",
        "smi.csv",
        text("Datum;Eröffnung;Hoch;Tief;Schluss;Volumen", rows(_days("%d.%m.%Y"), ";", scale=160, price=swiss)),
        "SMI",
        _DAY,
        closes=_BIG,
        note="`16'100.50`.",
    ),
    FileFormat(
        "Excel, Chinese",
        "000001.csv",
        text("日期,开盘,最高,最低,收盘,成交量", rows(_days("%Y/%m/%d")), encoding="gb18030"),
        "000001",
        _DAY,
        note="GB 18030 or UTF-8; dates such as 2024年1月15日.",
    ),
    FileFormat(
        "Excel, Chinese",
        "000001.csv",
        text("日期,开盘价,最高价,最低价,收盘价,成交量", rows(_days("%Y年%m月%d日")), encoding="utf-8-sig"),
        "000001",
        _DAY,
    ),
    FileFormat(
        "Old Macintosh",
        "x.csv",
        text("time,open,high,low,close,volume", rows(_hours("%Y-%m-%d %H:%M")), end="\r"),
        "X",
        _DAY,
        note="Lines end with a carriage return.",
    ),
)

_ENGLISH = "Date;Open;High;Low;Close;Volume"

ASKED: tuple[FileFormat, ...] = (
    FileFormat(
        "Thousands or decimals",
        "x.csv",
        text(_ENGLISH, rows(_days("%d.%m.%Y"), ";", scale=160, price=lambda value: f"{value:,.0f}".replace(",", "."))),
        "X",
        _DAY,
        closes=tuple(float(f"{close:.0f}") for close in _BIG),
        option={"decimal": ","},
        note="`16.100` in a file with semicolons and dates such as 15.01.2024: `decimal`.",
    ),
    FileFormat(
        "Day or month",
        "x.csv",
        text("Date,Open,High,Low,Close,Volume", rows(_days("%m/%d/%Y", start="2024-02-05"))),
        "X",
        "2024-02-05T00:00",
        option={"time_format": "%m/%d/%Y"},
        note="`01/02/2024` if no day is above 12: `time_format`.",
    ),
    FileFormat(
        "An hour that occurs twice",
        "x.csv",
        text(
            "time,open,high,low,close,volume",
            rows(["2024-11-03 00:00", "2024-11-03 01:00", "2024-11-03 01:00", "2024-11-03 02:00"]),
        ),
        "X",
        "2024-11-03T04:00",
        option={"timezone": "America/New_York"},
        note="Times without a zone across a clock change: `timezone`.",
    ),
    FileFormat(
        "Several tables in a `.zip`",
        "x.zip",
        zipped(a__csv=_BINANCE_HOURS, b__csv=_BINANCE_HOURS),
        "X",
        _DAY,
        option={"member": "a.csv"},
        note="`member`.",
    ),
    FileFormat(
        "Unknown column names",
        "x.csv",
        text("When,A,B,C,D,E", rows(_days("%Y-%m-%d"))),
        "X",
        _DAY,
        option={"columns": {"time": "When", "open": "A", "high": "B", "low": "C", "close": "D", "volume": "E"}},
        note="`columns`.",
    ),
)


ALSO = (
    *("Nasdaq", "MarketWatch", "Wall Street Journal", "Google Sheets", "CoinMarketCap", "Ariva", "comdirect"),
    *("Boursorama", "Bybit", "OKX", "Coinbase", "python-binance", "Sierra Chart", "MetaStock", "Finam", "AmiBroker"),
    *("MultiCharts", "cTrader", "Tickstory", "OANDA", "Tongdaxin", "Tonghuashun", "Tiingo", "EOD Historical Data"),
    *("Twelve Data", "Finnhub", "Alpaca", "FirstRate Data", "Kibot", "Bloomberg", "Refinitiv", "JoinQuant", "akshare"),
    *("baostock", "Wind", "RiceQuant", "vn.py", "NSE", "BSE", "MOEX", "Euronext", "Nasdaq Nordic", "Taiwan", "Korea"),
)
"""Vendors whose files `vendor_files` and `program_files` hold."""


def documented() -> str:
    """Return the tables of docs/data.md: formats that are read as they are, and those that need an option."""
    read: dict[str, str] = {}
    for form in READ:
        read[form.source] = read.get(form.source) or form.note
    lines = ["| Files of | Read without a hint |", "| --- | --- |"]
    lines += [f"| {source} | {note} |" for source, note in read.items()]
    lines += ["", *textwrap.wrap(f"Also read as they are: {', '.join(ALSO)}.", LINE, break_long_words=False)]
    lines += ["", "| Rejected until you set an option | Option |", "| --- | --- |"]
    lines += [f"| {form.source} | {form.note} |" for form in ASKED]
    return "\n".join(lines) + "\n"
