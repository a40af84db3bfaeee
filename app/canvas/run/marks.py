"""What a run marks on one level of the graph. No Qt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from quantcrafter.app.document.view import WireView

Tone = Literal["plain", "on", "off", "path", "blocking", "wanted"]
"""How a chip looks: a number; true, or a signal that speaks; false; and what the node is to the decision."""


@dataclass(frozen=True, slots=True)
class NodeMark:
    """What is shown at a node: its value, how often it fired, and what it is to the decision.

    `idle` says why it never changed a decision, in a sentence; empty if it did. `part` is what the node is to the
    decision at the bar: on its path, the one that blocked it, or in the way of one. `brief` is shown where `value` has
    no room.
    """

    value: str = ""
    tone: Tone = "plain"
    fired: str = ""
    idle: str = ""
    part: Literal["", "path", "blocking", "wanted"] = ""
    tip: str = ""
    brief: str = ""


@dataclass(frozen=True)
class RunMarks:
    """All marks of a level. `lit` are the wires of the path; where there is one, everything next to it is dimmed."""

    nodes: Mapping[str, NodeMark] = field(default_factory=dict)
    lit: frozenset[WireView] = frozenset()

    @property
    def has_path(self) -> bool:
        """Whether a decision's path is shown."""
        return bool(self.lit)


NO_MARKS = RunMarks()
