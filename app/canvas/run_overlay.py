"""RunOverlay: shows the run at the selected bar on a canvas."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, QTimer

from quantcrafter.app.canvas.gesture import Hit
from quantcrafter.app.canvas.run.caption import Caption
from quantcrafter.app.canvas.run.marks import NO_MARKS, NodeMark, RunMarks, Tone
from quantcrafter.app.canvas.run.run_names import RunLevel, prefix_of
from quantcrafter.app.canvas.run.sparkline import Sparkline
from quantcrafter.app.document.view import WireView
from quantcrafter.app.services.event_texts import (
    blocked_text,
    count_text,
    filled_text,
    held_back_text,
    idle_text,
    ordered_text,
)
from quantcrafter.app.services.explanation_texts import moment_text, obstacle_brief, obstacle_short, obstacle_text
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.services.problems import error_text
from quantcrafter.app.services.value_texts import value_text
from quantcrafter.app.session.explainer import Explainer
from quantcrafter.app.session.run_session import RunSession
from quantcrafter.engine.api import EXIT_LONG, EXIT_SHORT, RunError
from quantcrafter.engine.runtime.explain import (
    Facts,
    NodeCensus,
    Obstacle,
    Value,
    Why,
    firings,
    next_firing,
    previous_firing,
    values_at,
)

if TYPE_CHECKING:
    from quantcrafter.app.canvas.canvas import Canvas

REST_MS = 120
"""How long the mouse rests on a wire before its course is shown."""


class RunOverlay(QObject):
    """Ties a canvas to the run session of its strategy."""

    def __init__(self, canvas: Canvas, session: RunSession) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self.session = session
        self.explainer = Explainer.of(session)
        self.is_on = True
        self._stale = False
        self._sparkline: Sparkline | None = None
        self._wire: WireView | None = None
        self._caption = Caption(canvas.view)
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self._show_wire)
        self.explainer.explained.connect(self.refresh)
        self.explainer.counted.connect(self.refresh)
        canvas.scope_changed.connect(lambda _scope: self.refresh())
        canvas.scene.content_changed.connect(self._content_changed)
        canvas.view.hovered.connect(self._hovered)
        canvas.view.view_changed.connect(self._look_away)
        self._graph = canvas.graph
        self.refresh()

    # ------------------------------------------------------------------ what is shown

    @property
    def level(self) -> RunLevel | None:
        """The level on the canvas as it is in the run; None without a run, or where the run has no such level."""
        facts = self.explainer.facts
        if facts is None or self._canvas.locked:
            return None
        prefix = prefix_of(self._canvas.document, self._canvas.scope)
        return None if prefix is None else RunLevel(self._canvas.graph, facts, prefix)

    @property
    def marks(self) -> RunMarks:
        """What is shown now."""
        return self._canvas.scene.marks

    def refresh(self) -> None:
        """Show the place that is pointed at now."""
        self._look_away()
        self._graph = self._canvas.graph
        level = self.level if self.is_on else None
        bar = self.explainer.bar
        try:
            marks = NO_MARKS if level is None else self._marks(level)
        except RunError as error:  # its folder went, as those of old trials do
            level, marks = None, NO_MARKS
            self._canvas.message.emit(error_text(error))
        self._canvas.scene.set_marks(marks)
        self._caption.show_text("" if level is None or bar is None else self._said(level.facts, bar))

    def _said(self, facts: Facts, bar: int) -> str:
        """Return which bar is shown, and in a few words what was decided there."""
        why = self.explainer.why
        moment = tr("{symbol}, close of {when}", symbol=facts.bars.symbol, when=moment_text(facts, bar, named=True))
        lines: list[str] = []
        if why is not None:
            lines = [ordered_text(order) for order in why.ordered] + [blocked_text(each) for each in why.blocked]
            lines = lines or [filled_text(fill, facts) for fill in why.filled if fill.node]
        return "   ·   ".join([moment, *lines[:1], *([tr("Out of date")] if self._stale else [])])

    def set_stale(self, stale: bool) -> None:  # noqa: FBT001 - a state
        """Say that the run is out of date, or no longer."""
        if stale != self._stale:
            self._stale = stale
            self.refresh()

    def set_on(self, on: bool) -> None:  # noqa: FBT001 - a state
        """Show the run on the canvas, or nothing of it."""
        self.is_on = on
        self.refresh()

    def _content_changed(self) -> None:
        if self._canvas.graph is not self._graph and (self.marks.nodes or self.session.run is not None):
            self.refresh()

    def _marks(self, level: RunLevel) -> RunMarks:
        why, bar = self.explainer.why, self.explainer.bar
        values = {} if bar is None else values_at(level.facts, bar)
        parts = _parts(level, why)
        wanted = _wanted(level, why)
        marks = {}
        for node in level.graph.nodes:
            mark = self._mark(level, node, values, parts.get(node, ""), wanted.get(node))
            if mark is not None:
                marks[node] = mark
        lit = level.lit(why.path.wires) if why is not None else frozenset()
        return RunMarks(marks, lit)

    def _mark(
        self,
        level: RunLevel,
        node: str,
        values: dict[str, tuple[Value, ...]],
        part: str,
        obstacle: Obstacle | None,
    ) -> NodeMark | None:
        shown = _values_of(level, node, values)
        text = " · ".join(value_text(value) for value in shown if not _is_empty(value))
        tone: Tone = _tone(shown)
        brief = ""
        lines = [f"{value.output or node}: {value_text(value)}" for value in shown] if shown else []
        if obstacle is not None:
            part = part or "wanted"
            text, brief = obstacle_short(obstacle) or text, obstacle_brief(obstacle)
            lines.append(obstacle_text(obstacle, level.facts))
        if part == "wanted":
            tone = "wanted"
        elif part == "blocking":
            tone = "blocking"
        elif part == "path" and tone == "on":
            tone = "path"
        census = self._census(level, node)
        fired = count_text(census, level.facts.instrument) if census is not None else ""
        idle = idle_text(census) if census is not None else ""
        if census is not None and held_back_text(census):
            lines.append(held_back_text(census))
        if not text and not fired and not part:
            return None
        return NodeMark(text, tone, fired, idle, part, "\n".join(lines), brief)  # type: ignore[arg-type]

    def _census(self, level: RunLevel, node: str) -> NodeCensus | None:
        census = self.explainer.census
        return census.nodes.get(level.name(node)) if census is not None else None

    # ------------------------------------------------------------------ firings

    def fired(self, node: str) -> tuple[int, ...]:
        """Return the bars at which a node of the canvas fired."""
        level = self.level
        return () if level is None else tuple(firings(level.facts, level.name(node)).tolist())

    def go_to_firing(self, node: str, *, forward: bool) -> bool:
        """Point at the next (or previous) firing of a node; return whether there was one."""
        level = self.level
        if level is None:
            return False
        bars = firings(level.facts, level.name(node))
        here = self.session.bar
        if self.explainer.bar is not None and self.session.trade is not None:
            here = self.explainer.bar
        found = next_firing(bars, here) if forward else previous_firing(bars, here)
        if found is not None:
            self.session.go_to(found)
        return found is not None

    # ------------------------------------------------------------------ wires

    def _hovered(self, hit: Hit) -> None:
        if hit.wire != self._wire:
            self._look_away()
            self._wire = hit.wire
            if hit.wire is not None and self.is_on and self.session.run is not None:
                self._rest.start()

    def _look_away(self) -> None:
        self._rest.stop()
        self._wire = None
        if self._sparkline is not None:
            self._sparkline.hide()

    def _show_wire(self) -> None:
        level, view = self.level, self._canvas.view
        wire = self._wire
        found = level.output(wire) if level is not None and wire is not None else None
        if level is None or wire is None or found is None:
            return
        if self._sparkline is None:
            self._sparkline = Sparkline(view)
        bar = self.explainer.bar
        at = view.mapFromGlobal(view.cursor().pos())
        title = f"{wire.source}.{wire.output} \N{RIGHTWARDS ARROW} {wire.target}.{wire.port}"
        self._sparkline.show_output(level.facts, *found, bar, title, at if view.rect().contains(at) else QPoint(20, 20))

    @property
    def sparkline(self) -> Sparkline | None:
        """The popup over a wire, None before it was first shown."""
        return self._sparkline


def _parts(level: RunLevel, why: Why | None) -> dict[str, str]:
    if why is None:
        return {}
    found: dict[str, str] = {}
    for name in why.path.nodes:
        node = level.node(name)
        if node is not None:
            found[node] = "path"
    for name in why.path.blocking:
        node = level.node(name)
        if node is not None:
            found[node] = "blocking"
    return found


def _wanted(level: RunLevel, why: Why | None) -> dict[str, Obstacle]:
    """Return the obstacle to show at each node, where nothing was ordered: of the nearest way in, or out if held."""
    if why is None or why.ordered or not why.ways:
        return {}
    found: dict[str, Obstacle] = {}
    leaving = [way for way in why.ways if way.flag in (EXIT_LONG, EXIT_SHORT)]
    nearest = min(leaving or why.ways, key=lambda way: (len(way.sets[0]), sum(each.test.gap for each in way.sets[0])))
    for obstacle in nearest.sets[0]:
        node = level.node(obstacle.source or obstacle.node)
        if node is not None:
            found.setdefault(node, obstacle)
    return found


def _values_of(level: RunLevel, node: str, values: dict[str, tuple[Value, ...]]) -> tuple[Value, ...]:
    name = level.name(node)
    if name in values:
        return values[name][:1] if name == "bars" else values[name]
    refs = {(ref.node, ref.output) for ref in level.refs(node)} if name not in level.facts.run.nodes else set()
    return tuple(value for inner, own in values.items() for value in own if (inner, value.output) in refs)


def _is_empty(value: Value) -> bool:
    """Return whether there is nothing to show: no open order, none sized."""
    return value.kind in ("price", "quantity") and math.isnan(value.value)


def _tone(values: tuple[Value, ...]) -> Tone:
    """Return how a node's chip looks: on or off for one truth, plain for numbers."""
    if len(values) != 1 or values[0].kind not in ("condition", "filter", "signal"):
        return "plain"
    value = values[0]
    if value.passes is not None:
        return "on" if value.passes else "off"
    return "on" if value.value else "off"
