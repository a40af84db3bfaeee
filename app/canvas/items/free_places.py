"""Places for nodes that the file gives none. No Qt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from quantcrafter.app.canvas.arrange import COLUMN_GAP, NodeBox, free_place, layered
from quantcrafter.app.document.view import GraphView

Point = tuple[float, float]
Size = tuple[float, float]


def missing_places(graph: GraphView, sizes: Mapping[str, Size], ids: Sequence[str]) -> dict[str, Point]:
    """Return places for `ids`: the layered layout, or near what they are wired to when other nodes have places."""
    fixed = {node_id: node.position for node_id, node in graph.nodes.items() if node.position is not None}
    wanted = layered(graph, sizes)
    if not fixed:
        return {node_id: wanted[node_id] for node_id in ids}
    boxes = [NodeBox(*place, *sizes[node_id]) for node_id, place in fixed.items()]
    places: dict[str, Point] = {}
    for node_id in ids:
        place = free_place(_beside(node_id, graph, fixed | places, sizes), sizes[node_id], boxes)
        places[node_id] = place
        boxes.append(NodeBox(*place, *sizes[node_id]))
    return places


def _beside(node_id: str, graph: GraphView, placed: Mapping[str, Point], sizes: Mapping[str, Size]) -> Point:
    """Return a place left of what reads the node, right of what it reads, or below everything."""
    width, height = sizes[node_id]
    readers = [placed[wire.target] for wire in graph.wires if wire.source == node_id and wire.target in placed]
    if readers:
        middle = sum(y for _, y in readers) / len(readers)
        return min(x for x, _ in readers) - width - COLUMN_GAP, middle
    sources = [wire.source for wire in graph.wires if wire.target == node_id and wire.source in placed]
    if sources:
        right = max(placed[source][0] + sizes[source][0] for source in sources)
        return right + COLUMN_GAP, sum(placed[source][1] for source in sources) / len(sources)
    left = min(x for x, _ in placed.values())
    bottom = max(y + sizes[other][1] for other, (_, y) in placed.items())
    return left, bottom + height / 2
