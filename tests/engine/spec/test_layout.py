from __future__ import annotations

import pytest

from quantcrafter.engine.spec import check_strategy
from tests.support.catalog import strategy_text

NODES = """
money: {size: {use: units}}
"""


def codes(tail: str) -> list[tuple[str, str]]:
    _, problems = check_strategy(strategy_text(NODES) + tail)
    return [(problem.code, problem.path) for problem in problems]


def test_frames_and_places_of_the_bars_are_welcome() -> None:
    frame = "{text: Entry, at: [0, 0], size: [9, 9], color: red}"
    assert codes(f"layout: {{bars: [0, 0], size: [1, 2.5]}}\nframes: {{one: {frame}}}\n") == []


@pytest.mark.parametrize(
    ("frame", "path"),
    [
        ("5", "frames.one"),
        ("{text: [a], at: [0, 0], size: [1, 1]}", "frames.one.text"),
        ("{at: [0], size: [1, 1]}", "frames.one.at"),
        ("{at: [0, 0]}", "frames.one.size"),
        ("{at: [0, 0], size: [0, 1]}", "frames.one.size"),
        ("{at: [0, 0], size: [1, 1], colour: red}", "frames.one.colour"),
    ],
)
def test_a_wrong_frame_is_named_by_its_place(frame: str, path: str) -> None:
    assert [found for _, found in codes(f"frames: {{one: {frame}}}\n")] == [path]


def test_a_block_has_a_layout_and_frames_of_its_own() -> None:
    block = (
        "{outputs: {a: m}, indicators: {m: {use: mean}}, layout: {m: [x, 1]}, frames: {f: {at: [0, 0], size: [1, 1]}}}"
    )
    assert codes(f"blocks:\n  b: {block}\n") == [("layout", "blocks.b.layout.m")]
