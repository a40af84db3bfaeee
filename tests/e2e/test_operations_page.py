"""The commands of docs/operations.md are run as they stand there, from the start to a restored data folder."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import ROOT, clean_environment
from tests.support.live_cases import STOPPED
from tests.support.orchestrators import cleaned_up

pytestmark = pytest.mark.slow

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"^```sh (\w+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
RUNS = '"state": "running"'
WAITS_FOR = {"start": "http:", "push": RUNS, "backup": RUNS, "upgrade": RUNS, "restore": RUNS}
"""What `status` says once a step has taken effect."""
ORDER = ("start", "push", "backup", "upgrade", "restore")


def test_the_page_has_each_step() -> None:
    assert set(BLOCKS) == {"install", *ORDER}
    assert "pip install" in BLOCKS["install"]


@pytest.mark.skipif(sys.platform == "win32", reason="the page is for a shell of Unix")
def test_start_push_back_up_upgrade_and_restore_work_as_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, module in (("quantcrafter", "quantcrafter.engine.cli"), ("strategy-manager", "strategy_manager.cli")):
        (programs / name).write_text(f'#!/bin/sh\nexec {sys.executable} -m {module} "$@"\n')
        (programs / name).chmod(0o755)
    work = tmp_path / "work"
    (work / "my_strategies").mkdir(parents=True)
    (work / "my_strategies" / "cross.yaml").write_text(STOPPED)
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(work / "data"))
    status = "strategy-manager status --json"
    script = ["set -e"]
    for step in ORDER:
        lines = [each for each in BLOCKS[step].splitlines() if "pip install" not in each]  # needs a network
        script += [
            *lines,
            f"until {status} > ../{step}.json && grep -q '{WAITS_FOR[step]}' ../{step}.json; do sleep 0.5; done",
        ]
    path = os.pathsep.join((str(programs), os.environ["PATH"]))
    with cleaned_up():
        done = subprocess.run(
            ["bash", "-c", "\n".join(script)],
            cwd=work,
            env=clean_environment(tmp_path / "unused", PATH=path, API_PORT="0", QUANTCRAFTER_API="on"),
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        told = {step: json.loads((tmp_path / f"{step}.json").read_text()) for step in ORDER}
    assert told["start"]["workers"] == {}
    for step in ORDER[1:]:
        assert [key for key in told[step]["workers"] if "cross" in key], (step, done.stderr)
    assert (work / "data.old" / "workers").is_dir()
    assert (work / "backup.tar.gz").stat().st_mode & 0o077 == 0
