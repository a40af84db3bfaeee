"""Jobs fed to sessions bar by bar, with their state saved and opened again on the way."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import fields, replace
from typing import Any

import numpy as np

from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.ledger import Ledger
from quantcrafter.engine.simulation.closed_bar import closed_bars
from quantcrafter.engine.simulation.pages import whole_rows
from quantcrafter.engine.simulation.session import SimulationSession
from quantcrafter.engine.simulation.session_state import SessionState


def joined(parts: list[Ledger]) -> Ledger:
    """Return what several sessions drained as one ledger; the last one has the open positions and open orders."""
    tables: dict[str, Any] = {}
    for each in fields(Ledger):
        values = [getattr(part, each.name) for part in parts]
        if isinstance(values[0], np.ndarray):
            # As plain bytes: numpy copies records field by field, without what is between the fields.
            whole = np.concatenate([whole_rows(value) if value.dtype.names else value for value in values])
            tables[each.name] = whole.view(values[0].dtype)
    orders = tables["orders"]
    tables["orders"] = whole_rows(orders)[np.argsort(orders["id"])].view(orders.dtype)
    return replace(parts[-1], **tables)


def fed(job: EngineJob, session: SimulationSession, stops: Collection[int] = ()) -> Iterator[Ledger]:
    """Feed a job to its end; at some steps go on in a fresh session from the text of a saved state. Yield the books."""
    last = {each.symbol: int(each.bars.close_ns[-1]) for each in job.instruments}
    identity, matcher, kernel = session.identity, session.matcher, session.memory.kernel
    for step, bars in enumerate(closed_bars(job)):
        if step in stops:
            text = session.state().to_json()
            yield session.drain()
            state = SessionState.from_json(text)
            session = SimulationSession.open(job, state, identity=identity, matcher=matcher, kernel=kernel)
            assert session.state().to_json() == text
        session.append(bars)
        ended = [symbol for symbol, bar in bars.items() if bar.close_ns == last[symbol]]
        if ended:
            session.end_data(*ended)
        session.step()
    assert session.has_ended
    yield session.ledger()


def fed_and_saved(job: EngineJob, seed: int, stops: int = 3) -> Ledger:
    """Return the ledger of a job that was fed bar by bar; its state was saved and opened again at random steps."""
    steps = len(SimulationSession(job))
    chosen = np.random.default_rng(seed).integers(0, steps, stops).tolist()
    return joined(list(fed(job, SimulationSession.open(job), set(chosen))))
