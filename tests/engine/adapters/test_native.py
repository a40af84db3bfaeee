import subprocess
import sys
from pathlib import Path

import pytest

from quantcrafter.engine.adapters import plugin
from quantcrafter.engine.adapters.native import NativeEngine
from quantcrafter.engine.api.ports import ENTER_LONG
from tests.support.command_line import quantcrafter
from tests.support.jobs import Setup, make_bars, make_job


def test_the_native_engine_comes_in_through_the_hook() -> None:
    assert plugin.register_engines()[0] is NativeEngine
    assert NativeEngine.name == "native"
    assert NativeEngine.modes == ("backtest",)


def test_importing_the_plugin_leaves_heavy_packages_alone() -> None:
    code = (
        "import sys, quantcrafter.engine.adapters.plugin;"
        "sys.exit(bool({'numba', 'quantcrafter.engine.simulation', 'backtrader', 'vnpy', 'pandas'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_native_engine_runs_a_job() -> None:
    bars = make_bars([[100, 101, 99, 100], [102, 103, 101, 103]])
    ledger = NativeEngine().run(make_job((bars, Setup(flags={0: ENTER_LONG}))))
    assert ledger.fills["price"].tolist() == [102.0]


def test_a_small_job_runs_at_once_without_the_compiler() -> None:
    code = (
        "import sys\n"
        "from quantcrafter.engine.adapters.native import NativeEngine\n"
        "from tests.support.jobs import Setup, make_bars, make_job\n"
        "NativeEngine().run(make_job((make_bars([[100, 101, 99, 100]] * 3), Setup(flags={0: 1}))))\n"
        "sys.exit('numba' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_cache_that_cannot_be_written_does_not_cost_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file" / "cache"))
    assert len(NativeEngine().run(make_job((make_bars([[100, 101, 99, 100]]), Setup()))).equity) == 1


def test_the_first_run_ever_of_an_example_compiles_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "code"
    result = quantcrafter("run", "resources/examples/golden_cross.yaml", home=tmp_path, NUMBA_CACHE_DIR=str(folder))
    assert result.returncode == 0
    assert not folder.exists()
