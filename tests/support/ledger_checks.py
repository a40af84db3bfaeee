"""What must hold of every ledger, computed anew from its fills and from nothing else."""

from __future__ import annotations

import numpy as np

from engine.api.engine import EngineJob
from engine.api.ledger import Ledger

TABLES = ("orders", "fills", "trades", "blocked", "ts_ns", "equity", "cash")


def assert_same_bits(one: Ledger, other: Ledger) -> None:
    """Compare two ledgers byte for byte."""
    for name in TABLES:
        mine, theirs = getattr(one, name), getattr(other, name)
        assert mine.tobytes() == theirs.tobytes(), f"{name}:\n{mine}\ninstead of\n{theirs}"
    assert one.open_positions == other.open_positions


def assert_money_is_conserved(job: EngineJob, ledger: Ledger) -> None:
    """Check cash, and cash plus positions, at every step against the fills with all their fees."""
    fills = ledger.fills
    closes = np.concatenate([each.bars.close_ns for each in job.instruments])
    offsets = np.cumsum([0, *(len(each.bars) for each in job.instruments)])
    when = closes[offsets[fills["instrument"]] + fills["bar"]]
    order = np.argsort(when, kind="stable")
    fills, when = fills[order], when[order]
    lot = np.array([each.lot_size for each in job.instruments])[fills["instrument"]]
    signed = fills["side"] * fills["lots"] * lot
    spent = np.cumsum(np.append(0.0, signed * fills["price"] + fills["commission"] + fills["slippage"]))
    cash = job.settings.cash - spent[np.searchsorted(when, ledger.ts_ns, side="right")]
    worth = np.zeros(len(ledger.ts_ns))
    for i, each in enumerate(job.instruments):
        mine = fills["instrument"] == i
        held = np.cumsum(np.append(0.0, signed[mine]))[np.searchsorted(when[mine], ledger.ts_ns, side="right")]
        last = np.searchsorted(each.bars.close_ns, ledger.ts_ns, side="right") - 1
        worth += np.where(last >= 0, held * each.bars.close[last], 0.0)
    scale = 1e-9 * (np.abs(signed * fills["price"]).sum() + job.settings.cash)
    assert np.abs(ledger.cash - cash).max() <= scale
    assert np.abs(ledger.equity - (cash + worth)).max() <= scale
