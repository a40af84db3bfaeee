"""Readiness: shows why a strategy can't be run, before and after an attempt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quantcrafter.app.services.i18n import tr, translated
from quantcrafter.app.services.problems import failure_text
from quantcrafter.app.window.layout.notice import FailureNotice
from quantcrafter.engine.api import Severity

if TYPE_CHECKING:
    from quantcrafter.app.window.files.folder_questions import FolderQuestions
    from quantcrafter.app.window.layout.pane_host import PaneHost
    from quantcrafter.app.window.messages import Messages
    from quantcrafter.app.window.tabs.tab import StrategyTab
    from quantcrafter.app.window.tabs.tabs import Tabs
    from quantcrafter.app.window.wiring import Wiring
    from quantcrafter.engine.runtime.compute_process.jobs import Failure

RUN = "run"
"""What the notice over the canvas is about."""


class Readiness:
    """Looks at the errors of a strategy before it is run.

    Args:
        tabs: the open strategies.
        panes: have the list of problems.
        wiring: leads to the node at fault.
        folders: ask about files beyond the strategy's own folder.
        messages: shows messages to the user.
    """

    def __init__(
        self, tabs: Tabs, panes: PaneHost, wiring: Wiring, folders: FolderQuestions, messages: Messages
    ) -> None:
        self._tabs = tabs
        self._panes = panes
        self._wiring = wiring
        self._folders = folders
        self._messages = messages

    def is_ready(self, tab: StrategyTab, *, comparing: bool = False) -> bool:
        """Return whether a strategy can be run, or its engines compared; if not, show its errors and say so."""
        error, is_folder_asked = self._first_error(tab)
        if is_folder_asked:
            self._messages.say(
                tr("Not run. The strategy reads a file in another folder. Answer the question above the canvas.")
            )
        elif error and comparing:
            self._messages.say(tr("Fix the errors first, then compare. {first}", first=error))
        elif error:
            self._messages.say(tr("Fix the errors first, then run. {first}", first=error))
        return not error

    def _first_error(self, tab: StrategyTab) -> tuple[str, bool]:
        """Show a strategy's errors; return the first as text ('' for none) and whether a folder is asked about."""
        errors = [each for each in tab.document.problems if each.severity is Severity.ERROR]
        if not errors:
            return "", False
        self._panes.docks.show("problems")
        self._wiring.show_problems(tab)
        self._wiring.go_to(errors[0])
        return translated(errors[0].message), self._folders.ask_again(tab, errors)

    def show_failure(self, tab: StrategyTab, failure: Failure) -> None:
        """Put a notice about a run that failed over the canvas, and show what has to be fixed."""
        errors = [each for each in failure.problems if each.severity is Severity.ERROR]
        unexpected = tr("An unexpected error occurred during the run: {error}", error=translated(failure.message))
        notice = FailureNotice(unexpected if failure.trace else failure_text(failure), failure.node, tab)
        notice.closed.connect(lambda: tab.end_notice(RUN))
        notice.node_asked.connect(lambda: self._wiring.go_to_node(tab, failure.node))
        tab.show_notice(notice, RUN)
        self._folders.ask_again(tab, errors)
        if errors and tab is self._tabs.current():
            self._panes.docks.show("problems")
