"""What the program that runs a strategy asks of its session between two steps: no entries, no orders, no positions.

It works without the strategy's help, and the same on both venues: orders that end here are cancelled with the next
commands, and positions are closed by market orders at the next open.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from quantcrafter.engine.simulation.halts import cancel_entries, flatten
from quantcrafter.engine.simulation.orders import is_leaving
from quantcrafter.engine.simulation.records import HALTED, NONE
from quantcrafter.engine.simulation.risk_records import FLATTENED
from quantcrafter.engine.simulation.state import SimulationState


def shut_entries(state: SimulationState, *, shut: bool) -> None:
    """Block all entries of the steps to come, or no longer; those that wait stay."""
    state.portfolio["shut"] = shut


def withdraw_entries(state: SimulationState) -> None:
    """Cancel all orders that would open or increase a position; those that protect one stay."""
    state.harvest()
    with np.errstate(all="ignore"):
        for holding in state.holdings:
            if holding["bars"] > 0:
                holding["bar"] = holding["bars"] - 1
                cancel_entries(state.portfolio, holding)


def close_positions(state: SimulationState, instruments: Iterable[int]) -> None:
    """Withdraw entries of instruments, and order their positions to be closed unless they are being closed already."""
    state.harvest()
    with np.errstate(all="ignore"):
        for holding in (state.holdings[i] for i in instruments):
            if holding["bars"] > 0:
                holding["bar"] = holding["bars"] - 1
                if not is_leaving(holding):
                    holding["leaving"] = 0  # a broker may have refused the order that should have closed it
                flatten(state.portfolio, holding, HALTED, NONE, FLATTENED)
