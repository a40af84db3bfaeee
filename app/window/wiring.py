"""What ties canvas, panes and text together: a selection made in one place shows in all others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer

from quantcrafter.app import theme
from quantcrafter.app.canvas.badges import badges
from quantcrafter.app.canvas.run.run_names import names_in_run
from quantcrafter.app.charts.model.choice import eyes_of
from quantcrafter.app.services.i18n import translated
from quantcrafter.app.window.status import problem_counts

if TYPE_CHECKING:
    from quantcrafter.app.document.view import Scope
    from quantcrafter.app.window.files.folder_questions import FolderQuestions
    from quantcrafter.app.window.layout.docks import Docks
    from quantcrafter.app.window.layout.pane_host import PaneHost
    from quantcrafter.app.window.messages import Messages
    from quantcrafter.app.window.refresher import Refresher
    from quantcrafter.app.window.status import StatusLine
    from quantcrafter.app.window.tabs.tab import StrategyTab
    from quantcrafter.app.window.tabs.tabs import Tabs
    from quantcrafter.engine.api import Problem, Role
    from quantcrafter.engine.plugins import Registry

COUNT_DELAY_MS = 150
"""Validation of a large strategy takes longer than a key press may: it waits for a pause."""


class Wiring:
    """Passes selections and problems between the parts of a window.

    A selection that arrives while another is being passed on is an echo of it, and goes no further.

    Args:
        catalog: the installed components.
        tabs: the open strategies.
        panes: the panes.
        status: the status bar.
        refresher: brings the menus up to date.
        folders: ask about files beyond a strategy's own folder.
        messages: shows messages to the user.
    """

    def __init__(
        self,
        catalog: Registry,
        tabs: Tabs,
        panes: PaneHost,
        status: StatusLine,
        refresher: Refresher,
        folders: FolderQuestions,
        messages: Messages,
    ) -> None:
        self._catalog = catalog
        self._tabs = tabs
        self._panes = panes
        self._status = status
        self._refresher = refresher
        self._folders = folders
        self._messages = messages
        self._passing = False
        self._problem = -1
        self._count_soon = QTimer(tabs, singleShot=True, interval=COUNT_DELAY_MS)
        self._count_soon.timeout.connect(self._count_problems)

    def connect_docks(self, docks: Docks) -> None:
        """Listen to what is chosen in the panes."""
        docks.outline.selected.connect(self._outline_selected)
        docks.outline.activated.connect(self._reveal)
        docks.problems.activated.connect(self._problem_chosen)
        docks.palette.chosen.connect(self._chosen)
        docks.palette.highlighted.connect(self._component_highlighted)
        docks.palette.help_asked.connect(self._component_help)
        docks.node_asked.connect(self._node_asked)
        docks.chart_shown.connect(self._chart_shown)
        for pane in (docks.inspector, docks.outline, docks):
            pane.message.connect(self._messages.say)

    def follow(self, tab: StrategyTab) -> None:
        """Listen to a strategy's canvas, text and document."""
        tab.canvas.selection_changed.connect(lambda ids: self._canvas_selected(tab, tuple(ids)))
        tab.canvas.scope_changed.connect(lambda _scope: self._canvas_selected(tab, ()))
        tab.canvas.message.connect(self._messages.say)
        tab.canvas.eye_clicked.connect(self._eye_clicked)
        tab.canvas.view.zoomed.connect(lambda factor: self._zoomed(tab, factor))
        tab.yaml.node_at_cursor.connect(lambda node, scope: self._cursor_moved(tab, node, scope))
        tab.changed.connect(lambda _change: self._changed(tab))

    def forget(self, tab: StrategyTab) -> None:
        """Do nothing: what was listened to ends with the tab."""

    def show_tab(self, tab: StrategyTab) -> None:
        """Let the panes show the current strategy."""
        self._panes.docks.set_document(tab.document)
        self._panes.docks.set_session(tab.session)
        self._chart_shown()
        self.show_problems(tab)
        self._show_selection(tab)
        self._status.show_zoom(tab.canvas.view.transform().m11())

    def _chart_shown(self) -> None:
        """Let the graph say what the chart shows of it, and the menus as well."""
        choice, tab = self._panes.docks.chart_choice, self._tabs.current()
        if tab is not None:
            is_drawn = choice is not None and tab.session.run is not None  # else the choice is of another one
            tab.canvas.set_eyes(eyes_of(choice, theme.current()) if choice is not None and is_drawn else {})
        self._refresher.soon()

    def toggle_on_chart(self) -> None:
        """Show the selected nodes on the chart, or hide them there."""
        tab = self._tabs.current()
        if tab is None:
            return
        self._panes.docks.show("chart")
        for name in names_in_run(tab.document, tab.scope, tab.selection):
            self._panes.docks.chart.commands.toggle_node(name)

    def show_node_help(self) -> None:
        """Show the help pane, on the selected node."""
        tab = self._tabs.current()
        if tab is not None and len(tab.selection) == 1:
            self._panes.docks.help.show_node(tab.selection[0], tab.scope)
            self._panes.docks.show("help")

    def _reveal(self, node: str) -> None:
        tab = self._tabs.current()
        if tab is not None:
            tab.canvas.reveal(node)

    def _eye_clicked(self, node: str) -> None:
        self._panes.docks.chart.commands.toggle_node(node)

    def _problem_chosen(self, problem: Problem) -> None:
        self.go_to(problem)
        tab = self._tabs.current()
        if tab is not None:
            self._folders.ask_again(tab, [problem])

    def go_to(self, problem: Problem) -> None:
        """Show the node and the line that a problem is about."""
        tab = self._tabs.current()
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
        tab = self._tabs.current()
        if tab is not None:
            self.go_to_node(tab, node)

    def next_problem(self) -> None:
        """Go from problem to problem, around the end."""
        tab = self._tabs.current()
        problems = tab.document.problems if tab else ()
        if problems:
            self._problem = (self._problem + 1) % len(problems)
            self.go_to(problems[self._problem])
            self._messages.say(translated(problems[self._problem].message))

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
        tab = self._tabs.current()
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
        if tab is self._tabs.current():
            self._status.show_zoom(factor)

    def _chosen(self, role: Role, use: str) -> None:
        tab = self._tabs.current()
        if tab is not None:
            view = tab.canvas.view
            tab.canvas.adding.add(role, use, view.mapToScene(view.viewport().rect().center()))
            tab.canvas.setFocus()

    def _component_highlighted(self, role: Role, use: str) -> None:
        self._panes.docks.help.show_component(self._catalog.component(role, use))

    def _component_help(self, role: Role, use: str) -> None:
        self._component_highlighted(role, use)
        self._panes.docks.show("help")

    def _changed(self, tab: StrategyTab) -> None:
        self._tabs.refresh(tab)
        self._refresher.soon()
        if tab is self._tabs.current():
            self._count_soon.start()

    def _count_problems(self) -> None:
        tab = self._tabs.current()
        if tab is not None:
            self.show_problems(tab)

    def show_problems(self, tab: StrategyTab) -> None:
        """Count the problems in the title of their pane and in the status bar."""
        problems = tab.document.problems
        self._panes.docks.title_problems(problem_counts(problems))
        self._status.show_problems(problems)

    def _show_selection(self, tab: StrategyTab, *, text: bool = True) -> None:
        """Pass a selection on to the panes and (`text`) to the YAML view."""
        docks, ids, scope = self._panes.docks, tab.selection, tab.canvas.scope
        if tab is not self._tabs.current():
            return
        with self._pass():
            docks.inspector.set_selection(ids, scope)
            docks.outline.set_selection(ids, scope)
            if len(ids) == 1:
                docks.help.show_node(ids[0], scope)
                if text and tab.yaml.isVisible():
                    tab.yaml.reveal_node(ids[0], scope)
        self._status.show_selection(ids, len(tab.document.graph(scope).nodes))
        self._refresher.soon()
