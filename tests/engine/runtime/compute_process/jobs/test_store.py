"""The jobs on the bar store."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantcrafter.engine.api import DataError, RunCancelledError
from quantcrafter.engine.data.providers.csv_file import CsvProvider
from quantcrafter.engine.data.providers.table import FileTable
from quantcrafter.engine.data.store import BarStore, Gap, Series
from quantcrafter.engine.runtime.compute_process.jobs import Request
from quantcrafter.engine.runtime.compute_process.jobs.store import (
    FileImport,
    FillDone,
    GapsRequest,
    ImportDone,
    StoreDeleteRequest,
    StoreExportRequest,
    StoreFillRequest,
    StoreImportRequest,
    StoreListRequest,
)
from tests.support.bar_store import workdays, write_csv
from tests.support.job_context import DirectContext


def execute(request: Request, context: DirectContext | None = None) -> object:
    return request.execute(context or DirectContext())


def listed() -> list[tuple[str, int]]:
    found = execute(StoreListRequest())
    assert isinstance(found, tuple)
    assert all(isinstance(series, Series) for series in found)
    return [(series.symbol, series.count) for series in found]


def test_files_are_imported_one_by_one_and_a_refused_one_is_told(tmp_path: Path) -> None:
    good = write_csv(tmp_path / "spy.csv", workdays("2024-01-02", 30))
    bad = write_csv(tmp_path / "bad.csv", ["2024-01-02,0,0,0,0,0"])
    mendable = write_csv(tmp_path / "qqq.csv", [*workdays("2024-01-02", 9), "2024-01-15,0,0,0,0,0"])
    context = DirectContext()

    done = execute(
        StoreImportRequest(
            (FileImport(str(bad)), FileImport(str(good), ("SPY",)), FileImport(str(mendable), repair=True))
        ),
        context,
    )

    assert isinstance(done, tuple)
    assert done[1] == ImportDone(str(good), "SPY", "1d", 30, 0)
    assert (done[0].symbol, done[0].added, "row 2" in done[0].error) == ("BAD", 0, True)
    assert (done[2].symbol, done[2].added) == ("QQQ", 9)
    assert listed() == [("QQQ", 9), ("SPY", 30)]
    assert [step[1] for step in context.told[:3]] == [0, 1000, 2000]
    assert any("Dropped." in line.text for line in context.lines)


def test_a_file_of_many_symbols_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [f"{line},S{number}" for number in range(9) for line in workdays("2024-01-02", 3)]
    file = write_csv(tmp_path / "all.csv", rows, "Date,Open,High,Low,Close,Volume,Symbol")
    reads, read = list[Path](), CsvProvider._read

    def counted(self: CsvProvider, path: Path, subject: str, symbol: str = "", spread: str = "") -> FileTable:
        reads.append(path)
        return read(self, path, subject, symbol, spread)

    monkeypatch.setattr(CsvProvider, "_read", counted)
    symbols = tuple(f"S{number}" for number in range(9))
    execute(StoreImportRequest((FileImport(str(file), symbols),)))
    assert listed() == [(symbol, 3) for symbol in symbols]
    assert len(reads) == 1


def test_a_cancelled_import_keeps_what_was_done_and_does_no_more(tmp_path: Path) -> None:
    files = tuple(
        FileImport(str(write_csv(tmp_path / f"{name}.csv", workdays("2024-01-02", 9)))) for name in ("a", "b", "c")
    )
    asked = iter([False, True])

    with pytest.raises(RunCancelledError):
        execute(StoreImportRequest(files), DirectContext(lambda: next(asked)))
    assert listed() == [("A", 9)]


def test_gaps_are_listed_filled_exported_and_deleted(tmp_path: Path) -> None:
    holes = write_csv(tmp_path / "spy.csv", workdays("2024-01-02", 60, range(20, 30)))
    whole = write_csv(tmp_path / "whole.csv", workdays("2024-01-02", 60))
    execute(StoreImportRequest((FileImport(str(holes)),)))

    gaps = execute(GapsRequest("SPY", "1d"))
    assert isinstance(gaps, tuple)
    assert [(type(gap), gap.missing) for gap in gaps] == [(Gap, 10)]
    fill = StoreFillRequest("SPY", "1d", "csv", {"path": "whole.csv"}, base_dir=str(whole.parent))
    assert execute(fill) == FillDone(10, 10, 0)
    assert execute(fill) == FillDone(0, 0, 0)

    assert execute(StoreExportRequest((("SPY", "1d", str(tmp_path / "out.parquet")),))) == 60
    assert (tmp_path / "out.parquet").is_file()
    assert execute(StoreDeleteRequest((("SPY", "1d"),))) == 60
    assert BarStore().list() == []
    with pytest.raises(DataError, match="no 'SPY'"):
        execute(GapsRequest("SPY", "1d"))
