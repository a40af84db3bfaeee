"""What can be wired to a port: every output that the document does not refuse. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

from quantcrafter.app.document.document import Document
from quantcrafter.app.document.ports import reference_to
from quantcrafter.app.document.view import Scope
from quantcrafter.engine.api import PortType, Role


@dataclass(frozen=True, slots=True)
class Fitting:
    """An output that fits: what the file says to read it, its type, and the family of its node."""

    reference: str
    type: PortType | None
    node: str
    role: Role | None


def fitting_outputs(document: Document, target: str, port: str, scope: Scope) -> list[Fitting]:
    """Return the outputs that can be wired to a port, in the order of the file."""
    graph = document.graph(scope)
    own = graph.nodes.get(target)
    wanted = next((entry.type for entry in own.inputs if entry.name == port), None) if own else None
    found = []
    for node in graph.nodes.values():
        for output in node.outputs:
            if wanted is not None and output.type not in (wanted, None):
                continue
            text = reference_to(node, output.name)
            if not document.refusal(text, target, port, scope):
                found.append(Fitting(text, output.type, node.id, node.role))
    return found
