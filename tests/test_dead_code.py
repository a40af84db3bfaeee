"""What is excused from `vulture` needs the excuse: `make check` finds the rest of the dead code."""

from __future__ import annotations

import os
import tomllib
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from vulture import Vulture

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def settings() -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["vulture"]
    return found


@pytest.mark.slow
def test_every_name_that_is_excused_would_be_reported(settings: dict[str, Any]) -> None:
    search = Vulture(ignore_decorators=settings["ignore_decorators"])
    exclude = [os.fspath(ROOT / place) for place in settings["exclude"]]
    search.scavenge([os.fspath(ROOT / place) for place in settings["paths"]], exclude=exclude)
    reported = {item.name for item in search.get_unused_code(min_confidence=settings["min_confidence"])}
    names = settings["ignore_names"]
    assert [name for name in names if not any(fnmatchcase(found, name) for found in reported)] == []


def test_every_place_that_is_searched_or_left_out_exists(settings: dict[str, Any]) -> None:
    assert [place for place in (*settings["paths"], *settings["exclude"]) if not (ROOT / place).exists()] == []
