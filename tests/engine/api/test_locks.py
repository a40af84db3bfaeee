"""One process at a time writes a file; who waits too long goes on without the lock."""

from __future__ import annotations

import threading
from pathlib import Path

from quantcrafter.engine.api.home import home
from quantcrafter.engine.api.locks import try_lock, writing


def test_a_lock_is_free_again_when_its_file_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with path.open("ab") as first, path.open("ab") as second:
        assert try_lock(first)
        assert not try_lock(second)
    with path.open("ab") as third:
        assert try_lock(third)


def test_the_second_writer_waits_for_the_first(tmp_path: Path) -> None:
    order: list[str] = []
    waiting = threading.Event()

    def second() -> None:
        waiting.set()
        with writing(tmp_path / "s.yaml", timeout_s=60) as had:
            order.append(f"second, {had}")

    thread = threading.Thread(target=second)
    with writing(tmp_path / "s.yaml") as had:
        thread.start()
        waiting.wait(60)
        order.append(f"first, {had}")
    thread.join(60)
    assert order == ["first, True", "second, True"]
    assert list(tmp_path.iterdir()) == []  # nothing is beside the file


def test_a_writer_that_gets_no_lock_in_time_or_has_no_place_for_it_goes_on_without(tmp_path: Path) -> None:
    with writing(tmp_path / "s.yaml") as first, writing(tmp_path / "s.yaml", timeout_s=0.02) as second:
        assert (first, second) == (True, False)
    locks = home() / "locks"
    for path in locks.iterdir():
        path.unlink()
    locks.rmdir()
    locks.write_text("a file in its place", encoding="utf-8")
    with writing(tmp_path / "s.yaml") as had:
        assert not had
