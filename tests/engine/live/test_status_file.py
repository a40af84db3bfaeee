"""What a worker says of itself is whole in its file, however it is written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from quantcrafter.engine.live.status_file import STATUS, WorkerStatus, read_status, write_status

SAID = WorkerStatus("stopped", "paper", "Small", "ONE", "a" * 32, 0, 1)


def test_it_is_written_over_the_old_one_and_takes_its_place_where_that_is_shorter(tmp_path: Path) -> None:
    path = tmp_path / STATUS
    for says, stays in (
        (SAID, False),
        (replace(SAID, position=3.0), True),
        (replace(SAID, error="x" * 1_000), False),
        (SAID, True),
    ):
        before = path.stat().st_ino if path.exists() else 0
        kept = path.open("rb") if path.exists() else None  # its number is not given to the next one
        write_status(tmp_path, says, in_place=True)
        assert read_status(tmp_path) == says
        assert (path.stat().st_ino == before) is stays
        if kept is not None:
            kept.close()


def test_on_a_full_disk_it_is_written_over_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_status(tmp_path, SAID)

    def full(_path: Path, _content: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    write_status(tmp_path, replace(SAID, position=3.0))
    assert read_status(tmp_path) == replace(SAID, position=3.0)
