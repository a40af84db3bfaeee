"""All of ours is imported as `quantcrafter`: a second copy under another name would have classes of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import ROOT, clean_environment

RUN = "from quantcrafter import run; run('resources/examples/golden_cross.yaml')"
APP = """
from quantcrafter.app.main import main
main(['resources/examples/golden_cross.yaml', '--screenshot', 'PICTURE'])
"""
FOUND = """
import sys
print([name for name in sys.modules if name.split('.')[0] in ('app', 'engine', 'nodes', 'resources')])
"""


@pytest.mark.parametrize("script", [RUN, APP])
def test_nothing_is_imported_by_the_name_of_a_folder(script: str, tmp_path: Path) -> None:
    code = f"{script.replace('PICTURE', str(tmp_path / 'app.png'))}\n{FOUND}"
    environment = clean_environment(tmp_path, QT_QPA_PLATFORM="offscreen")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines()[-1:] == ["[]"], done.stderr


def test_importing_the_package_loads_nothing_of_it() -> None:
    code = "import quantcrafter, sys; print([name for name in sys.modules if name.startswith('quantcrafter.')])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_users_modules_do_not_hide_ours(tmp_path: Path) -> None:
    for name in ("app", "engine", "nodes", "resources"):
        (tmp_path / f"{name}.py").write_text(f"raise SystemExit('the user\\'s {name}')")
    code = "import quantcrafter; print(len(quantcrafter.run('golden_cross.yaml').trades))"
    (tmp_path / "golden_cross.yaml").write_bytes((ROOT / "resources/examples/golden_cross.yaml").read_bytes())
    environment = clean_environment(tmp_path, PYTHONPATH="")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert int(done.stdout) > 3, done.stderr
