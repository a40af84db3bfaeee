"""A run that was saved says the same as the run itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.ledger import FILL_DTYPE
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.compute_process.jobs.report import ReportRequest
from quantcrafter.engine.runtime.results.report_columns import report_data
from quantcrafter.engine.runtime.results.result import RunResult
from quantcrafter.engine.runtime.results.run_view import RunSource
from quantcrafter.engine.runtime.run_store.run_columns import GrownColumns
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from quantcrafter.engine.runtime.run_store.run_log import Chunk, LogReader, LogWriter
from quantcrafter.engine.runtime.run_store.run_writer import save_run
from quantcrafter.engine.runtime.running.run import run
from tests.support.job_context import DirectContext

EXAMPLES = Path(__file__).parents[4] / "resources" / "examples"


@pytest.fixture(scope="module")
def results() -> dict[str, RunResult]:
    registry = load_registry()
    return {path.stem: run(path, registry=registry) for path in sorted(EXAMPLES.glob("*.yaml"))}


def test_every_example_reads_back_as_it_was(results: dict[str, RunResult], tmp_path: Path) -> None:
    for name, result in results.items():
        saved = RunFolder.open(save_run(result, tmp_path / name))
        assert saved.to_json() == result.to_json()
        assert saved.text == result.origin.text
        assert saved.settings == result.settings
        columns = dict(result.columns())
        assert {node: set(outputs) for node, outputs in saved.columns()} == {n: set(o) for n, o in columns.items()}
        for number, job in enumerate(saved.instruments):
            assert job.bars.content_hash == result.instruments[number].bars.content_hash
            assert (job.flags == result.instruments[number].flags).all()
            for node, outputs in columns.items():
                for output in outputs:
                    there = saved.column(node, output, number)
                    np.testing.assert_array_equal(there, result.column(node, output, number))
                    assert there.shape == (len(job.bars),)


def test_columns_are_mapped_and_cannot_be_written(results: dict[str, RunResult], tmp_path: Path) -> None:
    saved = RunFolder.open(save_run(results["golden_cross"], tmp_path / "run"))
    with pytest.raises(ValueError, match="read-only"):
        saved.column("fast")[0] = 1.0
    assert isinstance(saved.column("fast").base, np.ndarray)


def test_the_wiring_of_the_run_is_kept(results: dict[str, RunResult], tmp_path: Path) -> None:
    saved = RunFolder.open(save_run(results["golden_cross"], tmp_path / "run"))
    assert saved.nodes["cross"].inputs["fast"] == (RunSource("node", "fast", "value"),)
    assert saved.nodes["fast"].inputs["input"] == (RunSource("market", "bars", "close"),)
    assert saved.nodes["slow"].parameters["timeperiod"] == 200
    assert saved.nodes["slow"].ready == (199,)
    (decision,) = saved.decisions
    assert decision.node == "entry"
    assert decision.signals == (RunSource("node", "cross", "signal"),)


def test_the_report_can_be_made_from_what_was_saved(results: dict[str, RunResult], tmp_path: Path) -> None:
    result = results["rsi_pullback"]
    there = report_data(RunFolder.open(save_run(result, tmp_path / "run")))
    assert [series.name for series in there.series] == [series.name for series in report_data(result).series]


def test_a_folder_that_exists_is_left_as_it_is(results: dict[str, RunResult], tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(RunError, match="can't be saved"):
        save_run(results["golden_cross"], tmp_path / "run")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("damage", ["", "{", '{"format": 99}', "[]"])
def test_a_damaged_run_is_told_in_one_sentence(damage: str, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    if damage:
        (tmp_path / "run" / "run.json").write_text(damage, encoding="utf-8")
    with pytest.raises(RunError, match="Run it again"):
        RunFolder.open(tmp_path / "run")


def test_reading_a_run_loads_no_heavy_library() -> None:
    program = (
        "import sys, quantcrafter.engine.runtime.run_store.run_folder;"
        "print([name for name in ('numba', 'pandas', 'polars', 'plotly', 'talib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_report_of_a_kept_run_is_written_as_a_job(results: dict[str, RunResult], tmp_path: Path) -> None:
    folder = save_run(results["golden_cross"], tmp_path / "run")
    request = ReportRequest(folder, tmp_path / "report.html")
    written = request.execute(DirectContext())
    text = written.read_text(encoding="utf-8")
    assert "Golden cross" in text
    assert "1,475,079.91" in text


def test_records_of_an_earlier_version_are_read_together_with_those_of_this_one(tmp_path: Path) -> None:
    names = [name for name in FILL_DTYPE.names or () if name != "execution"]
    old = np.zeros(2, np.dtype([(name, FILL_DTYPE[name]) for name in names], align=True))
    new = np.zeros(1, FILL_DTYPE)
    old["order_id"], old["price"] = [3, 4], [10.5, 11.5]
    new["order_id"], new["execution"] = 5, 1
    writer = LogWriter(tmp_path)
    for rows in (old, new):
        writer.append(Chunk((0,), records={"fills": rows}))
    writer.close()
    fills = GrownColumns(tmp_path, LogReader(tmp_path).read(), {}).whole("fills", FILL_DTYPE)
    assert fills.dtype == FILL_DTYPE
    assert fills["order_id"].tolist() == [3, 4, 5]
    assert fills["price"].tolist() == [10.5, 11.5, 0.0]
    assert fills["execution"].tolist() == [0, 0, 1]
