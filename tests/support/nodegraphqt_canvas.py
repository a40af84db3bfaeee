"""The same graphs in the library NodeGraphQt as it comes, for benchmarks."""

from __future__ import annotations

from typing import Any

from NodeGraphQt import BaseNode, NodeGraph
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtWidgets import QApplication

from quantcrafter.app.document.view import GraphView, NodeView, PortView

_TYPE = "bench.PlainNode"


class PlainNode(BaseNode):  # type: ignore[misc] # it has no types
    """A node whose ports come from the session."""

    __identifier__ = "bench"
    NODE_NAME = "PlainNode"

    def __init__(self) -> None:
        super().__init__()
        self.set_port_deletion_allowed(True)


class LibraryCanvas:
    """A window of NodeGraphQt of 1280x720, and what a user does there."""

    def __init__(self) -> None:
        self.graph = NodeGraph()
        self.graph.register_node(PlainNode)
        self.viewer: Any = self.graph.viewer()
        self.graph.widget.resize(1280, 720)
        self.graph.widget.show()

    def open(self, session: dict[str, Any]) -> None:
        """Open a session and fit it into the window, all painted."""
        self.graph.deserialize_session(session)
        self.graph.fit_to_selection()
        self.flush()

    def at(self, zoom: float) -> None:
        """Show the middle of the graph at a zoom, 1 for a pixel a unit."""
        self.viewer.reset_zoom(self._middle())
        self.zoom_by(zoom / float(self.viewer.transform().m11()))
        self.flush()

    def zoom_by(self, factor: float) -> None:
        """Show 1 / `factor` times as much about the middle."""
        self.viewer.scale(factor, factor)

    def pan(self, x: float, y: float) -> None:
        """Move the view by pixels."""
        scale = float(self.viewer.transform().m11())
        self.viewer._set_viewer_pan(x / scale, y / scale)

    def middle_node(self) -> Any:
        """Return the item of a node in the middle of the graph."""
        center = self._middle()
        items = [node.view for node in self.graph.all_nodes()]
        return min(items, key=lambda item: (item.sceneBoundingRect().center() - center).manhattanLength())

    def _middle(self) -> QPointF:
        found = QRectF()
        for node in self.graph.all_nodes():
            found = found.united(node.view.sceneBoundingRect())
        return found.center()

    @staticmethod
    def flush() -> None:
        """Have everything painted that waits to be painted."""
        QApplication.processEvents()
        QApplication.processEvents()


def session_of(graph: GraphView) -> dict[str, Any]:
    """Return a graph as a session."""
    nodes = {name: _node(view) for name, view in graph.nodes.items()}
    connections = [{"out": [wire.source, wire.output], "in": [wire.target, wire.port]} for wire in graph.wires]
    return {"graph": {}, "nodes": nodes, "connections": connections}


def _node(view: NodeView) -> dict[str, Any]:
    return {
        "type_": _TYPE,
        "name": view.id,
        "pos": list(view.position or (0.0, 0.0)),
        "port_deletion_allowed": True,
        "input_ports": [_port(port) for port in view.inputs],
        "output_ports": [_port(port) for port in view.outputs],
    }


def _port(port: PortView) -> dict[str, Any]:
    return {"name": port.name, "multi_connection": True, "display_name": True}
