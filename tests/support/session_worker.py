"""A process that takes strategies on from their saved states, and keeps what it did next to them.

Run as `python -m tests.support.session_worker FOLDER STATE END`: each folder in FOLDER that has a file STATE is taken
to the step that its file END names, or to the end of its data if there is none.
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

from quantcrafter.engine.plugins import Registry, load_registry
from quantcrafter.engine.runtime.running.load_graph import load_graph
from quantcrafter.engine.runtime.running.prepare import load_market
from quantcrafter.engine.runtime.sessions.strategy_session import StrategySession
from tests.support.bar_by_bar import run_on, until


def take_on(folder: Path, state: str, end: str, registry: Registry) -> None:
    """Go on with the strategy of a folder from the file `state`; write the books, and the state where it ends."""
    path, *overrides = (folder / "strategy.txt").read_text(encoding="utf-8").splitlines()
    graph = load_graph(path, registry, overrides)
    market = load_market(graph, lambda *_: None, lambda: False)
    step, text = (folder / state).read_text(encoding="utf-8").split("\n", 1)
    session = StrategySession.open(graph, until(graph, market, int(step)), text)
    target = folder / end
    run_on(session, graph, market, int(target.read_text(encoding="utf-8")) if target.exists() else None)
    if target.exists():
        target.write_text(f"{session.steps}\n{session.state()}", encoding="utf-8")
        books = session.drain()
    else:
        books = session.ledger()
    (folder / f"{end}.books").write_bytes(pickle.dumps(books))


def main() -> None:
    """Take on all strategies."""
    root, state, end = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    registry = load_registry()
    for folder in sorted(root.iterdir()):
        if (folder / state).exists():
            take_on(folder, state, end, registry)


if __name__ == "__main__":
    main()
