"""The desktop's main task: a trader who never saw it builds the RSI pullback from an empty canvas and saves it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from tests.support.command_line import ROOT, clean_environment, quantcrafter
from tests.support.desktop import EXAMPLES, open_window
from tests.support.rsi_pullback import SIZE, Story, build

STEPS = 41
"""Each node, name, wire, arrangement and value is one step."""


def check(story: Story, file: Path, home: Path) -> None:
    """Hold the story to what the trader expects."""
    assert story.problems == []
    assert story.undo_steps == story.redo_steps == STEPS
    assert story.undone == story.empty
    assert story.redone == story.built == file.read_text(encoding="utf-8")
    assert story.reopened
    built, shipped = run(file, home), run(EXAMPLES / "rsi_pullback.yaml", home)
    assert len(built["trades"]) > 10
    assert built["trades"] == shipped["trades"]
    assert built["equity"] == shipped["equity"]


def run(file: Path, home: Path) -> dict[str, Any]:
    """Run a strategy file by the command line and return its result."""
    done = quantcrafter("run", str(file), "--quiet", "--no-history", "--json", "-", home=home)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.mark.slow
def test_the_rsi_pullback_is_built_from_an_empty_canvas_by_mouse_and_keyboard(qtbot: QtBot, tmp_path: Path) -> None:
    file = tmp_path / "rsi.yaml"
    with open_window(qtbot, size=SIZE) as desktop:
        desktop.window.activateWindow()
        story = build(desktop, file, can_drag=False)

    check(story, file, tmp_path / "home")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("xvfb-run") is None, reason="dragging from the palette needs a screen, as Xvfb is one")
def test_the_rsi_pullback_is_built_by_dragging_from_the_palette_on_a_screen(tmp_path: Path) -> None:
    file = tmp_path / "rsi.yaml"
    done = subprocess.run(
        ["xvfb-run", "-a", "-s", "-screen 0 1600x1000x24", sys.executable, "-m", "tests.support.rsi_pullback", file],
        cwd=ROOT,
        env={**clean_environment(tmp_path / "home"), "QT_QPA_PLATFORM": "xcb", "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr

    check(Story(**json.loads(done.stdout)), file, tmp_path / "home")
