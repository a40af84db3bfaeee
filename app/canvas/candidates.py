"""Candidates of quick-add: every component of the catalog, blocks, and existing outputs of bars."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from quantcrafter.app.document.ports import component_ports, reference_to
from quantcrafter.app.document.view import NodeView
from quantcrafter.app.services.i18n import tr, translated
from quantcrafter.app.services.type_names import family_member
from quantcrafter.engine.api import Catalog, PortType, Role
from quantcrafter.engine.plugins.descriptions import headline


@dataclass(frozen=True, slots=True)
class OfferPort:
    """A port of something on offer; `type` is None where it fits anything."""

    name: str
    type: PortType | None
    required: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """A line of quick-add: a component to add, or (`role` is None) a reference such as `bars.close` to wire to."""

    role: Role | None
    use: str
    category: str
    summary: str
    inputs: tuple[OfferPort, ...] = ()
    outputs: tuple[OfferPort, ...] = ()

    @property
    def title(self) -> str:
        """Return the name without the prefix of its family of components."""
        return self.use.removeprefix("ta.")

    @property
    def key(self) -> str:
        """Return the key for usage counts."""
        return f"{self.role}:{self.use}" if self.role is not None else self.use


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a dropped wire needs at its other end.

    `gives` tells that the new node must have an output of the type (the wire was pulled from an input), else it must
    read one. `use` is the component at the end that is there.
    """

    type: PortType | None
    gives: bool
    use: str = ""

    def port(self, offer: Offer) -> OfferPort | None:
        """Return the port of an offer that the wire goes to: a required one first; None when nothing fits."""
        ports = offer.outputs if self.gives else offer.inputs
        fitting = [port for port in ports if fits(port.type, self.type)]
        return next((port for port in fitting if port.required), fitting[0] if fitting else None)


def fits(one: PortType | None, other: PortType | None) -> bool:
    """Return whether two port types connect; an unknown one (None) fits anything."""
    return one is None or other is None or one is other


class OfferIndex:
    """The catalog's components as offers, read a few at a time so that no pause is felt."""

    def __init__(self, catalog: Catalog) -> None:
        self._offers: list[Offer] = []
        self._rest: Iterator[Offer] | None = _components(catalog)

    def read(self, count: int) -> bool:
        """Read some more components; return whether there are more."""
        for _ in range(count):
            offer = next(self._rest, None) if self._rest is not None else None
            if offer is None:
                self._rest = None
                return False
            self._offers.append(offer)
        return True

    def all(self) -> tuple[Offer, ...]:
        """Return every component, reading what is left."""
        while self.read(1000):
            pass
        return tuple(self._offers)


def _components(catalog: Catalog) -> Iterator[Offer]:
    for role in Role:
        for name in catalog.component_names(role):
            cls = catalog.component(role, name)
            if cls is None:
                continue
            summary = translated(headline(cls))
            ports = component_ports(cls)
            inputs = tuple(OfferPort(port.name, port.type, port.required) for port in ports.inputs)
            outputs = tuple(OfferPort(port.name, port.type) for port in ports.outputs)
            yield Offer(role, name, translated(cls.category) or family_member(role), summary, inputs, outputs)


def references(nodes: Iterable[NodeView], wanted: Wanted) -> list[Offer]:
    """Return the outputs of bars and feeds, and a block's inputs, that an input can be wired to."""
    found = []
    for node in nodes:
        if node.role not in {None, Role.DATA} or not wanted.gives:
            continue
        for port in node.outputs:
            if fits(port.type, wanted.type):
                text = reference_to(node, port.name)
                summary = translated(port.description) or tr("Connect to an existing node.")
                found.append(Offer(None, text, tr("On the canvas"), summary, (), (OfferPort(port.name, port.type),)))
    return found


def component_id(use: str) -> str:
    """Return the node id that a component's name suggests: `rsi` for `ta.RSI`."""
    last = use.rsplit("/", 1)[-1].removesuffix(".yaml").removesuffix(".yml").rsplit(".", 1)[-1].lower()
    base = "".join(char if char.isascii() and (char.isalnum() or char == "_") else "_" for char in last) or "node"
    return f"n{base}" if base[0].isdigit() else base
