"""The first-start tour: what its coach marks say and where they stand. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

from quantcrafter.app.services.i18n import tr

GAP = 14
EDGE = 8


@dataclass(frozen=True, slots=True)
class TourStep:
    """One coach mark. `target` names the part of the window that it points at."""

    target: str
    title: str
    text: str


def tour_steps() -> tuple[TourStep, ...]:
    """Return the steps, in the order of work."""
    return (
        TourStep(
            "palette",
            tr("Find a component"),
            tr(
                "All indicators, advisors, filters and rules are listed here. Search, then drag "
                "one to the canvas or press Enter."
            ),
        ),
        TourStep(
            "canvas",
            tr("Connect the nodes"),
            tr(
                "Drag from an output to an input. Compatible ports are highlighted. Double-click "
                "the canvas to add a node in place."
            ),
        ),
        TourStep(
            "inspector",
            tr("Set the parameters"),
            tr("Select a node to see its parameters here, with their ranges, units and help."),
        ),
        TourStep(
            "problems",
            tr("Check for problems"),
            tr("Problems are listed here as you work. Click one to go to it on the canvas."),
        ),
        TourStep(
            "yaml",
            tr("View the strategy as text"),
            tr("The graph is a YAML file. Edit either the graph or the text; the other updates immediately."),
        ),
        TourStep(
            "save",
            tr("Save and run the strategy"),
            tr("Save the strategy, then run the same file anywhere: quantcrafter run my_strategy.yaml"),
        ),
    )


@dataclass(frozen=True, slots=True)
class PixelBox:
    """A rectangle in pixels."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class BubblePlace:
    """Where a coach mark stands and on which of its sides the target lies ("" where it points at nothing)."""

    x: int
    y: int
    side: str


def place(target: PixelBox | None, bubble: tuple[int, int], window: tuple[int, int]) -> BubblePlace:
    """Return where a bubble of a size stands in a window: beside its target where there is room, else in the middle."""
    width, height = bubble
    middle = BubblePlace(max((window[0] - width) // 2, 0), max((window[1] - height) // 2, 0), "")
    if target is None:
        return middle
    right, below = target.x + target.width, target.y + target.height
    x = _within(target.x + target.width // 2 - width // 2, width, window[0])
    y = _within(target.y + target.height // 2 - height // 2, height, window[1])
    if right + GAP + width <= window[0] - EDGE:
        return BubblePlace(right + GAP, y, "left")
    if target.x - GAP - width >= EDGE:
        return BubblePlace(target.x - GAP - width, y, "right")
    if below + GAP + height <= window[1] - EDGE:
        return BubblePlace(x, below + GAP, "top")
    if target.y - GAP - height >= EDGE:
        return BubblePlace(x, target.y - GAP - height, "bottom")
    return BubblePlace(x, y, "")


def _within(start: int, size: int, limit: int) -> int:
    return max(EDGE, min(start, limit - size - EDGE))
