"""The libraries of downloads are imported when something is downloaded, and not before."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.support.command_line import ROOT, clean_environment

CODE = """\
import json, sys
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.data.download import batch
names = load_registry().download_provider_names()
heavy = {"ccxt", "yfinance", "curl_cffi", "pandas", "requests", "aiohttp"}
print(json.dumps([names, sorted(heavy & set(sys.modules))]))
"""


def test_what_downloads_need_is_not_imported_with_the_engine(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        cwd=ROOT,
        env=clean_environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert json.loads(done.stdout) == [["yfinance", "ccxt"], []]
