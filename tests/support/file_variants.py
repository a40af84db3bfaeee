"""Files as people and programs vary them: numbers, times, zones, encodings and lines, each with what must come of it.

All hold the same bars as far as they are written with their precision: closes of 100.5, 101.5... times a scale.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tests.support.file_formats import german, text

Write = str | Callable[[datetime], str]
"""A pattern of strftime, or what writes a time."""
Price = Callable[[float], str]

START = datetime(2024, 1, 15)  # noqa: DTZ001 - times as they are written, in whatever zone
COUNT = 30
HEADER = "Date,Open,High,Low,Close,Volume"
SEMICOLONS = HEADER.replace(",", ";")
GERMAN = "Datum;Eröffnung;Hoch;Tief;Schluss;Volumen"
ISO = "%Y-%m-%d"
NEW_YORK = "2024-01-15T14:30"
COMMAS = "{t},{o},{h},{l},{c},{v}"
SEMI = "{t};{o};{h};{l};{c};{v}"
TABS = "{t}\t{o}\t{h}\t{l}\t{c}\t{v}"
QUOTED = '"{t}","{o}","{h}","{l}","{c}","{v}"'


@dataclass(frozen=True)
class FileVariant:
    """One file.

    Args:
        title: what is peculiar in it.
        name: its name.
        data: its content.
        first: when the first bar opens (UTC).
        count: how many bars it has.
        scale: what prices of 100.5, 101.5... are multiplied by.
        volume: what volumes of 1000, 1001... are multiplied by; 0 where there is none.
        symbol: the symbol that file or name give away; None where it is to be asked for; '' where it is no matter.
    """

    title: str
    name: str
    data: bytes
    first: str = "2024-01-15T00:00"
    count: int = COUNT
    scale: float = 1.0
    volume: float = 1.0
    symbol: str | None = ""


def written(when: datetime, how: Write) -> str:
    """Return a time as it is written."""
    return when.strftime(how) if isinstance(how, str) else how(when)


def days(how: Write, count: int = COUNT) -> list[str]:
    """Return days from Monday to Friday."""
    weeks = (START + timedelta(days=number) for number in range(2 * count))
    return [written(day, how) for day in weeks if day.weekday() < 5][:count]


def hours(how: Write, count: int = COUNT, *, minutes: int = 60, start: datetime = START) -> list[str]:
    """Return times one after the other."""
    return [written(start + timedelta(minutes=minutes * number), how) for number in range(count)]


def half_hours(how: Write) -> list[str]:
    """Return the 65 half hours of five days of trading, from 09:30 to 16:00."""
    opens = timedelta(hours=9, minutes=30)
    return [
        written(START + timedelta(days=day, minutes=30 * part) + opens, how) for day in range(5) for part in range(13)
    ]


def epoch(factor: int) -> Callable[[datetime], str]:
    """Return what writes a time (UTC) as a number since 1970."""
    return lambda when: str(round(when.replace(tzinfo=UTC).timestamp()) * factor)


def point(value: float) -> str:
    """Return `100.50`."""
    return f"{value:.2f}"


def comma(value: float) -> str:
    """Return `100,50`."""
    return f"{value:.2f}".replace(".", ",")


def thousands(sign: str, decimal: str = ".") -> Price:
    """Return what writes `16'100.50` with signs of its own."""
    return lambda value: f"{value:,.2f}".replace(",", "\0").replace(".", decimal).replace("\0", sign)


def whole(sign: str) -> Price:
    """Return what writes `16'100`."""
    return lambda value: f"{value:,.0f}".replace(",", sign)


def lines(
    times: Sequence[str],
    layout: str = COMMAS,
    *,
    scale: float = 1.0,
    price: Price = point,
    volume: Callable[[int], str] = str,
) -> list[str]:
    """Return a line for each time: `t`, `o`, `h`, `l`, `c`, `v`, and also `i` for its number and `w` for an average."""
    made = []
    for number, time in enumerate(times):
        base = 100.0 + number
        prices = {"o": base, "h": base + 1.0, "l": base - 1.0, "c": base + 0.5, "w": base + 0.2}
        cells = {name: price(value * scale) for name, value in prices.items()}
        made.append(layout.format(t=time, i=number, v=volume(1000 + number), **cells))
    return made


def daily(  # noqa: PLR0913 - the ways in which vendors differ
    title: str,
    name: str,
    header: str,
    layout: str = COMMAS,
    how: Write = ISO,
    *,
    price: Price = point,
    scale: float = 1.0,
    volume: float = 1.0,
    symbol: str | None = "",
    newest_first: bool = False,
    encoding: str = "utf-8",
    footer: str = "",
    first: str = "2024-01-15T00:00",
) -> FileVariant:
    """Return a file of days."""
    rows = lines(days(how), layout, scale=scale, price=price)
    data = text(header, rows[::-1] if newest_first else rows, encoding=encoding, footer=footer)
    return FileVariant(title, name, data, first=first, scale=scale, volume=volume, symbol=symbol)


def hourly(
    title: str, name: str, header: str, layout: str, how: Write, *, symbol: str | None = "", newest_first: bool = False
) -> FileVariant:
    """Return a file of 48 hours (UTC)."""
    rows = lines(hours(how, 48), layout)
    return FileVariant(title, name, text(header, rows[::-1] if newest_first else rows), count=48, symbol=symbol)


def session(title: str, name: str, header: str, layout: str, how: Write, *, symbol: str | None = "") -> FileVariant:
    """Return a file of the half hours of New York."""
    return FileVariant(
        title, name, text(header, lines(half_hours(how), layout)), first=NEW_YORK, count=65, symbol=symbol
    )


def numbers() -> Iterator[FileVariant]:
    """Yield files whose numbers are written as spreadsheets of many countries do."""
    blanks = {"blank": " ", "no-break space": "\u00a0", "narrow space": "\u202f", "thin space": "\u2009"}
    signs = {**blanks, "apostrophe": "'", "quotation mark": "\u2019"}
    for name, sign in signs.items():
        french = thousands(sign, ",")
        written_as = {SEMICOLONS: SEMI, SEMICOLONS.replace(";", "\t"): TABS, HEADER: QUOTED}
        for header, layout in written_as.items():
            rows = lines(days("%Y-%m-%d"), layout, scale=384.0, price=french)
            yield FileVariant(f"decimal comma, {name}, {layout[3]!r}", "x.csv", text(header, rows), scale=384.0)
        rows = lines(days("%Y-%m-%d"), SEMI, scale=384.0, price=thousands(sign))
        yield FileVariant(f"decimal point, {name}", "x.csv", text(SEMICOLONS, rows), scale=384.0)
        rows = lines(
            days("%Y-%m-%d"),
            QUOTED,
            scale=400.0,
            price=whole(sign),
            volume=lambda n, s=sign: f"{n:,}".replace(",", s),  # type: ignore[misc]
        )
        yield FileVariant(f"whole numbers, {name}", "x.csv", text(HEADER, rows), scale=400.0)
    iso, dotted = days("%Y-%m-%d"), days("%d.%m.%Y")
    for scale, price, title in (
        (9.0, thousands(","), "crosses a thousand"),
        (8.0, whole(","), "crosses a thousand, whole"),
        (400.0, whole(","), "whole thousands"),
        (2000.0, lambda v: f"{int(v) // 100000},{int(v) // 1000 % 100:02},{int(v) % 1000:03}.00", "India"),
        (1.0, lambda v: f"{v:.2f} USD", "currency behind"),
        (1.0, lambda v: f"EUR {v:.2f}", "currency before"),
        (1.0, lambda v: f"${v:.2f}", "dollar sign"),
    ):
        yield FileVariant(title, "x.csv", text(HEADER, lines(iso, QUOTED, scale=scale, price=price)), scale=scale)
    for scale, price, title in (
        (8.0, whole("."), "crosses a thousand, points"),
        (1.25, lambda v: f"{v:.3f}".replace(".", ","), "three decimals of a pair"),
        (160.0, lambda v: german(v) + " €", "euro sign"),
        (160.0, lambda v: german(v) + "\u00a0€", "euro sign behind a no-break space"),
    ):
        yield FileVariant(title, "x.csv", text(GERMAN, lines(dotted, SEMI, scale=scale, price=price)), scale=scale)
    small = lines(iso, SEMI, scale=1e-6, price=lambda v: f"{v:.6E}".replace(".", ","))
    yield FileVariant("exponents with decimal commas", "x.csv", text(SEMICOLONS, small), scale=1e-6)
    for title, price, volume, factor in (
        ("volumes in millions", point, lambda n: f"{n / 1000:.3f}M", 1000.0),
        ("volumes in ten thousands", point, lambda n: f"{n / 10:.2f}万", 1000.0),
        ("volumes with commas", point, lambda n: f"{n * 1000:,}", 1000.0),
    ):
        rows = lines(iso, QUOTED, price=price, volume=volume)
        yield FileVariant(title, "x.csv", text(HEADER, rows), volume=factor)
    rows = lines(dotted, SEMI, price=german, volume=lambda n: f"{n / 1000:.3f} Mio.".replace(".", ",", 1))
    yield FileVariant("volumes in Mio.", "x.csv", text(GERMAN, rows), volume=1000.0)


_TIMES: dict[str, Write] = {
    **{how: how for how in ("%Y-%m-%dT%H:%M:%S.000Z", "%Y-%m-%d %H:%M:%S+00:00", "%Y-%m-%dT%H:%M:%S+0000")},
    **{how: how for how in ("%Y-%m-%d %H:%M:%S UTC", "%Y%m%dT%H%M%S", "%Y/%m/%d %H:%M", "%d.%m.%Y %H:%M")},
    **{how: how for how in ("%d-%m-%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y %I:%M %p")},
    **{how: how for how in ("%m/%d/%y %H:%M", "%b %d, %Y %H:%M", "%d %b %Y %H:%M", "%d-%b-%Y %H:%M:%S")},
    **{how: how for how in ("%Y.%m.%d %H:%M", "%Y%m%d %H:%M", "%Y%m%d%H%M%S", "%Y%m%d%H%M", "%Y-%m-%dT%H:%MZ")},
    **{how: how for how in ("%Y-%m-%d %H:%M:%S.%f", "%a, %d %b %Y %H:%M:%S GMT", "%a %d/%m/%Y %H:%M")},
    **{how: how for how in ("%A, %d %b %Y %H:%M:%S", "%a %b %d %Y %H:%M:%S", "%a %b %d %H:%M:%S %Y")},
    **{how: how for how in ("%Y-%m-%dT%H:%M:%SZ[UTC]", "%Y-%b-%d %H:%M", "%Y-%m-%d_%H:%M:%S")},
    **{how: how for how in ("%Y-%m-%d, %H:%M:%S", "%Y%m%d %H:%M:%S:000", "%m/%d/%Y, %I:%M %p", "%Y-%m-%d %I-%p")},
    "Chinese": lambda when: f"{when.year}年{when.month}月{when.day}日 {when.hour}:{when.minute:02}",
    "without zeros": lambda when: f"{when.year}/{when.month}/{when.day} {when.hour}:{when.minute:02}",
    "seconds": epoch(1),
    "milliseconds": epoch(1000),
    "microseconds": epoch(1_000_000),
    "nanoseconds": epoch(1_000_000_000),
    "seconds as decimals": lambda when: epoch(1)(when) + ".0",
    "milliseconds as an exponent": lambda when: f"{float(epoch(1000)(when)):.9e}",
    "days of a spreadsheet": lambda when: f"{(when - datetime(1899, 12, 30)).total_seconds() / 86400:.8f}",  # noqa: DTZ001
}


def times() -> Iterator[FileVariant]:
    """Yield files whose times are written in many ways."""
    for name, how in _TIMES.items():
        rows = lines(hours(how, 48), QUOTED)
        yield FileVariant(f"time {name}", "x.csv", text("Time,Open,High,Low,Close,Volume", rows), count=48)
    units = [epoch(factor) for factor in (1, 1000, 1_000_000, 1_000_000_000)]
    for number, (one, other) in enumerate(zip(units, (*units[1:], units[0]), strict=True)):
        rows = lines([*hours(one)[:1], *hours(other)[1:]])
        yield FileVariant(f"units joined {number}", "x.csv", text("time,open,high,low,close,volume", rows))
    serial = lines(days(lambda day: str((day - datetime(1899, 12, 30)).days)))  # noqa: DTZ001
    yield FileVariant("dates of a spreadsheet", "x.csv", text(HEADER, serial))
    months = [f"{2020 + number // 12}-{1 + number % 12:02}" for number in range(COUNT)]
    yield FileVariant("months", "x.csv", text(HEADER, lines(months)), first="2020-01-01T00:00")
    named = [datetime.fromisoformat(f"{month}-01").strftime("%b %Y") for month in months]
    yield FileVariant("months by name", "x.csv", text(HEADER, lines(named)), first="2020-01-01T00:00")
    taiwan = lines(days(lambda day: f"{day.year - 1911}/{day.month:02}/{day.day:02}"), QUOTED)
    yield FileVariant("years of Taiwan", "x.csv", text(HEADER, taiwan))
    for zone, first in (
        *((" US/Eastern", "14:30"), (" EST", "14:30"), (" EST5EDT", "14:30"), (" America/New_York", "14:30")),
        *(("-05:00", "14:30"), (" -0500", "14:30"), ("-05:00[America/New_York]", "14:30")),
        *((" (America/New_York)", "14:30"), (" US/Central", "15:30"), (" MET", "08:30"), (" GMT+1", "08:30")),
        *((" UTC+8", "01:30"), (" UTC-05:00", "14:30"), ("+05:30", "04:00"), (" JST", "00:30")),
    ):
        rows = lines(half_hours(f"%Y-%m-%dT%H:%M:%S{zone}" if "[" in zone else f"%Y-%m-%d %H:%M:%S{zone}"))
        data = text("Time,Open,High,Low,Close,Volume", rows)
        yield FileVariant(f"zone{zone}", "x.csv", data, first=f"2024-01-15T{first}", count=65)
    for header, first in (("Time (EET)", "07:30"), ("Time (UTC)", "09:30"), ("Date (America/New_York)", "14:30")):
        data = text(f"{header},Open,High,Low,Close,Volume ", lines(half_hours("%Y.%m.%d %H:%M:%S")))
        yield FileVariant(f"zone in {header}", "x.csv", data, first=f"2024-01-15T{first}", count=65)
    for how in ("%Y%m%d,%H%M", "%m/%d/%Y,%I:%M %p", "%Y%m%d,%H%M%S", "%Y.%m.%d,%H:%M"):
        data = text("Date,Time,Open,High,Low,Close,Volume", lines(half_hours(how)))
        yield FileVariant(f"date and time {how}", "x.csv", data, first="2024-01-15T14:30", count=65)


def encodings() -> Iterator[FileVariant]:
    """Yield files in encodings of many countries, told by their mark or by the words of their header."""
    words = {
        **dict.fromkeys(("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "mac_roman"), GERMAN),
        "cp932": "日付;始値;高値;安値;終値;出来高",
        "cp949": "일자;시가;고가;저가;종가;거래량",
        "big5": "日期;開盤價;最高價;最低價;收盤價;成交股數",
        "gb18030": "日期;开盘(元);最高(元);最低(元);收盘(元);成交量(股)",
        "cp1251": "Дата;Откр.;Макс.;Мин.;Закр.;Объем",
        "koi8-r": "Дата;Откр.;Макс.;Мин.;Закр.;Объем",
        "cp1250": "Data;Otwarcie;Najwyższy;Najniższy;Zamknięcie;Wolumen",
        "cp1254": "Tarih;Açılış;Yüksek;Düşük;Kapanış;Hacim",  # noqa: RUF001 - as it is written
        "latin-1": "Data;Abertura;Máximo;Mínimo;Fechamento;Volume",
    }
    for encoding, header in words.items():
        data = text(header, lines(days("%Y-%m-%d"), SEMI), end="\r\n", encoding=encoding)
        yield FileVariant(f"encoding {encoding}", "x.csv", data)
        if encoding.startswith(("utf", "cp9", "gb")):
            data = text(header.replace(";", "\t"), lines(days("%Y-%m-%d"), TABS), encoding=encoding)
            yield FileVariant(f"encoding {encoding}, tabs", "x.txt", data)


def shapes() -> Iterator[FileVariant]:
    """Yield files with more around their rows than rows."""
    rows = lines(days("%Y-%m-%d"))
    semi = lines(days("%Y-%m-%d"), SEMI, price=comma)
    before = {
        "separator told in a line of its own": ("sep=;\n" + SEMICOLONS, semi),
        "comments": ("# from a site\n# of 2024\n" + HEADER, rows),
        "titles": ("Apple Inc.\nHistorical prices\n\n" + HEADER, rows),
        "blanks in the header": (HEADER.replace(",", ", "), lines(days("%Y-%m-%d"), COMMAS.replace(",", ", "))),
        "quotes": ('"' + HEADER.replace(",", '","') + '"', lines(days("%Y-%m-%d"), QUOTED)),
        "separators behind each line": (SEMICOLONS + ";;;", [row + ";;;" for row in semi]),
        "separators behind rows": (HEADER, [row + "," for row in rows]),
        "unnamed index": (",open,high,low,close,volume", rows),
        "index called Unnamed": ("Unnamed: 0,open,high,low,close,volume", rows),
        "index": ("index,open,high,low,close,volume", rows),
        "numbers before dates": (",date,open,high,low,close,volume", lines(days("%Y-%m-%d"), "{i}," + COMMAS)),
        "numbered names": ("date,1. open,2. high,3. low,4. close,5. volume", rows),
        "units in names": ("Date,Open (EUR),High (EUR),Low (EUR),Close (EUR),Volume", rows),
        "header again": (HEADER, [*rows[:15], "\ufeff" + HEADER, *rows[15:]]),
    }
    for title, (header, body) in before.items():
        yield FileVariant(title, "x.csv", text(header, body))
    for footer in ("Total rows: 30", "Source: ACME,,,,,", "\n(c) 2024 ACME, all rights\nacme.example", "\x1a", "30"):
        yield FileVariant(f"footer {footer!r}", "x.csv", text(HEADER, rows, footer=footer))
    for end in ("\r", "\r\n", "\r\r\n", "\n\r", "\n\n"):
        yield FileVariant(f"ends {end!r}", "x.csv", text(HEADER, rows, end=end))
    headless = {
        "usual order": lines(hours(epoch(1))),
        "order of Coinbase": lines(hours(epoch(1)), "{t},{l},{h},{o},{c},{v}"),
        "order of Bitfinex": lines(hours(epoch(1000)), "{t},{o},{c},{h},{l},{v}"),
        "average of Kraken": lines(hours(epoch(1)), "{t},{o},{h},{l},{c},{w},{v},42"),
        "symbol first": lines(hours("%Y%m%d,%H%M"), "EURUSD," + COMMAS),
        "number of a security first": lines(hours("%d/%m/%y %H:%M"), "FR0000131104;" + SEMI, price=comma),
    }
    for title, body in headless.items():
        yield FileVariant(f"no header, {title}", "x.csv", text("", body))
    clock = text("", lines(half_hours("%Y%m%d,%-H%M")))
    yield FileVariant("no header, hours without zero", "x.csv", clock, first="2024-01-15T14:30", count=65)


def file_variants() -> list[FileVariant]:
    """Return all of them."""
    return [*numbers(), *times(), *encodings(), *shapes()]
