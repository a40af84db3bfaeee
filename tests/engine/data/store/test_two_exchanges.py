"""Prices of one symbol on two exchanges: never one series, whatever they were packed or joined in."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from quantcrafter.engine.cli.main import main
from quantcrafter.engine.data.store import BarStore
from quantcrafter.engine.runtime.compute_process.jobs.store import FileImport, StoreImportRequest
from tests.support.job_context import DirectContext

HEAD = "time,open,high,low,close,volume"


def rows(day: int, price: float) -> list[str]:
    return [f"2024-01-{day + n:02}T00:00:00Z,{price},{price + 1},{price - 1},{price},1" for n in range(6)]


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path / "home"))


def written(path: Path, day: int, price: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([HEAD, *rows(day, price)]) + "\n", encoding="utf-8")
    return path


def count() -> int:
    (series,) = BarStore().list()
    return series.count


@pytest.mark.parametrize("day", [2, 12])
def test_two_tables_of_a_zip_are_not_joined(tmp_path: Path, day: int, capsys: pytest.CaptureFixture[str]) -> None:
    archive = tmp_path / "coins.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.write(written(tmp_path / "a.csv", 2, 100.0), "BINANCE_BTCUSDT.csv")
        packed.write(written(tmp_path / "b.csv", day, 100.5), "KRAKEN_BTCUSDT.csv")
    assert main(["data", "import", str(archive), "--set", "member=BINANCE_BTCUSDT.csv"]) == 0
    assert main(["data", "import", str(archive), "--set", "member=KRAKEN_BTCUSDT.csv"]) == 1
    assert "the store has BTCUSDT 1d of BINANCE, this file is of KRAKEN" in capsys.readouterr().err.replace("\n", " ")
    assert count() == 6
    named = ["--symbol", "BTCUSDT"]
    assert main(["data", "import", str(archive), "--set", "member=KRAKEN_BTCUSDT.csv", *named]) == 0


def test_files_of_two_exchanges_are_not_joined(tmp_path: Path) -> None:
    files = [
        str(written(tmp_path / f"{name}/BTCUSDT.csv", day, 100.0)) for name, day in (("binance", 2), ("kraken", 12))
    ]
    assert main(["data", "import", *files]) == 1
    assert count() == 6
    assert main(["data", "import", files[0]]) == 0  # the same one again


@pytest.mark.parametrize(("spread", "result"), [(0.05, 1), (0.0, 0)])
def test_files_with_other_prices_at_nearly_all_times_are_not_joined(
    tmp_path: Path, spread: float, result: int, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, more in (("one", 0.0), ("two", spread)):
        made = [
            f"2024-01-{1 + n // 24:02}T{n % 24:02}:00:00Z,{','.join([str(100 + n / 10 + more)] * 4)},1"
            for n in range(72)
        ]
        made[5] = made[5].replace(",1", ",2")  # a correction
        (tmp_path / name).mkdir()
        (tmp_path / name / "BTCUSDT.csv").write_text("\n".join([HEAD, *made]) + "\n", encoding="utf-8")
    assert main(["data", "import", str(tmp_path / "one" / "BTCUSDT.csv")]) == 0
    assert main(["data", "import", str(tmp_path / "two" / "BTCUSDT.csv")]) == result
    assert ("of another exchange, or were adjusted since" in " ".join(capsys.readouterr().err.split())) == bool(result)


def test_folders_of_years_are_joined(tmp_path: Path) -> None:
    files = [
        str(written(tmp_path / f"binance/{year}/BTCUSDT.csv", day, 100.0)) for year, day in ((2023, 2), (2024, 12))
    ]
    assert main(["data", "import", *files]) == 0
    assert count() == 12


@pytest.mark.parametrize("turns", [1, 0])
def test_a_joined_file_of_two_exchanges_is_refused(
    tmp_path: Path, turns: int, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = (
        [f"{row},{name}" for row in rows(2, price)] for name, price in (("BINANCE", 100.0), ("KRAKEN", 100.5))
    )
    lines = [row for pair in zip(one, other, strict=True) for row in pair] if turns else [*one, *other]
    file = tmp_path / "BTCUSDT.csv"
    file.write_text("\n".join([f"{HEAD},exchange", *lines]) + "\n", encoding="utf-8")
    assert main(["data", "import", str(file), "--repair"]) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "the rows are of several exchanges, as the column 'exchange' says: BINANCE, KRAKEN" in said


def test_a_share_that_moved_to_another_exchange_is_read(tmp_path: Path) -> None:
    lines = [*(f"{row},NYSE" for row in rows(2, 100.0)), *(f"{row},NASDAQ" for row in rows(12, 101.0))]
    file = tmp_path / "X.csv"
    file.write_text("\n".join([f"{HEAD},exchange", *lines]) + "\n", encoding="utf-8")
    assert main(["data", "import", str(file), "--symbol", "X"]) == 0
    assert count() == 12


FOLDERS = ("futures", "swap", "binance-futures", "um", "cm", "perp", "futures/um/daily", "perpetuals", "okx_swap_1h")


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("symbol", ["BTCUSDT", "RELIANCE"])
def test_the_future_of_a_symbol_is_not_joined_with_the_thing_itself(
    tmp_path: Path, folder: str, symbol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path / f"{symbol}-1d.csv", 2, 100.0)
    written(tmp_path / folder / f"{symbol}-1d.csv", 12, 100.5)
    main(["data", "import", str(tmp_path / f"{symbol}-1d.csv")])
    monkeypatch.chdir(tmp_path / folder)
    main(["data", "import", f"{symbol}-1d.csv"])
    assert {(each.symbol, each.count) for each in BarStore().list()} - {(f"{symbol}_PERP", 6)} == {(symbol, 6)}


def test_a_future_that_the_store_has_is_not_joined_either(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first file is named from within its folder."""
    written(tmp_path / "futures" / "RELIANCE.csv", 2, 100.0)
    later = str(written(tmp_path / "RELIANCE.csv", 12, 100.5))
    monkeypatch.chdir(tmp_path / "futures")
    assert main(["data", "import", "RELIANCE.csv"]) == 0
    assert main(["data", "import", later]) == 1
    told = " ".join(capsys.readouterr().err.split())
    assert "the store has RELIANCE 1d of futures, this file is of spot prices" in told
    assert count() == 6
    assert main(["data", "import", later, "--symbol", "RELIANCE"]) == 0
    assert count() == 12


def test_files_of_one_kind_are_joined(tmp_path: Path) -> None:
    files = [written(tmp_path / f"futures/{year}/ES.csv", day, 100.0) for year, day in ((2023, 2), (2024, 12))]
    assert main(["data", "import", *map(str, files)]) == 0
    assert count() == 12


def test_a_folder_with_other_words_says_nothing(tmp_path: Path) -> None:
    files = [
        written(tmp_path / f"{name}/BTCUSDT.csv", day, 100.0) for name, day in (("futures of my bot", 2), ("x", 12))
    ]
    assert main(["data", "import", *map(str, files)]) == 0
    assert count() == 12


def test_an_import_of_the_desktop_checks_a_symbol_that_the_name_shows(tmp_path: Path) -> None:
    files = [written(tmp_path / f"{name}/BTCUSDT.csv", day, 100.0) for name, day in (("binance", 2), ("kraken", 12))]
    for symbol, error in (("BTCUSDT", True), ("KRAKEN:BTCUSDT", False)):
        wished = [("BTCUSDT",), (symbol,)]
        request = StoreImportRequest(
            tuple(FileImport(str(path), names) for path, names in zip(files, wished, strict=True))
        )
        first, second = request.execute(DirectContext())
        assert (bool(first.error), bool(second.error)) == (False, error)
