"""The command line from outside: a separate process, with a user directory of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def quantcrafter(
    *arguments: str, home: Path, cwd: Path | None = None, timeout: float = 120, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run `quantcrafter` with these arguments and return what it printed and its exit code."""
    return subprocess.run(
        [sys.executable, "-m", "quantcrafter.engine.cli", *arguments],
        cwd=cwd or ROOT,
        env=clean_environment(home, **environment),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=timeout,
    )


def clean_environment(home: Path, **changes: str) -> dict[str, str]:
    """Return an environment in which nothing of the user's terminal shows."""
    kept = {k: v for k, v in os.environ.items() if k not in {"NO_COLOR", "FORCE_COLOR", "COLUMNS", "PYTHONPATH"}}
    path = os.pathsep.join(filter(None, [str(ROOT), changes.pop("PYTHONPATH", "")]))
    return {**kept, "QUANTCRAFTER_HOME": str(home), "PYTHONPATH": path, "PYTHONUTF8": "1", **changes}
