"""Places for nodes: a layered layout, alignment and even gaps. No Qt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import networkx as nx  # type: ignore[import-untyped]

from quantcrafter.app.document.view import GraphView, NodeView

Size = tuple[float, float]
Point = tuple[float, float]
Align = Literal["left", "right", "top", "bottom", "center", "middle"]
Direction = Literal["horizontal", "vertical"]

DEFAULT_SIZE: Size = (180.0, 90.0)
COLUMN_GAP = 70.0
ROW_GAP = 30.0
BEND: Size = (0.0, 10.0)
"""The room of a wire that passes a column."""
SWEEPS = 6
GRID = 10.0
FRAME_PADDING = 20.0
FRAME_TITLE = 40.0


@dataclass(frozen=True, slots=True)
class NodeBox:
    """A node's rectangle in the scene."""

    x: float
    y: float
    width: float
    height: float

    def meets(self, other: NodeBox, gap: float = 0.0) -> bool:
        """Return whether two boxes are nearer to each other than `gap`."""
        return (
            self.x < other.x + other.width + gap
            and other.x < self.x + self.width + gap
            and self.y < other.y + other.height + gap
            and other.y < self.y + self.height + gap
        )


def layered(graph: GraphView, sizes: Mapping[str, Size] | None = None) -> dict[str, Point]:
    """Return a place for each node: sources at the left, wires to the right, few crossings, no overlaps.

    `sizes` are the nodes' widths and heights in scene units. Nodes on a cycle keep the order of the file.
    """
    boxes = {node: (sizes or {}).get(node, DEFAULT_SIZE) for node in graph.nodes}
    net = _acyclic(graph)
    layers = _layers(net)
    bends = _bend(layers, net)
    _order(layers, net)
    places = _places(layers, net, {**boxes, **dict.fromkeys(bends, BEND)})
    return {node: places[node] for node in graph.nodes}


def framed(
    graph: GraphView, sizes: Mapping[str, Size], members: Mapping[str, Sequence[str]]
) -> tuple[dict[str, Point], dict[str, NodeBox]]:
    """Return places as `layered` does, and a box for each frame: its members stay together, and nothing else is on it.

    `members` are the nodes on each frame; a node on several belongs to the first.
    """
    owner = {node: frame for frame, nodes in reversed(list(members.items())) for node in nodes}
    inner = {frame: layered(part(graph, nodes), sizes) for frame, nodes in _own(members, owner).items()}
    areas = {
        frame: around(NodeBox(*place, *sizes[node]) for node, place in places.items())
        for frame, places in inner.items()
    }
    names = {node: f"frame {owner[node]}" if node in owner else node for node in graph.nodes}
    nodes = {names[node]: NodeView(names[node], None, "") for node in graph.nodes}
    wires = tuple(replace(wire, source=names[wire.source], target=names[wire.target]) for wire in graph.wires)
    outer_sizes = {**sizes, **{f"frame {frame}": (area.width, area.height) for frame, area in areas.items()}}
    outer = layered(GraphView(nodes, wires), outer_sizes)
    boxes = {frame: NodeBox(*outer[f"frame {frame}"], area.width, area.height) for frame, area in areas.items()}
    places = {node: outer[node] for node in graph.nodes if node not in owner}
    for frame, found in inner.items():
        dx, dy = boxes[frame].x - areas[frame].x, boxes[frame].y - areas[frame].y
        places.update({node: (x + dx, y + dy) for node, (x, y) in found.items()})
    return places, boxes


def _own(members: Mapping[str, Sequence[str]], owner: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the frames with the nodes that belong to them and to no other, without those that have none."""
    own = {frame: [node for node in nodes if owner[node] == frame] for frame, nodes in members.items()}
    return {frame: nodes for frame, nodes in own.items() if nodes}


def part(graph: GraphView, nodes: Iterable[str]) -> GraphView:
    """Return some nodes of a graph and the wires among them."""
    kept = {node: graph.nodes[node] for node in nodes}
    return GraphView(kept, tuple(wire for wire in graph.wires if wire.source in kept and wire.target in kept))


def around(boxes: Iterable[NodeBox]) -> NodeBox:
    """Return a frame around at least one node, on the grid, with room for its title."""
    all_boxes = tuple(boxes)
    left = snap(min(box.x for box in all_boxes) - FRAME_PADDING)
    top = snap(min(box.y for box in all_boxes) - FRAME_TITLE)
    right = snap(max(box.x + box.width for box in all_boxes) + FRAME_PADDING)
    bottom = snap(max(box.y + box.height for box in all_boxes) + FRAME_PADDING)
    return NodeBox(left, top, right - left, bottom - top)


def _acyclic(graph: GraphView) -> nx.DiGraph[str]:
    """Return the wires as a graph, without those that run backwards in the file's order on a cycle."""
    net: nx.DiGraph[str] = nx.DiGraph()
    net.add_nodes_from(graph.nodes)
    net.add_edges_from((wire.source, wire.target) for wire in graph.wires if wire.source != wire.target)
    if not nx.is_directed_acyclic_graph(net):
        rank = {node: number for number, node in enumerate(graph.nodes)}
        for group in list(nx.strongly_connected_components(net)):
            inner = [edge for edge in net.edges(group) if edge[1] in group and rank[edge[0]] > rank[edge[1]]]
            net.remove_edges_from(inner)
    return net


def _layers(net: nx.DiGraph[str]) -> list[list[str]]:
    """Return the nodes by layer: as far right as their own readers allow, sources next to what reads them."""
    depth: dict[str, int] = {}
    for number, generation in enumerate(nx.topological_generations(net)):
        depth.update(dict.fromkeys(generation, number))
    for node in reversed(list(nx.topological_sort(net))):
        readers = [depth[reader] for reader in net.successors(node)]
        if readers and (net.in_degree(node) or min(readers) > 1):
            depth[node] = min(readers) - 1
    layers: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for node in net:
        layers[depth[node]].append(node)
    return [layer for layer in layers if layer]


def _bend(layers: list[list[str]], net: nx.DiGraph[str]) -> set[str]:
    """Add a narrow placeholder to each layer that wires pass, so that there is room for them."""
    depth = {node: number for number, layer in enumerate(layers) for node in layer}
    bends: set[str] = set()
    for node in list(net):
        far = [reader for reader in net.successors(node) if depth[reader] > depth[node] + 1]
        before = node
        for number in range(depth[node] + 1, max((depth[reader] for reader in far), default=0)):
            bend = f"{node} {number}"  # a space is in no node's id
            bends.add(bend)
            layers[number].append(bend)
            net.add_edge(before, bend)
            net.add_edges_from((bend, reader) for reader in far if depth[reader] == number + 1)
            before = bend
        net.remove_edges_from([(node, reader) for reader in far])
    return bends


def _order(layers: list[list[str]], net: nx.DiGraph[str]) -> None:
    """Sort each layer by the mean place of its neighbours, to and fro: fewer crossings (Sugiyama's barycentres)."""
    place = {node: float(index) for layer in layers for index, node in enumerate(layer)}
    for sweep in range(SWEEPS):
        forward = sweep % 2 == 0
        for layer in layers if forward else reversed(layers):
            wanted = {}
            for node in layer:
                others = list(net.predecessors(node) if forward else net.successors(node))
                wanted[node] = sum(place[other] for other in others) / len(others) if others else place[node]
            layer.sort(key=wanted.__getitem__)
            place.update((node, float(index)) for index, node in enumerate(layer))


def _places(layers: Sequence[Sequence[str]], net: nx.DiGraph[str], sizes: Mapping[str, Size]) -> dict[str, Point]:
    """Return the corner of each node: columns side by side, a node at the height of what it is wired to."""
    tallest = max((_height(layer, sizes) for layer in layers), default=0.0)
    placed: dict[str, Point] = {}
    x = 0.0
    for layer in layers:
        y = (tallest - _height(layer, sizes)) / 2
        tops = []
        for node in layer:
            tops.append(y)
            y += sizes[node][1] + ROW_GAP
        wanted = [_wanted(node, net, placed, sizes, top) for node, top in zip(layer, tops, strict=True)]
        for node, top in zip(layer, _spread(layer, wanted, sizes), strict=True):
            placed[node] = (x, snap(top))
        x = snap(x + max(sizes[node][0] for node in layer) + COLUMN_GAP)
    least = min((y for node, (_, y) in placed.items() if sizes[node] != BEND), default=0.0)
    return {node: (x, y - least) for node, (x, y) in placed.items()}


def _height(layer: Sequence[str], sizes: Mapping[str, Size]) -> float:
    return sum(sizes[node][1] + ROW_GAP for node in layer) - ROW_GAP


def _wanted(
    node: str, net: nx.DiGraph[str], placed: Mapping[str, Point], sizes: Mapping[str, Size], otherwise: float
) -> float:
    middles = [placed[other][1] + sizes[other][1] / 2 for other in net.predecessors(node) if other in placed]
    return sum(middles) / len(middles) - sizes[node][1] / 2 if middles else otherwise


def _spread(layer: Sequence[str], wanted: Sequence[float], sizes: Mapping[str, Size]) -> list[float]:
    """Return tops in order without overlap, each group of touching nodes centred on what its members want."""
    groups: list[tuple[list[str], float, float]] = []  # members, top, height
    for node, top in zip(layer, wanted, strict=True):
        members, start, height = [node], top, sizes[node][1]
        while groups and groups[-1][1] + groups[-1][2] + ROW_GAP > start:
            before, before_start, before_height = groups.pop()
            share = len(before) / (len(before) + len(members))
            start = before_start * share + (start - before_height - ROW_GAP) * (1 - share)
            members, height = before + members, before_height + ROW_GAP + height
        groups.append((members, start, height))
    tops = []
    for members, start, _ in groups:
        y = start
        for node in members:
            tops.append(y)
            y += sizes[node][1] + ROW_GAP
    return tops


def snap(value: float) -> float:
    """Return the nearest line of the grid."""
    return round(value / GRID) * GRID


def align(boxes: Mapping[str, NodeBox], how: Align) -> dict[str, Point]:
    """Return places with one edge, or the centres, on one line: that of the outermost box, or the middle of all.

    `center` makes a column of the boxes, `middle` a row.
    """
    if not boxes:
        return {}
    left, top = min(box.x for box in boxes.values()), min(box.y for box in boxes.values())
    right = max(box.x + box.width for box in boxes.values())
    bottom = max(box.y + box.height for box in boxes.values())
    places: dict[str, Point] = {}
    for name, box in boxes.items():
        x = {"left": left, "right": right - box.width, "center": (left + right - box.width) / 2}
        y = {"top": top, "bottom": bottom - box.height, "middle": (top + bottom - box.height) / 2}
        places[name] = (x.get(how, box.x), y.get(how, box.y))
    return places


def distribute(boxes: Mapping[str, NodeBox], direction: Direction) -> dict[str, Point]:
    """Return places with equal gaps between neighbours; the first and the last stay. Overlaps get the row gap."""
    along = direction == "horizontal"

    def start(box: NodeBox) -> float:
        return box.x if along else box.y

    def length(box: NodeBox) -> float:
        return box.width if along else box.height

    order = sorted(boxes, key=lambda name: start(boxes[name]))
    places = {name: (box.x, box.y) for name, box in boxes.items()}
    if len(order) < 3:  # noqa: PLR2004 - two boxes have one gap
        return places
    first, last = boxes[order[0]], boxes[order[-1]]
    room = start(last) - start(first) - sum(length(boxes[name]) for name in order[:-1])
    gap = room / (len(order) - 1)
    gap = gap if gap >= 0 else ROW_GAP
    at = start(first)
    for name in order:
        box = boxes[name]
        places[name] = (at, box.y) if along else (box.x, at)
        at += length(box) + gap
    return places


def free_place(wanted: Point, size: Size, taken: Iterable[NodeBox]) -> Point:
    """Return the nearest place below or beside `wanted`, on the grid, where a box of `size` covers no other."""
    others = list(taken)
    x, y = snap(wanted[0]), snap(wanted[1])
    for ring in range(200):
        for dx, dy in _ring(ring):
            box = NodeBox(x + dx * 4 * GRID, y + dy * 4 * GRID, *size)
            if not any(box.meets(other, GRID) for other in others):
                return box.x, box.y
    return x, y


def _ring(ring: int) -> list[tuple[int, int]]:
    """Return the steps at one distance, below first, then right, left, above."""
    if ring == 0:
        return [(0, 0)]
    steps = [(dx, dy) for dx in range(-ring, ring + 1) for dy in range(-ring, ring + 1) if ring in (abs(dx), abs(dy))]
    return sorted(steps, key=lambda step: (abs(step[0]) + abs(step[1]), -step[1], -step[0]))
