"""Without an extra, everything else works, and a message names the extra that a feature needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import ROOT, clean_environment

BLOCKER = '''
import sys

class Blocker:
    """Finds nothing of what is not to be installed."""
    names = {"backtrader", "vnpy", "vnpy_ctastrategy", "vnpy_portfoliostrategy", "PySide6", "pandas"}
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocker())
'''
GOLDEN = str(ROOT / "resources" / "examples" / "golden_cross.yaml")


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """Return an environment in which Python starts without the optional engines."""
    (tmp_path / "sitecustomize.py").write_text(BLOCKER)
    return clean_environment(tmp_path, PYTHONPATH=str(tmp_path))


@pytest.fixture
def without_samples(bare: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """Return an environment without sample prices either."""
    (tmp_path / "sitecustomize.py").write_text(BLOCKER.replace('"pandas"', '"pandas", "bokeh_sampledata"'))
    return bare


def python(code: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=ROOT,
    )


def cli(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "quantcrafter.engine.cli", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=ROOT,
    )


def test_the_engine_is_imported_and_runs(bare: dict[str, str]) -> None:
    assert python("import backtrader", bare).returncode != 0, "the blocker works"
    code = f"import quantcrafter; r = quantcrafter.run({GOLDEN!r}); print(r.engine, len(r.trades))"
    done = python(code, bare)
    assert done.returncode == 0, done.stderr
    engine, trades = done.stdout.split()
    assert engine == "native"
    assert int(trades) > 3


def test_every_module_of_the_engine_that_is_not_behind_an_extra_is_imported(bare: dict[str, str]) -> None:
    code = (
        "import importlib, pkgutil; from quantcrafter import engine\n"
        "inside = ('quantcrafter.engine.adapters.backtrader.', 'quantcrafter.engine.adapters.vnpy.')\n"
        "open_ = {'adapter', 'client', 'messages', 'worker'}\n"
        "for m in pkgutil.walk_packages(engine.__path__, 'quantcrafter.engine.'):\n"
        "    if m.name.startswith(inside) and m.name.rpartition('.')[2] not in open_ or m.name.endswith('__main__'):\n"
        "        continue\n"
        "    importlib.import_module(m.name)\n"
        "print('all')"
    )
    done = python(code, bare)
    assert (done.returncode, done.stdout.strip()) == (0, "all"), done.stderr


@pytest.mark.parametrize("name", ["backtrader", "vnpy"])
def test_asking_for_a_missing_engine_says_which_extra_brings_it(bare: dict[str, str], name: str) -> None:
    done = cli(bare, "run", GOLDEN, "--engine", name)
    assert done.returncode == 2
    assert f"The engine '{name}' is not installed: pip install \"quantcrafter[{name}]\"." in done.stderr
    assert "Or choose another engine: native." in done.stderr
    assert "Traceback" not in done.stderr


def test_they_are_listed_and_left_out_of_a_comparison(bare: dict[str, str]) -> None:
    listed = cli(bare, "engines").stdout
    assert 'not installed: pip install "quantcrafter[vnpy]"' in " ".join(listed.split())
    done = cli(bare, "parity", GOLDEN)
    assert done.returncode == 2
    assert "A comparison needs at least two engines, had native." in done.stderr
    assert 'vnpy is not installed: pip install "quantcrafter[vnpy]"' in done.stderr


def test_a_run_on_sample_prices_says_which_extra_brings_them(without_samples: dict[str, str]) -> None:
    assert python("import bokeh_sampledata", without_samples).returncode != 0, "the blocker works"
    done = cli(without_samples, "run", GOLDEN)
    assert done.returncode == 1
    remedy = 'is not installed. Install it: pip install "quantcrafter[samples]".'
    assert f"Data 'sample' needs the package bokeh_sampledata, which {remedy}" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_other_data_needs_no_sample_prices(without_samples: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "synthetic.yaml"
    file.write_text(Path(GOLDEN).read_text(encoding="utf-8").replace("data: sample", "data: synthetic"), "utf-8")
    done = cli(without_samples, "run", str(file))
    assert done.returncode == 0, done.stderr
    assert cli(without_samples, "validate", GOLDEN).returncode == 0
