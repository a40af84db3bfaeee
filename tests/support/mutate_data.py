"""Mutants of data files: of those that programs write, in their bytes, their rows, their numbers, or their encoding."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from quantcrafter.engine.api import DataRequest, Timeframe
from quantcrafter.engine.data.load import load_as_they_are
from quantcrafter.engine.data.store.bar_files import file_provider
from tests.support.file_formats import ASKED, READ, FileFormat, rows, text, zipped

KINDS = ("bytes", "rows", "cells", "encoding")

_CELLS = (
    *(
        "",
        "-",
        "NaN",
        "inf",
        "-inf",
        "1e309",
        "-1",
        "0",
        "1,234",
        "1.234",
        "1.234,5",
        "1,234.5",
        "12,34",
        "1'000",
        "99" * 200,
    ),
    *("=1+1", '"', "'", "null", "\u0661\u0662", "\ufeff", "\x00", "1 234", "1\u202f234,5", "$5", "5%", "True", "2024"),
    *(
        "2024-01-15",
        "31/12/2024",
        "01/02/2024",
        "2024-02-30",
        "24:00",
        "23:59:60",
        "1705276800",
        "1705276800000000",
        "1e18",
    ),
    *(
        "99999999999999999999",
        "0001-01-01",
        "9999-12-31",
        "2024-01-15 10:00 US/Eastern",
        "2024-01-15 10:00 Mars/X",
        "AM",
    ),
    *("2024-01-15T00:00:00+99:99", "Jan 15, 2024", "1.5K", "Dividend", "2024年1月15日"),
)
_STRATEGY = """quantcrafter: 1
name: mutant
instruments:
  - {{symbol: X, data: csv, path: "{name}", timeframe: {timeframe}}}
logic:
  up: {{use: compare, left: bars.close, op: ">", right: 0}}
advisors:
  go: {{use: rule, enter_long: [up]}}
money:
  size: {{use: fixed_quantity, quantity: 1}}
execution:
  entry: {{use: market, signals: [go], money: size}}
run: {{cash: 100000}}
"""


UNCHANGED = "unchanged"
"""The kind of a file as a program writes it."""


@dataclass(frozen=True, slots=True)
class DataMutant:
    """A file's name and content, and of which kind it is (one of KINDS, or UNCHANGED)."""

    kind: str
    name: str
    data: bytes
    timeframe: str


def data_mutants(count: int, seed: int) -> Iterator[DataMutant]:
    """Yield `count` mutants, the same for the same seed."""
    rng = random.Random(seed)  # noqa: S311 - cases of a test, no secrets
    bases = [(form.name, form.data, _timeframe(form)) for form in (*READ, *ASKED)]
    bases += [("many.csv", _many(separator), "1h") for separator in (",", ";", "\t")]
    for _ in range(count):
        kind = rng.choice(KINDS)
        name, data, timeframe = rng.choice(bases)
        yield DataMutant(kind, *_CHANGES[kind](name, data, rng), timeframe)


def _timeframe(form: FileFormat) -> str:
    """Return the length of a format's bars."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / form.name
        path.write_bytes(form.data)
        provider = file_provider(str(path), dict(form.option))
        return str(load_as_they_are(provider, DataRequest(form.symbol or "AAPL", Timeframe(1, "d"))).bars.timeframe)


def write_data_mutants(folder: Path, count: int, seed: int) -> list[tuple[Path, DataMutant]]:
    """Write each mutant into a folder of its own, beside a strategy that reads it; return each path and mutant."""
    return _written(folder, data_mutants(count, seed))


def write_unchanged(folder: Path) -> list[tuple[Path, DataMutant]]:
    """Write files as programs write them in the same way: what is tried on mutants succeeds with these."""
    files = {"AAPL.csv": ",", "MSFT.csv": ";", "TSLA.csv": "\t"}
    return _written(folder, (DataMutant(UNCHANGED, name, _many(sign), "1h") for name, sign in files.items()))


def _written(folder: Path, mutants: Iterable[DataMutant]) -> list[tuple[Path, DataMutant]]:
    found = []
    for number, mutant in enumerate(mutants):
        place = folder / f"{number:04}"
        place.mkdir(parents=True)
        path = place / mutant.name
        path.write_bytes(mutant.data)
        (place / "strategy.yaml").write_text(
            _STRATEGY.format(name=mutant.name, timeframe=mutant.timeframe), encoding="utf-8"
        )
        found.append((path, mutant))
    return found


def _many(separator: str) -> bytes:
    times = [f"2024-{1 + day // 28:02}-{1 + day % 28:02} {hour:02}:00" for day in range(84) for hour in range(24)]
    return text(separator.join(("time", "open", "high", "low", "close", "volume")), rows(times, separator))


def _bytes(name: str, data: bytes, rng: random.Random) -> tuple[str, bytes]:
    made = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        place, length = rng.randrange(len(made) + 1), rng.choice((1, 1, 4, 50))
        match rng.randrange(5):
            case 0:
                made[place : place + length] = rng.randbytes(length)
            case 1:
                del made[place : place + length]
            case 2:
                made[place:place] = rng.randbytes(length)
            case 3:
                made[place:place] = made[max(0, place - length) : place]
            case _:
                made = made[:place] or made
    return name, bytes(made)


def _rows(name: str, data: bytes, rng: random.Random) -> tuple[str, bytes]:
    lines = _unwrapped(data).split(b"\n")
    for _ in range(rng.choice((1, 1, 2, 4))):
        place = rng.randrange(len(lines))
        match rng.randrange(8):
            case 0:
                rng.shuffle(lines)
            case 1:
                lines[place:place] = [lines[place]] * rng.choice((1, 3, 2_000))
            case 2:
                lines[place:place] = [lines[0]]
            case 3:
                lines[place:place] = [rng.choice((b"", b",,,,", b"# note", b"Downloaded from somewhere, on a day"))]
            case 4:
                del lines[place]
            case 5:
                lines.reverse()
            case 6:
                lines[place] = lines[place][: rng.randrange(len(lines[place]) + 1)]
            case _:
                lines[place] += rng.choice((b",1,2", b";", b'"', b"x" * 200_000))
        lines = lines or [b""]
    return _plain_name(name), b"\n".join(lines)


def _cells(name: str, data: bytes, rng: random.Random) -> tuple[str, bytes]:
    lines = _unwrapped(data).decode("utf-8", errors="replace").split("\n")
    separator = max(",;\t|", key=lines[-2].count if len(lines) > 1 else lines[0].count)
    for _ in range(rng.choice((1, 1, 2, 6))):
        place = rng.randrange(len(lines))
        cells = lines[place].split(separator)
        match rng.randrange(4):
            case 0:
                column = rng.randrange(len(cells))
                value = rng.choice(_CELLS)
                lines = [_with(line, separator, column, value) for line in lines]
            case 1 if len(cells) > 1:
                del cells[rng.randrange(len(cells))]
                lines[place] = separator.join(cells)
            case _:
                cells[rng.randrange(len(cells))] = rng.choice(_CELLS)
                lines[place] = separator.join(cells)
    return _plain_name(name), "\n".join(lines).encode("utf-8", errors="replace")


def _with(line: str, separator: str, column: int, value: str) -> str:
    cells = line.split(separator)
    if column < len(cells):
        cells[column] = value
    return separator.join(cells)


def _encoding(name: str, data: bytes, rng: random.Random) -> tuple[str, bytes]:
    shown = _unwrapped(data).decode("utf-8", errors="replace")
    made = shown.encode(
        rng.choice(("utf-16", "utf-16-le", "utf-32", "cp1252", "gb18030", "utf-7", "cp037")), errors="replace"
    )
    if rng.random() < 0.3:
        made = rng.choice((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"PK\x03\x04", b"\x1f\x8b")) + made
    if rng.random() < 0.3:
        made = made.replace(b"\n", rng.choice((b"\r", b"\r\r\n", b"\x00\n", b"\x85")))
    match rng.randrange(4):
        case 0:
            return f"{_plain_name(name)}.gz", _damaged(gzip.compress(made, mtime=0), rng)
        case 1:
            return f"{_plain_name(name)}.zip", _damaged(zipped(a__csv=made), rng)
        case _:
            return _plain_name(name), made


def _damaged(data: bytes, rng: random.Random) -> bytes:
    return _bytes("", data, rng)[1] if rng.random() < 0.4 else data


_CHANGES: dict[str, Callable[[str, bytes, random.Random], tuple[str, bytes]]] = {
    "bytes": _bytes,
    "rows": _rows,
    "cells": _cells,
    "encoding": _encoding,
}


def _unwrapped(data: bytes) -> bytes:
    """Return a text's bytes: unpacked, and in UTF-8 if it was UTF-16."""
    if data.startswith(b"\x1f\x8b"):
        data = gzip.decompress(data)
    if data.startswith(b"PK"):
        return _many(",")
    return data.decode("utf-16").encode() if data.startswith(b"\xff\xfe") else data


def _plain_name(name: str) -> str:
    return name.removesuffix(".gz").removesuffix(".zip") + (".csv" if name.endswith(".zip") else "")
