"""The desktop's process stays light: what reads files is imported in the data process alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.command_line import ROOT, clean_environment

HEAVY = ("numba", "pandas", "polars", "plotly", "vnpy", "backtrader")
PROGRAM = f"""
import sys
import quantcrafter.app.data.import_model
from quantcrafter.app.data import fill_dialog, import_dialog, look_dialog, pane, source_dialog
from quantcrafter.app.window.data import bar_store_controller, data_controller
from pathlib import Path
from quantcrafter.engine.plugins import load_registry
quantcrafter.app.data.import_model.file_draft(load_registry(), Path("spy_1d.csv")).request()
print([name for name in {HEAVY!r} if name in sys.modules])
"""


def test_nothing_heavy_is_imported_by_the_datas_dialogs(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env=clean_environment(tmp_path, QT_QPA_PLATFORM="offscreen"),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert (done.stdout, done.stderr) == ("[]\n", "")
