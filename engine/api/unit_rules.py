"""Which protective orders each unit of a position can have."""

from __future__ import annotations

from collections.abc import Sequence

from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.rules import ExecutionRule, ProtectiveKind, ProtectiveRule

MOST_UNIT_ORDERS = 56
"""Maximum number of active stops and targets of a position's units, including targets of the whole position."""

_OWN = (ProtectiveKind.STOP_LOSS, ProtectiveKind.TAKE_PROFIT)
_WHOLE = 100.0

Fault = tuple[str, str]
"""What is wrong, and the remedy."""


def unit_fault(execution: ExecutionRule | None, rules: Sequence[ProtectiveRule]) -> Fault | None:
    """Return why these rules can't protect each unit of a position, and the remedy; None where they can.

    `execution` is None where a component decides in Python.
    """
    own = [rule for rule in rules if rule.scope == "unit"]
    if not own:
        return None
    if execution is None or execution.grid is not None or execution.rebalance is not None:
        text = Message("Only entries by signals make units with stops and targets of their own.")
        return text, Message("Give stops and targets 'scope: position', or use an execution such as 'scale_in'.")
    return _fault_of_kinds(own, rules) or _fault_of_number(execution, own, len(rules) - len(own))


def _fault_of_kinds(own: Sequence[ProtectiveRule], rules: Sequence[ProtectiveRule]) -> Fault | None:
    if any(rule.kind not in _OWN for rule in own):
        return Message("A stop that moves belongs to the whole position, not to a unit."), Message(
            "Give it 'scope: position'."
        )
    if any(rule.kind is ProtectiveKind.COMPONENT for rule in rules):
        text = Message("Stops and targets of each unit can't be combined with a risk manager written in Python.")
        return text, Message("Remove one of them, or give the others 'scope: position'.")
    if len({rule.scope == "unit" for rule in rules if rule.kind is not ProtectiveKind.TAKE_PROFIT}) > 1:
        text = Message("Stops of each unit can't be combined with a stop of the whole position.")
        return text, Message("Give all stops the same 'scope'. Stops that move have that of the position.")
    return None


def _fault_of_number(execution: ExecutionRule, own: Sequence[ProtectiveRule], others: int) -> Fault | None:
    """Return the problem of too many orders at the same time."""
    entries = execution.scale_in.max_entries if execution.scale_in is not None else 1
    each = sum(rule.share < _WHOLE for rule in own) + len({rule.kind for rule in own if rule.share >= _WHOLE})
    needed = entries * each + others
    if needed <= MOST_UNIT_ORDERS:
        return None
    text = Message(
        "Stops and targets of each unit need up to {needed} orders at once, and there is room for {most_unit_orders}.",
        needed=needed,
        most_unit_orders=MOST_UNIT_ORDERS,
    )
    return text, Message("Lower 'max_entries', or give the targets 'scope: position'.")
