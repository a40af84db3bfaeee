"""A damaged run is named and can be deleted, and hides no other."""

from __future__ import annotations

import io
import shutil
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from quantcrafter.engine.api import RunError
from quantcrafter.engine.cli.main import DONE, FAILED, main
from quantcrafter.engine.runtime.run_store.history import RunHistory
from tests.support.results import walk_result

DAMAGE = [
    ("started", "yesterday", "'started' must be a time, was 'yesterday'"),
    ("started", None, "'started' must be a time, was ''"),
    ("started", 5, "'started' must be a time, was '5'"),
    ("symbols", "7", "'symbols' must be a list of texts, was '7'"),
    ("symbols", "[1, 2]", "'symbols' must be a list of texts"),
    ("metrics", "{oops", "'metrics' must be a mapping of numbers, was '{oops'"),
    ("metrics", '{"sharpe": "high"}', "'metrics' must be a mapping of numbers"),
    ("metrics", "[" * 100_000, "'metrics' must be a mapping of numbers"),
    ("settings", "[]", "'settings' must be a mapping, was '[]'"),
    ("timing", "null", "'timing' must be a mapping of numbers, was 'null'"),
    ("bars", "many", "'bars' must be a whole number, was 'many'"),
    ("pinned", -3, "'pinned' must be 0 or 1, was -3"),
    ("strategy", b"\xff\xfe", "'strategy' must be text"),
]


@pytest.fixture(autouse=True)
def home_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path))
    return tmp_path


def three_runs() -> list[str]:
    history = RunHistory()
    return [history.add(walk_result(seed=seed), columns=False) for seed in (1, 2, 3)]


def spoil(run_id: str, column: str, value: object) -> None:
    with sqlite3.connect(RunHistory().path) as connection:
        sql = f"UPDATE runs SET {column} = ? WHERE id = ?"  # noqa: S608 - a name of our own
        connection.execute(sql, ("" if value is None else value, run_id))
    connection.close()


@pytest.mark.parametrize(
    ("column", "value", "text"), DAMAGE, ids=[f"{each[0]}-{number}" for number, each in enumerate(DAMAGE)]
)
def test_a_damaged_row_is_named_can_be_deleted_and_hides_no_other(
    column: str, value: object, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = three_runs()
    spoil(runs[1], column, value)
    history = RunHistory()

    listed = history.list()
    assert [record.id for record in listed] == runs[::-1]
    assert [bool(record.damage) for record in listed] == [False, True, False]
    assert text in listed[1].damage
    with pytest.raises(
        RunError, match=f"The run '{runs[1]}' .* is damaged: .*Delete it with `quantcrafter runs delete"
    ):
        history.get(runs[1])
    assert history.open(runs[0]).kept == "tables"

    assert main(["runs"]) == DONE
    told = capsys.readouterr()
    assert all(run_id in told.out for run_id in runs)
    assert f"The run {runs[1]} is damaged" in told.err
    assert main(["runs", "list", "--json"]) == DONE
    assert main(["runs", "show", runs[1]]) == FAILED
    assert "Traceback" not in capsys.readouterr().err
    assert main(["runs", "delete", runs[1]]) == DONE
    assert [record.id for record in history.list()] == [runs[2], runs[0]]


def test_an_id_that_leads_out_of_the_folder_deletes_its_row_only(home_dir: Path) -> None:
    runs = three_runs()
    precious = home_dir / "precious.npz"
    precious.write_bytes(b"x")
    spoil(runs[0], "id", "../precious")
    RunHistory().delete("../precious")
    assert precious.exists()
    assert len(RunHistory().list()) == 2


def forged(shape: tuple[int, ...], data: bytes = b"\0" * 64, compression: int = zipfile.ZIP_STORED) -> bytes:
    member = io.BytesIO()
    np.lib.format.write_array_header_1_0(member, {"descr": "<f8", "fortran_order": False, "shape": shape})
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", compression) as archive:
        archive.writestr("fills.price.npy", member.getvalue() + data)
    return made.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        lambda: forged((10**11,)),
        lambda: forged((10**30,)),
        lambda: forged((2**20, 2**20)),
        lambda: forged((9_000_000,), b"\0" * 72_000_000, zipfile.ZIP_DEFLATED),
        lambda: forged((8,)),
        lambda: b"",
        lambda: b"PK\3\4 garbage",
        lambda: b"\x93NUMPY\x01\x00",
    ],
    ids=["large shape", "huge shape", "two dimensions", "bomb", "parts missing", "empty", "garbage", "no archive"],
)
def test_forged_tables_of_a_version_before_are_an_error_that_says_what_to_do_and_the_run_can_be_deleted(
    content: Callable[[], bytes],
) -> None:
    runs = three_runs()
    history = RunHistory()
    shutil.rmtree(history.folder / runs[1])
    (history.folder / f"{runs[1]}.npz").write_bytes(content())
    with pytest.raises(
        RunError, match=r"The fills and trades in .* can't be read: .*\. Delete the run or run it again"
    ):
        history.open(runs[1])
    assert len(history.list()) == 3
    assert main(["runs", "delete", runs[1]]) == DONE
    assert not (history.folder / f"{runs[1]}.npz").exists()
