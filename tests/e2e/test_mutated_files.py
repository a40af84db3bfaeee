"""A thousand damaged strategy files: each runs, or gives a located error; none hangs, explodes or shows a traceback."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from engine.api import QuantCrafterError, SpecError
from engine.plugins import Registry, load_registry
from engine.runtime.run import run
from engine.runtime.source import validate_file
from tests.support.mutate_text import mutants

EXAMPLES = sorted((Path(__file__).parents[2] / "resources" / "examples").glob("*.yaml"))
COUNT = 1000
SECONDS_EACH = 20.0


def write_mutants(folder: Path, count: int, seed: int) -> list[Path]:
    texts = [path.read_text(encoding="utf-8") for path in EXAMPLES]
    share = -(-count // len(texts))
    shutil.copytree(EXAMPLES[0].parent / "blocks", folder / "blocks", dirs_exist_ok=True)
    paths = []
    damaged = (mutant for i, text in enumerate(texts) for mutant in mutants(text, share, seed + i))
    for number, mutant in enumerate(damaged):
        path = folder / f"{number:04}.yaml"
        path.write_text(mutant, encoding="utf-8", newline="", errors="surrogatepass")
        paths.append(path)
    return paths[:count]


def outcome(path: Path, registry: Registry) -> QuantCrafterError | None:
    """Run a file; return None, or the error a user would see."""
    try:
        run(path, registry=registry)
    except QuantCrafterError as error:
        return error
    return None


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_thousand_damaged_files_run_or_say_where_they_are_wrong(tmp_path: Path) -> None:
    registry = load_registry()
    process = psutil.Process()
    before = process.memory_info().rss  # the process has run other tests
    ran = 0
    for path in write_mutants(tmp_path, COUNT, seed=20):
        started = time.perf_counter()
        error = outcome(path, registry)
        taken = time.perf_counter() - started
        assert taken < SECONDS_EACH, path.read_text(encoding="utf-8", errors="replace")[:2000]
        assert process.memory_info().rss - before < 1_000_000_000, path
        if error is None:
            ran += 1
            continue
        assert str(error), path
        if isinstance(error, SpecError):
            assert error.problems, path
            for problem in error.problems:
                assert problem.message, path
                assert problem.file or problem.path, (path, problem)
    assert COUNT * 0.05 < ran < COUNT * 0.5


@pytest.mark.slow
def test_the_command_line_shows_no_traceback_for_damaged_files(tmp_path: Path) -> None:
    paths = write_mutants(tmp_path, 60, seed=7)
    random.Random(1).shuffle(paths)  # noqa: S311 - a sample, not a secret
    for path in paths[:12]:
        command = [sys.executable, "-m", "engine.cli", "run", str(path), "--no-history", "--quiet"]
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False)
        assert done.returncode in (0, 1, 2), (path, done.returncode, done.stderr)
        assert "Traceback" not in done.stdout + done.stderr, path
        if done.returncode == 2:
            assert path.name in done.stderr


@pytest.mark.slow
def test_damage_inside_a_block_is_located_in_the_block(tmp_path: Path) -> None:
    registry = load_registry()
    user = next(path for path in EXAMPLES if "use: blocks/" in path.read_text(encoding="utf-8"))
    block = next((EXAMPLES[0].parent / "blocks").glob("*.yaml")).read_text(encoding="utf-8")
    file = tmp_path / user.name
    file.write_text(user.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "blocks").mkdir()
    broken = tmp_path / "blocks" / "trend_gate.yaml"
    located = 0
    for mutant in mutants(block, 150, seed=11):
        broken.write_text(mutant, encoding="utf-8", newline="")
        problems = validate_file(file, registry)
        located += any(Path(problem.file).name == broken.name for problem in problems)
        assert all(problem.line > 0 for problem in problems), [str(problem) for problem in problems]
    assert located > 75


def test_every_error_of_a_damaged_file_has_a_line(tmp_path: Path) -> None:
    registry = load_registry()
    for path in write_mutants(tmp_path, 60, seed=3):
        for problem in validate_file(path, registry):
            assert problem.line > 0 or problem.code in ("no_execution", "unknown_engine"), (path, problem)
