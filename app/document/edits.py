"""Everything that can be done to a graph, as plain frozen values. `Document.do` carries them out.

An edit says what the user did; the text of the file follows. All edits of one `do` are one undo step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quantcrafter.engine.api import Role


class Unset:
    """The type of UNSET: a parameter set to it is removed from the file, and so back at its default."""


UNSET = Unset()


@dataclass(frozen=True)
class AddNode:
    """Add a node. `values` are its fields but `use`; an id that is taken gets a number behind it."""

    role: Role
    id: str
    use: str
    values: Mapping[str, Any]
    position: tuple[float, float]


@dataclass(frozen=True)
class RemoveNodes:
    """Remove nodes and the wires to and from them.

    With `rejoin`, each wire that read a removed node now reads what that node's first input of the same type read.
    """

    ids: tuple[str, ...]
    rejoin: bool = False


@dataclass(frozen=True)
class MoveNodes:
    """Place nodes (`bars` too) at scene positions."""

    positions: Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class Connect:
    """Wire an output to an input port.

    A port of one wire is rewired; a list port gets one wire more, at `index` or at the end. `reference` is what the
    file says: `fast`, `macd.macdsignal`, `bars.close`.
    """

    reference: str
    target: str
    port: str
    index: int | None = None


@dataclass(frozen=True)
class Disconnect:
    """Take a wire off a port; `index` names the wire of a list port."""

    target: str
    port: str
    index: int | None = None


@dataclass(frozen=True)
class SetValues:
    """Set fields of a node (parameters, or numbers on ports); UNSET takes a field back to its default."""

    id: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class RenameNode:
    """Give a node another id; every reference to it, and its place in the layout, follow."""

    id: str
    new_id: str


@dataclass(frozen=True)
class SetFlags:
    """Bypass nodes (their input passes through) or mute them (they give nothing); None leaves a flag as it is."""

    ids: tuple[str, ...]
    bypass: bool | None = None
    mute: bool | None = None


@dataclass(frozen=True)
class InsertIntoWire:
    """Put an existing node into a wire: it reads what the wire read, and the wire's target reads it."""

    id: str
    target: str
    port: str
    index: int | None = None


@dataclass(frozen=True)
class GroupIntoBlock:
    """Move nodes into a new block of the file and put one use of it in their place; wires across stay."""

    ids: tuple[str, ...]
    name: str


@dataclass(frozen=True)
class Paste:
    """Add the nodes of a YAML fragment (as `Document.copy` gives) with new ids where taken, moved by an offset."""

    fragment: str
    offset: tuple[float, float]


@dataclass(frozen=True)
class SetFrame:
    """Add or change a frame."""

    id: str
    text: str
    x: float
    y: float
    width: float
    height: float
    color: str = "grey"


@dataclass(frozen=True)
class RemoveFrames:
    """Remove frames; the nodes on them stay."""

    ids: tuple[str, ...]


@dataclass(frozen=True)
class SetField:
    """Set or (UNSET) remove a value anywhere in the document by its path, such as ("run", "cash")."""

    path: tuple[str | int, ...]
    value: Any


Edit = (
    AddNode
    | RemoveNodes
    | MoveNodes
    | Connect
    | Disconnect
    | SetValues
    | RenameNode
    | SetFlags
    | InsertIntoWire
    | GroupIntoBlock
    | Paste
    | SetFrame
    | RemoveFrames
    | SetField
)
