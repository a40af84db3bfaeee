"""Where nodes stand that the file gives no place: in columns from left to right, each right of what feeds it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from quantcrafter.engine.interchange.nodegraphqt.graph import GraphNode, StrategyGraph, references_in

COLUMN, ROW = 280.0, 140.0


def places(graph: StrategyGraph, given: Mapping[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """Return the place of each node: the given one, or a free one in the column that follows from its wires."""
    columns = _columns(graph)
    left = min((x for x, _ in given.values()), default=0.0)
    top = max((y for _, y in given.values()), default=-ROW) + ROW
    rows: dict[int, int] = defaultdict(int)
    found = {}
    for name, column in columns.items():
        if name in given:
            found[name] = given[name]
        else:
            found[name] = (left + column * COLUMN, top + rows[column] * ROW)
            rows[column] += 1
    return found


def _columns(graph: StrategyGraph) -> dict[str, int]:
    """Return the length of the longest way to each node, by what the file says and not by what is installed.

    Wires that close a circle do not count.
    """
    feeds = {name: _named(graph, node) for name, node in graph.nodes.items()}
    columns: dict[str, int] = {}
    for start in feeds:
        todo, under_way = [start], set[str]()
        while todo:
            name = todo[-1]
            waiting = [each for each in feeds[name] if each not in columns and each not in under_way and each != name]
            under_way.add(name)
            if name in columns or not waiting:
                todo.pop()
                columns.setdefault(name, max((columns.get(each, -1) + 1 for each in feeds[name]), default=0))
            else:
                todo.extend(waiting)
    return {name: columns[name] for name in graph.nodes}


def _named(graph: StrategyGraph, node: GraphNode) -> list[str]:
    heads = (text.partition(".")[0] for value in node.fields.values() for text in references_in(value))
    return [head for head in heads if head in graph.nodes]
