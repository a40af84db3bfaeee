from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from quantcrafter.app.canvas.arrange import DEFAULT_SIZE, NodeBox, align, distribute, framed, free_place, layered
from quantcrafter.app.document.view import GraphView, NodeView, WireView
from quantcrafter.engine.api import Role


def graph(edges: list[tuple[str, str]], extra: tuple[str, ...] = ()) -> GraphView:
    names = dict.fromkeys([name for edge in edges for name in edge] + list(extra))
    nodes = {name: NodeView(name, Role.LOGIC, "and") for name in names}
    return GraphView(nodes, tuple(WireView(one, "value", two, "inputs", n) for n, (one, two) in enumerate(edges)))


def crossings(view: GraphView, places: dict[str, tuple[float, float]]) -> int:
    wires = [(places[wire.source], places[wire.target]) for wire in view.wires]
    return sum(
        1
        for n, (a, b) in enumerate(wires)
        for c, d in wires[:n]
        if a[0] == c[0] and b[0] == d[0] and (a[1] - c[1]) * (b[1] - d[1]) < 0
    )


def test_wires_run_to_the_right_and_nothing_lies_on_another() -> None:
    view = graph([("bars", "fast"), ("bars", "slow"), ("fast", "cross"), ("slow", "cross"), ("cross", "entry")])
    places = layered(view)
    assert all(places[wire.source][0] < places[wire.target][0] for wire in view.wires)
    assert places["fast"][0] == places["slow"][0]


def test_crossed_wires_are_untangled() -> None:
    view = graph([("a", "y"), ("b", "x"), ("c", "z"), ("x", "end"), ("y", "end"), ("z", "end")])
    assert crossings(view, layered(view)) == 0


def test_a_source_stands_next_to_what_reads_it() -> None:
    places = layered(graph([("bars", "sma"), ("sma", "cross"), ("cross", "entry"), ("size", "entry")]))
    assert places["size"][0] == places["cross"][0]


def test_an_empty_graph_and_one_without_wires_are_no_trouble() -> None:
    assert layered(GraphView()) == {}
    assert len(layered(graph([], ("a", "b", "c")))) == 3


def test_a_circle_is_arranged_all_the_same() -> None:
    assert set(layered(graph([("a", "b"), ("b", "c"), ("c", "a"), ("a", "a")]))) == {"a", "b", "c"}


@given(st.integers(2, 40), st.randoms(use_true_random=False))
def test_no_two_nodes_overlap_whatever_their_sizes(count: int, random: Random) -> None:
    edges = [(f"n{random.randrange(node)}", f"n{node}") for node in range(1, count) for _ in range(random.randrange(3))]
    view = graph(edges, tuple(f"n{node}" for node in range(count)))
    sizes = {node: (random.choice([120.0, 190.0, 260.0]), float(random.randrange(40, 300))) for node in view.nodes}
    boxes = [NodeBox(*place, *sizes[node]) for node, place in layered(view, sizes).items()]
    assert not any(one.meets(other, 10) for index, one in enumerate(boxes) for other in boxes[:index])


def test_a_frame_keeps_its_nodes_and_no_other_node_is_on_it() -> None:
    view = graph([("bars", "a"), ("bars", "b"), ("a", "cross"), ("b", "cross"), ("cross", "entry"), ("size", "entry")])
    sizes = dict.fromkeys(view.nodes, (190.0, 80.0))
    places, frames = framed(view, sizes, {"one": ["a", "cross"], "two": ["size", "a"]})
    boxes = {node: NodeBox(*place, *sizes[node]) for node, place in places.items()}
    assert set(boxes) == set(view.nodes)
    assert {node for node, box in boxes.items() if box.meets(frames["one"])} == {"a", "cross"}
    assert {node for node, box in boxes.items() if box.meets(frames["two"])} == {"size"}
    assert not frames["one"].meets(frames["two"])


BOXES = {"a": NodeBox(0, 0, 100, 50), "b": NodeBox(30, 100, 60, 50), "c": NodeBox(200, 400, 100, 70)}


def test_edges_and_centres_come_into_line() -> None:
    assert {place[0] for place in align(BOXES, "left").values()} == {0}
    assert align(BOXES, "right") == {"a": (200, 0), "b": (240, 100), "c": (200, 400)}
    assert align(BOXES, "center") == {"a": (100, 0), "b": (120, 100), "c": (100, 400)}
    assert {place[1] for place in align(BOXES, "top").values()} == {0}
    assert align(BOXES, "bottom") == {"a": (0, 420), "b": (30, 420), "c": (200, 400)}
    assert align(BOXES, "middle") == {"a": (0, 210), "b": (30, 210), "c": (200, 200)}
    assert align({}, "left") == {}


def test_gaps_become_equal_between_the_outer_two() -> None:
    assert distribute(BOXES, "vertical") == {"a": (0, 0), "b": (30, 200), "c": (200, 400)}
    assert distribute({"a": BOXES["a"], "b": BOXES["b"]}, "vertical") == {"a": (0, 0), "b": (30, 100)}


def test_gaps_of_crowded_nodes_become_room_enough() -> None:
    crowded = {name: NodeBox(0, 10 * number, 100, 50) for number, name in enumerate("abc")}
    places = distribute(crowded, "vertical")
    assert [place[1] for place in places.values()] == [0, 80, 160]


def test_a_free_place_is_found_beside_what_is_there() -> None:
    taken = [NodeBox(0, 0, *DEFAULT_SIZE), NodeBox(200, 0, *DEFAULT_SIZE)]
    x, y = free_place((3, 4), DEFAULT_SIZE, taken)
    assert not any(NodeBox(x, y, *DEFAULT_SIZE).meets(other) for other in taken)
    assert free_place((600, 204), DEFAULT_SIZE, taken) == (600, 200)
