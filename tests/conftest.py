"""What every test shares: a user directory of its own, and machine code that is compiled once for all workers."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings
from pytestqt.qtbot import QtBot

from engine.api.compiled import numba_cache_dir

# Set before any test: child processes and workers find the same compiled code, whatever their user directory is.
os.environ.setdefault("NUMBA_CACHE_DIR", str(numba_cache_dir()))
# Windows are painted into memory; tests that need a real screen start one (see tests/support/screen.py).
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

PATIENCE_MS = 60_000
"""How long a test waits for a Qt signal or condition: a busy machine may be slow, and only a failure waits so long."""

for wait in (QtBot.waitSignal, QtBot.waitSignals, QtBot.waitUntil, QtBot.waitCallback, QtBot.waitExposed):
    wait.__kwdefaults__["timeout"] = PATIENCE_MS

# The same examples at every run, so that a change is judged by what it changes; `long` looks further, at random.
settings.register_profile("default", deadline=None, print_blob=True, derandomize=True)
settings.register_profile("long", deadline=None, print_blob=True, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep every test away from the real user's directory."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(home))
    return home
