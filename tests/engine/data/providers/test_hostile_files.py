"""Data files made to harm are refused at once: with one short line, and without taking the memory they ask for."""

from __future__ import annotations

import gzip
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from quantcrafter.engine.api import DataError, DataRequest, Timeframe
from quantcrafter.engine.data.load import load_bars
from quantcrafter.engine.data.providers import archives, text_file
from quantcrafter.engine.data.store.bar_files import file_provider
from tests.support.file_formats import zipped

HEADER = "date,open,high,low,close,volume\n"
ROWS = "".join(f"2020-01-{day:02d},10,11,9,10,5\n" for day in range(1, 31))
MEGABYTE = 1 << 20
DAY = DataRequest("X", Timeframe(1, "d"))

MEASURE = """
import resource, sys
from pathlib import Path
from quantcrafter.engine.api import DataError, DataRequest, Timeframe
from quantcrafter.engine.data.load import load_bars
from quantcrafter.engine.data.store.bar_files import file_provider
from tests.support.file_formats import zipped
try:
    load_bars(file_provider(sys.argv[1], {}), DataRequest("X", Timeframe(1, "d")))
except DataError as error:
    print(error)
status = Path("/proc/self/status")  # getrusage counts what the parent had before it began this program
if status.exists():
    print(int(status.read_text().split("VmHWM:")[1].split()[0]) // 1024)
else:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1 << 20))
"""


def refusal(path: Path) -> str:
    """Return why a file is refused, read as a user names it."""
    with pytest.raises(DataError) as caught:
        load_bars(file_provider(str(path), {}), DAY)
    return str(caught.value)


def packed(path: Path, *parts: bytes) -> Path:
    """Write a gzip file of parts, in one member."""
    with gzip.open(path, "wb", 6) as file:
        for part in parts:
            file.write(part)
    return path


def sparse(path: Path) -> Path:
    """Write a file of two gigabytes that has thirty rows, and zeros that take no place on the disk."""
    with path.open("wb") as file:
        file.write((HEADER + ROWS).encode())
        file.truncate(2 << 30)
    return path


def one_cell(path: Path) -> Path:
    """Write a table whose first cell is quoted and never ends."""
    with path.open("wb") as file:
        file.write(HEADER.encode() + b'2020-01-01,"')
        for _ in range(300):
            file.write((b"x" * 99 + b"\n") * 10_486)
    return path


def constants(path: Path) -> Path:
    """Write 13 million rows that are all the same: a few hundred kilobytes as Parquet."""
    columns = {name: pl.repeat(1.0, 13_000_000, eager=True) for name in ("open", "high", "low", "close")}
    pl.DataFrame({"time": pl.repeat(0, 13_000_000, dtype=pl.Int64, eager=True), **columns}).write_parquet(path)
    return path


BOMBS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "newlines.csv.gz": (
        lambda path: packed(path, HEADER.encode(), *[b"\n" * MEGABYTE] * 300),
        "the same line is repeated more than 2,000,000 times",
    ),
    "text.csv.gz": (
        lambda path: packed(path, HEADER.encode(), *[b"1,2\n2,3\n" * (MEGABYTE // 8)] * 600),
        "can have at most 12,000,000 rows",
    ),
    "sparse.csv": (sparse, "not UTF-8 text"),
    "cell.csv": (one_cell, "quote is not closed"),
    "constant.parquet": (constants, "at most 12,000,000 rows; this one has 13,000,000"),
}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the system tells no peak of memory")
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_within_a_gigabyte_and_twenty_seconds(name: str, tmp_path: Path) -> None:
    make, message = BOMBS[name]
    path = make(tmp_path / name)
    child = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, timeout=20, check=True
    )
    *said, peak = child.stdout.splitlines()
    assert len(said) == 1
    assert message in said[0]
    assert int(peak) < 500


def test_a_packed_file_that_grows_beyond_measure_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_file, "RATIO_FREE_BYTES", 100_000)
    rows = "".join(f"2020-01-01,{number},11,9,10,5\n{' ' * 5000}\n" for number in range(200))
    assert "more than 200 times its size" in refusal(packed(tmp_path / "a.csv.gz", (HEADER + rows).encode()))


def test_an_archive_of_many_parts_is_read_and_one_of_too_many_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(HEADER.encode()) + b"".join(gzip.compress(f"{r}\n".encode()) for r in ROWS.split()))
    assert len(load_bars(file_provider(str(path), {}), DAY).bars) == 30
    monkeypatch.setattr(archives, "MAX_MEMBERS", 20)
    assert "at most 20 parts" in refusal(path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv.gz", gzip.compress(gzip.compress(b"x" * 1000)), "an archive within an archive"),
        ("a.csv", gzip.compress((HEADER + ROWS).encode()), "compressed with gzip, but its name doesn't end so"),
        ("a.csv.gz", (HEADER + ROWS).encode(), "it is not compressed with gzip"),
        ("a.csv.gz", gzip.compress((HEADER + ROWS).encode())[:-20], "it ends in the middle"),
        ("a.csv.gz", b"", "it is empty"),
        ("a.csv", (HEADER + "9" * (2 * MEGABYTE) + "\n" + ROWS).encode(), "line 2 is longer than 1,048,576 bytes"),
        ("a.csv", b"9" * (2 * MEGABYTE), "the file is not a table"),
        ("a.csv", ",".join(f"c{i}" for i in range(12_000)).encode() + b"\n1\n", "at most 10,000 columns"),
        ("a.csv", ",".join(f"c{i}" for i in range(1_000_000)).encode() + b"\n1\n", "at most 10,000 columns"),
        ("a.csv", (HEADER + ROWS).encode() + b"\n2021-01-01,1\x00,1,1,1,1\n", "not UTF-8 text"),
        ("a.csv", (HEADER + ROWS * 100).encode() + b"\n1,1\x00,1,1,1,1\n", "byte 72,037 is zero"),
        ("a.csv", (HEADER + "2020-01-01,10,11,9,10,5\n" * 150_000).encode(), "the same line is repeated"),
        ("a.parquet", b"PAR1" + b"\xff" * 1000 + (990).to_bytes(4, "little") + b"PAR1", "not a readable Parquet file"),
        ("a.parquet", b"PAR1" + b"\x19" * 1000 + (990).to_bytes(4, "little") + b"PAR1", "not a readable Parquet file"),
        ("a.parquet", b"PAR1", "not a readable Parquet file"),
    ],
    ids=str.split("gzgz unnamed notgz cut empty line noline header giant nul latenul equal deep lists short"),
)
def test_a_hostile_file_gets_one_short_line(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    said = refusal(path)
    assert message in said
    assert "\n" not in said
    assert len(said) < 600


def test_a_long_cell_of_a_parquet_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    prices = {name: [1.0] * 3 for name in ("open", "high", "low", "close")}
    pl.DataFrame({"time": ["2020-01-01", "x" * 10_000, "2020-01-03"], **prices}).write_parquet(path)
    assert "a cell of column 'time' has 10,000 bytes" in refusal(path)


def test_a_secret_in_a_file_that_is_no_table_is_not_shown(tmp_path: Path) -> None:
    for number, text in enumerate(("SECRETPW\n", "user:SECRETPW:1\n", "a,SECRETPW\nb,c\n", "k=SECRETPW;b\n")):
        path = tmp_path / f"{number}.csv"
        path.write_text(text)
        assert "SECRETPW" not in refusal(path)


def test_a_long_wrong_cell_is_shortened_and_its_control_characters_are_escaped(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(HEADER + "2020-01-01,\x1b[31m" + "z" * 500 + ",11,9,10,5\n" + ROWS)
    said = refusal(path)
    assert r"'\x1b[31mzzz" in said
    assert "\x1b" not in said
    assert len(said) < 400


def test_blank_rows_behind_a_table_are_no_bomb(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(HEADER + ROWS + ",,,,,\n" * 200_000)
    assert len(load_bars(file_provider(str(path), {}), DAY).bars) == 30


def test_limits_are_raised_by_who_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.csv"
    path.write_text(HEADER + ROWS)
    monkeypatch.setattr("quantcrafter.engine.data.limits._ROWS", 10)
    assert "at most 10 rows" in refusal(path)
    assert "QUANTCRAFTER_DATA_LIMIT=4" in refusal(path)
    monkeypatch.setenv("QUANTCRAFTER_DATA_LIMIT", "4")
    assert len(load_bars(file_provider(str(path), {}), DAY).bars) == 30


def test_every_kind_of_parquet_file_is_measured_rightly(tmp_path: Path) -> None:
    from quantcrafter.engine.data.providers.parquet_size import read_size

    path = tmp_path / "a.parquet"
    frame = pl.DataFrame({"time": np.arange(5000), "name": ["x"] * 5000, "ok": [True] * 5000, "list": [[1, 2]] * 5000})
    for compression in ("zstd", "uncompressed", "snappy"):
        frame.write_parquet(path, compression=compression, row_group_size=1000)
        with path.open("rb") as file:
            size = read_size(file, "X")
        assert size.rows == 5000
        assert size.unpacked > 5000


def archived(path: Path, **members: bytes) -> Path:
    """Write a zip archive; `__` in a member's name stands for a dot."""
    path.write_bytes(zipped(**members))
    return path


def test_archives_that_are_no_single_table_get_one_short_line(tmp_path: Path) -> None:
    table = (HEADER + ROWS).encode()
    assert len(load_bars(file_provider(str(archived(tmp_path / "a.zip", a__csv=table)), {}), DAY).bars) == 30
    for members, message in (
        ({"a__csv": table, "b__csv": table}, "has 2 tables: 'a.csv', 'b.csv'. Name one with 'member'"),
        ({"a__exe": table}, "has no table that ends in .csv, .tsv, .txt; it has 'a.exe'"),
        ({}, "it has no file at all"),
        ({"a__csv": gzip.compress(table)}, "an archive within an archive"),
    ):
        assert message in refusal(archived(tmp_path / "b.zip", **members))
    (tmp_path / "c.zip").write_bytes(zipped(a__csv=table)[:-30])
    assert "it is not a complete zip archive" in refusal(tmp_path / "c.zip")
    broken = bytearray(zipped(a__csv=table))
    broken[60:80] = b"\xff" * 20
    (tmp_path / "d.zip").write_bytes(broken)
    assert "it is not a complete zip archive" in refusal(tmp_path / "d.zip")


def test_a_zip_that_grows_beyond_measure_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_file, "RATIO_FREE_BYTES", 100_000)
    rows = "".join(f"2020-01-01,{number},11,9,10,5\n{' ' * 5000}\n" for number in range(200))
    assert "more than 200 times its size" in refusal(archived(tmp_path / "a.zip", a__csv=(HEADER + rows).encode()))
    monkeypatch.setattr(archives, "MAX_FOOTER_BYTES", 10)
    assert "list of files can take at most 10 bytes" in refusal(tmp_path / "a.zip")
