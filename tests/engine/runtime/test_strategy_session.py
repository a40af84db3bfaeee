"""A strategy that is given its bars one by one keeps the books of a run, however often it is saved and taken on."""

from __future__ import annotations

import pickle
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.graph import BoundGraph
from engine.plugins import Registry, load_registry
from engine.runtime.prepare import Market, load_market
from engine.runtime.run import run
from engine.runtime.source import load_graph
from engine.runtime.strategy_session import StrategySession
from tests.support.bar_by_bar import joined, run_on, step_count, until
from tests.support.counts import sample, seed
from tests.support.ledger_checks import assert_same_bits
from tests.support.random_strategies import write_random_strategy

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "resources" / "examples").glob("*.yaml"))
RANDOM = sample(6, of=500)
MOST_BARS = sample(1_200, of=200_000)
"""How many bars of all instruments are brought; longer data are cut."""


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry()


def market_of(graph: BoundGraph) -> Market:
    return load_market(graph, lambda *_: None, lambda: False)


def take_on(folder: Path, state: str, end: str) -> None:
    """Let another process take all strategies of a folder on."""
    command = [sys.executable, "-m", "tests.support.session_worker", str(folder), state, end]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=3_000)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.long
def test_strategies_fed_bar_by_bar_and_taken_on_in_other_processes_keep_the_books_of_a_run(
    registry: Registry, tmp_path: Path
) -> None:
    """All examples, and random strategies: saved at two random bars, each time opened by another process."""
    rng = random.Random(seed("sessions"))  # noqa: S311 - cases of a test, no secrets
    first = seed("session strategies") % 1_000_000
    made = tmp_path / "made"
    paths = list(EXAMPLES)
    for number in range(first, first + RANDOM):
        (made / str(number)).mkdir(parents=True)
        paths.append(write_random_strategy(made / str(number), registry, number))
    root, traded = tmp_path / "sessions", 0
    for number, path in enumerate(paths):
        folder = root / f"{number:03}"
        folder.mkdir(parents=True)
        begin_session(folder, path, registry, rng)
    take_on(root, "first", "second")
    take_on(root, "second", "last")
    for number, path in enumerate(paths):
        folder = root / f"{number:03}"
        names = ("first.books", "second.books", "last.books")
        books = joined([pickle.loads((folder / name).read_bytes()) for name in names])  # noqa: S301 - our own
        whole = pickle.loads((folder / "whole.books").read_bytes())  # noqa: S301 - our own
        traded += len(whole.trades) > 0
        try:
            assert_same_bits(books, whole)
        except AssertionError as error:
            raise AssertionError(f"{path}: {error}") from error
    assert traded > len(paths) / 2


def begin_session(folder: Path, path: Path, registry: Registry, rng: random.Random) -> None:
    """Run a strategy at once, and its session up to a random bar; keep both, and where the next process ends."""
    graph, overrides = load_graph(path, registry), []
    market = market_of(graph)
    most = MOST_BARS // len(graph.instruments)
    if step_count(market) > most:
        end = np.datetime64(int(market.bars[0].close_ns[most]), "ns").astype("datetime64[D]")
        overrides = [f"run.end={end}"]
        graph = load_graph(path, registry, overrides)
        market = market_of(graph)
    count = step_count(market)
    steps = sorted(rng.randrange(count + 1) for _ in range(2))
    session = StrategySession.open(graph, until(graph, market, 0))
    run_on(session, graph, market, steps[0])
    (folder / "strategy.txt").write_text("\n".join([str(path), *overrides]), encoding="utf-8")
    (folder / "first").write_text(f"{steps[0]}\n{session.state()}", encoding="utf-8")
    (folder / "second").write_text(str(steps[1]), encoding="utf-8")
    (folder / "first.books").write_bytes(pickle.dumps(session.drain()))
    (folder / "whole.books").write_bytes(pickle.dumps(run(graph, registry=registry).ledger))
