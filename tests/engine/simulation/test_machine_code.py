"""The simulation as machine code: all of it compiles, and none of it counts references or allocates."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_function_of_the_simulation_compiles_and_none_counts_references(tmp_path: Path) -> None:
    found = subprocess.run(
        [sys.executable, "-m", "tests.support.compile_all"],
        env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    *problems, _seconds = found.stdout.strip().splitlines()
    assert problems == []
