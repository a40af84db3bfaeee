"""What ties canvas, panes and text together: a selection made in one place shows in all others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer

from app import theme
from app.canvas.badges import badges
from app.charts.model.choice import eyes_of
from app.services.explainer import Explainer
from app.services.i18n import said
from app.window.status import problem_counts

if TYPE_CHECKING:
    from app.document.document import Change
    from app.document.view import Scope
    from app.window.docks import Docks
    from app.window.main_window import MainWindow
    from app.window.tab import StrategyTab
    from engine.api import Problem, Role

COUNT_DELAY_MS = 150
"""Validation of a large strategy takes longer than a key press may: it waits for a pause."""


class Wiring:
    """Passes selections, problems and messages between the parts of a window.

    A selection that arrives while another is being passed on is an echo of it, and goes no further.
    """

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._passing = False
        self._problem = -1
        self._count_soon = QTimer(window, singleShot=True, interval=COUNT_DELAY_MS)
        self._count_soon.timeout.connect(self._count_problems)

    def connect_docks(self, docks: Docks) -> None:
        """Listen to the panes."""
        docks.outline.selected.connect(self._outline_selected)
        docks.problems.activated.connect(self._problem_chosen)
        docks.palette.chosen.connect(self._chosen)
        docks.palette.highlighted.connect(self._component_highlighted)
        docks.palette.help_asked.connect(self._component_help)
        docks.outline.activated.connect(lambda node: self._window.on_canvas("reveal", node))
        docks.run_asked.connect(self._window.runs.run)
        docks.compared.connect(self._window.dialogs.comparison)
        docks.reopen_asked.connect(self._window.desk.reopen)
        docks.engines_asked.connect(self._window.engines.compare)
        docks.engines_cancelled.connect(self._window.engines.cancel)
        docks.message.connect(self._window.say)
        docks.node_asked.connect(self._node_asked)
        docks.chart_shown.connect(self._chart_shown)
        docks.inspector.vary_asked.connect(lambda node, field: self._window.dialogs.sweep((node, field)))
        docks.inspector.source_asked.connect(self._source_asked)
        docks.inspector.limits_asked.connect(self._limits_asked)
        for pane in (docks.inspector, docks.outline):
            pane.message.connect(self._window.say)

    def connect_tab(self, tab: StrategyTab) -> None:
        """Listen to a strategy's canvas, text and document."""
        tab.canvas.selection_changed.connect(lambda ids: self._canvas_selected(tab, tuple(ids)))
        tab.canvas.scope_changed.connect(lambda _scope: self._canvas_selected(tab, ()))
        tab.canvas.message.connect(self._window.say)
        tab.canvas.eye_clicked.connect(self._eye_clicked)
        tab.canvas.action_asked.connect(self._window.action_set.trigger)
        tab.canvas.action_state = self._window.action_set.state
        tab.canvas.view.zoomed.connect(lambda factor: self._zoomed(tab, factor))
        tab.yaml.node_at_cursor.connect(lambda node, scope: self._cursor_moved(tab, node, scope))
        tab.changed.connect(lambda change: self._changed(tab, change))
        Explainer.of(tab.session).use_engine(self._window.engine)

    def show_tab(self, tab: StrategyTab) -> None:
        """Let the panes show the strategy in front."""
        window = self._window
        window.docks.set_document(tab.document)
        window.docks.set_session(tab.session)
        window.runs.show_tab()
        self._chart_shown()
        self.show_problems(tab)
        self._show_selection(tab)
        window.status.show_zoom(tab.canvas.view.transform().m11())

    def _chart_shown(self) -> None:
        """Let the graph say what the chart shows of it, and the menus as well."""
        window = self._window
        choice = window.docks.chart_choice
        if window.tab is not None:
            is_drawn = choice is not None and window.tab.session.run is not None  # else the choice is of another one
            window.tab.canvas.set_eyes(eyes_of(choice, theme.current()) if choice is not None and is_drawn else {})
        window.refresh_actions()

    def _eye_clicked(self, node: str) -> None:
        self._window.docks.chart.commands.toggle_node(node)

    def _problem_chosen(self, problem: Problem) -> None:
        self.go_to(problem)
        if self._window.tab is not None:
            self._window.folders.ask_again(self._window.tab, [problem])

    def go_to(self, problem: Problem) -> None:
        """Show the node and the line that a problem is about."""
        tab = self._window.tab
        if tab is None:
            return
        found = tuple(badges([problem], tab.canvas.scope))
        if not found and tab.canvas.inside_block:
            tab.canvas.close_block()
            found = tuple(badges([problem], tab.canvas.scope))
        with self._pass():
            for node in found:
                tab.canvas.reveal(node)
        if found:
            tab.selection = found
            self._show_selection(tab, text=False)
        if problem.line and tab.yaml.isVisible():
            with self._pass():
                tab.yaml.reveal_line(problem.line, problem.column)

    def go_to_node(self, tab: StrategyTab, node: str) -> None:
        """Show a node of the strategy; one inside a block by the block that holds it."""
        name = node.partition("/")[0]
        if tab.canvas.inside_block:
            tab.canvas.close_block()
        tab.canvas.select((name,))
        tab.canvas.reveal(name)

    def _node_asked(self, node: str) -> None:
        if self._window.tab is not None:
            self.go_to_node(self._window.tab, node)

    def next_problem(self) -> None:
        """Go from problem to problem, around the end."""
        tab = self._window.tab
        problems = tab.document.problems if tab else ()
        if problems:
            self._problem = (self._problem + 1) % len(problems)
            self.go_to(problems[self._problem])
            self._window.say(said(problems[self._problem].message))

    @contextmanager
    def _pass(self) -> Iterator[None]:
        before, self._passing = self._passing, True
        try:
            yield
        finally:
            self._passing = before

    def _canvas_selected(self, tab: StrategyTab, ids: tuple[str, ...]) -> None:
        if self._passing:
            return
        tab.selection = ids
        self._show_selection(tab)

    def _outline_selected(self, ids: Sequence[str]) -> None:
        tab = self._window.tab
        if self._passing or tab is None:
            return
        with self._pass():
            tab.canvas.select(tuple(ids))
            if len(ids) == 1:
                tab.canvas.reveal(ids[0])
        tab.selection = tuple(ids)
        self._show_selection(tab)

    def _cursor_moved(self, tab: StrategyTab, node: str | None, scope: Scope) -> None:
        """Select the node whose text the user went to, if the canvas shows its level."""
        if self._passing or node is None or scope != tab.canvas.scope or tab.selection == (node,):
            return
        if node not in tab.canvas.graph.nodes:  # it is being typed: the text cannot be read yet
            return
        with self._pass():
            tab.canvas.select((node,))
        tab.selection = (node,)
        self._show_selection(tab, text=False)

    def _zoomed(self, tab: StrategyTab, factor: float) -> None:
        if tab is self._window.tab:
            self._window.status.show_zoom(factor)

    def _chosen(self, role: Role, use: str) -> None:
        tab = self._window.tab
        if tab is not None:
            view = tab.canvas.view
            tab.canvas.adding.add(role, use, view.mapToScene(view.viewport().rect().center()))
            tab.canvas.setFocus()

    def _source_asked(self, of: int | str) -> None:
        """Choose the data of an instrument, or of a feed node."""
        desk = self._window.data_desk
        if isinstance(of, int):
            desk.choose_instrument(of)
        elif self._window.tab is not None:
            desk.choose_feed(of, self._window.tab.canvas.scope)

    def _limits_asked(self, take: Callable[[date, date], None]) -> None:
        self._window.data_desk.tell_limits(take)

    def _component_highlighted(self, role: Role, use: str) -> None:
        self._window.docks.help.show_component(self._window.catalog.component(role, use))

    def _component_help(self, role: Role, use: str) -> None:
        self._component_highlighted(role, use)
        self._window.docks.show("help")

    def _changed(self, tab: StrategyTab, change: Change) -> None:
        self._window.tab_changed(tab)
        self._window.runs.document_changed(tab, change)
        if tab is self._window.tab:
            self._count_soon.start()

    def _count_problems(self) -> None:
        if self._window.tab is not None:
            self.show_problems(self._window.tab)

    def show_problems(self, tab: StrategyTab) -> None:
        """Count the problems in the title of their pane and in the status bar."""
        problems = tab.document.problems
        self._window.docks.title_problems(problem_counts(problems))
        self._window.status.show_problems(problems)

    def _show_selection(self, tab: StrategyTab, *, text: bool = True) -> None:
        """Pass a selection on to the panes and (`text`) to the YAML view."""
        window, ids, scope = self._window, tab.selection, tab.canvas.scope
        if tab is not window.tab:
            return
        with self._pass():
            window.docks.inspector.set_selection(ids, scope)
            window.docks.outline.set_selection(ids, scope)
            if len(ids) == 1:
                window.docks.help.show_node(ids[0], scope)
                if text and tab.yaml.isVisible():
                    tab.yaml.reveal_node(ids[0], scope)
        window.status.show_selection(ids, len(tab.document.graph(scope).nodes))
        window.refresh_actions()
