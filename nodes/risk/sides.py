"""The sides of positions that a rule is for, as parameters name them."""

from __future__ import annotations

from typing import Literal

OneSide = Literal["both", "long", "short"]
"""The positions that a rule is for."""

SIDES: dict[str, Literal[-1, 0, 1]] = {"both": 0, "long": 1, "short": -1}
"""How rules have them: 1 for long ones, -1 for short ones, 0 for both."""

SIDE_OF_LINE = "Which positions it is for. With a line for each side, use two nodes: one for long, one for short."
