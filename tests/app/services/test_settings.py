from __future__ import annotations

import json
from pathlib import Path

import pytest

from quantcrafter.app.services.settings import Settings
from quantcrafter.engine.api.home import home


def test_a_first_start_has_defaults_and_writes_nothing() -> None:
    settings = Settings()

    assert settings.theme == "system"
    assert settings.language == ""
    assert settings.shortcuts == {}
    assert settings.recent == []
    assert settings.minimap is True
    assert settings.tour_done is False
    assert not (home() / "desktop.json").exists()


def test_what_is_set_is_there_at_the_next_start() -> None:
    settings = Settings()
    settings.theme = "dark"
    settings.shortcuts = {"file.save": "Ctrl+Alt+S"}
    settings.tour_done = True
    settings.count_quick_add("indicators", "ta.SMA")
    settings.count_quick_add("indicators", "ta.SMA")

    later = Settings()

    assert later.theme == "dark"
    assert later.shortcuts == {"file.save": "Ctrl+Alt+S"}
    assert later.tour_done is True
    assert later.quick_add_counts == {"indicators:ta.SMA": 2}


def test_values_of_a_newer_version_survive(tmp_path: Path) -> None:
    file = tmp_path / "desktop.json"
    file.write_text('{"hologram": {"depth": 3}, "theme": "light"}', encoding="utf-8")

    settings = Settings(file)
    settings.minimap = False

    assert json.loads(file.read_text(encoding="utf-8"))["hologram"] == {"depth": 3}
    assert Settings(file).theme == "light"


@pytest.mark.parametrize("text", ["{", "[1, 2]", "\x00", "null", "", "[" * 100_000])
def test_an_unreadable_file_is_kept_aside_and_defaults_hold(
    text: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "desktop.json"
    file.write_text(text, encoding="utf-8")

    settings = Settings(file)
    settings.theme = "dark"

    assert "cannot be read" in caplog.text
    assert (tmp_path / "desktop.unreadable.json").read_text(encoding="utf-8") == text
    assert Settings(file).theme == "dark"


def test_a_value_of_the_wrong_kind_counts_as_its_default(tmp_path: Path) -> None:
    file = tmp_path / "desktop.json"
    file.write_text('{"theme": "pink", "recent": [1], "tour_done": "yes", "shortcuts": {"a": 1}}', encoding="utf-8")

    settings = Settings(file)

    assert (settings.theme, settings.recent, settings.tour_done, settings.shortcuts) == ("system", [], False, {})


def test_a_wrong_value_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "desktop.json")

    with pytest.raises(ValueError, match="theme"):
        settings.theme = "pink"

    assert settings.theme == "system"


def test_two_windows_do_not_undo_each_others_settings(tmp_path: Path) -> None:
    one, other = Settings(tmp_path / "desktop.json"), Settings(tmp_path / "desktop.json")
    one.theme = "dark"
    other.minimap = False

    later = Settings(tmp_path / "desktop.json")

    assert (later.theme, later.minimap) == ("dark", False)


def test_a_folder_that_cannot_be_written_is_no_reason_to_stop(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    settings = Settings(blocked / "desktop.json")

    settings.theme = "dark"

    assert settings.theme == "dark"
    assert "not kept" in caplog.text
