from __future__ import annotations

from pathlib import Path

from quantcrafter.app.services.recent_files import MAX_RECENT, RecentFiles, RecentPaths, missing_of
from quantcrafter.app.services.settings import Settings


def in_memory() -> RecentFiles:
    kept = [RecentPaths()]
    return RecentFiles(lambda: kept[0], lambda value: kept.__setitem__(0, value))


def names(recent: RecentFiles) -> list[str]:
    return [file.path.name for file in recent.files()]


def test_the_latest_file_comes_first_and_none_is_there_twice(tmp_path: Path) -> None:
    recent = in_memory()
    for name in ("a", "b", "a"):
        recent.add(tmp_path / name)
    assert names(recent) == ["a", "b"]


def test_the_oldest_goes_but_never_a_pinned_one(tmp_path: Path) -> None:
    recent = in_memory()
    recent.add(tmp_path / "kept")
    recent.pin(tmp_path / "kept")
    for number in range(MAX_RECENT + 5):
        recent.add(tmp_path / f"f{number}")
    assert len(recent.files()) == MAX_RECENT
    assert names(recent)[:2] == ["kept", f"f{MAX_RECENT + 4}"]


def test_with_every_place_pinned_the_file_just_opened_is_still_listed(tmp_path: Path) -> None:
    recent = in_memory()
    for number in range(MAX_RECENT):
        recent.add(tmp_path / f"f{number}")
        recent.pin(tmp_path / f"f{number}")
    recent.add(tmp_path / "new")
    assert "new" in names(recent)


def test_missing_files_are_told_after_a_look(tmp_path: Path) -> None:
    there, gone = tmp_path / "there", tmp_path / "gone"
    there.touch()
    recent = in_memory()
    recent.add(gone)
    recent.add(there)
    assert [file.missing for file in recent.files()] == [False, False]
    assert recent.show_missing(missing_of(recent.paths()))
    assert not recent.show_missing(missing_of(recent.paths()))
    assert {file.path: file.missing for file in recent.files()} == {there: False, gone: True}
    recent.add(gone)
    assert not any(file.missing for file in recent.files())


def test_files_can_be_forgotten_and_unpinned(tmp_path: Path) -> None:
    recent = in_memory()
    for name in ("a", "b", "c"):
        recent.add(tmp_path / name)
    recent.pin(tmp_path / "a")
    recent.pin(tmp_path / "stranger")
    recent.remove(tmp_path / "b")
    assert names(recent) == ["a", "c"]
    recent.clear()
    assert names(recent) == ["a"]
    recent.pin(tmp_path / "a", pinned=False)
    recent.clear()
    assert names(recent) == []


def test_the_settings_file_remembers_files_and_pins(tmp_path: Path) -> None:
    recent = RecentFiles.of(Settings(tmp_path / "desktop.json"))
    recent.add(tmp_path / "a")
    recent.add(tmp_path / "b")
    recent.pin(tmp_path / "a")
    later = RecentFiles.of(Settings(tmp_path / "desktop.json"))
    assert [(file.path.name, file.pinned) for file in later.files()] == [("a", True), ("b", False)]


def test_settings_that_were_tampered_with_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "desktop.json"
    path.write_text('{"recent": ["/x", "/y"], "pinned": {"/y": 1}}')
    recent = RecentFiles.of(Settings(path))
    assert [(str(file.path), file.pinned) for file in recent.files()] == [
        (str(Path("/x")), False),
        (str(Path("/y")), False),
    ]
