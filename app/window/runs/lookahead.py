"""LookAheadController: checks the current strategy for look-ahead, and marks the nodes that look ahead with badges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from quantcrafter.app.services.i18n import tr
from quantcrafter.app.services.problems import failure_text
from quantcrafter.app.window.layout.notice import FailureNotice
from quantcrafter.engine.runtime.compute_process.jobs.lookahead import LookAheadRequest

if TYPE_CHECKING:
    from quantcrafter.app.services.engine import Engine, Job
    from quantcrafter.app.window.files.pending_input import TypedText
    from quantcrafter.app.window.messages import Messages
    from quantcrafter.app.window.refresher import Refresher
    from quantcrafter.app.window.tabs.tab import StrategyTab
    from quantcrafter.app.window.tabs.tabs import Tabs
    from quantcrafter.app.window.wiring import Wiring
    from quantcrafter.engine.runtime.compute_process.job_messages import Progressed
    from quantcrafter.engine.runtime.compute_process.jobs import Failure
    from quantcrafter.engine.runtime.research.lookahead import LookAhead

NOTICE = "lookahead"


class LookAheadController(QObject):
    """Has the engine process cut the data at many bars, and shows whose past changed.

    Args:
        tabs: the open strategies.
        engine: carries the checks out.
        typed: input that is not applied yet.
        wiring: leads to nodes.
        refresher: brings the menus up to date.
        messages: shows messages to the user.
    """

    def __init__(
        self,
        tabs: Tabs,
        engine: Engine,
        typed: TypedText,
        wiring: Wiring,
        refresher: Refresher,
        messages: Messages,
    ) -> None:
        super().__init__(tabs)
        self._tabs = tabs
        self._engine = engine
        self._typed = typed
        self._wiring = wiring
        self._refresher = refresher
        self._messages = messages
        self._job: Job | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a check is in progress."""
        return self._job is not None

    def toggle(self) -> None:
        """Check the current strategy; if a check is in progress, end that instead."""
        tab = self._tabs.current()
        if self._job is not None:
            self._engine.cancel(self._job)
            return
        if tab is None or not self._typed.is_well(tab):
            return
        tab.end_notice(NOTICE)
        tab.canvas.set_check_badges({})
        document = tab.document
        request = LookAheadRequest(document.text, str(document.path or ""), str(document.folder.absolute()))
        job = self._job = self._engine.submit(request)
        job.progressed.connect(self._progressed)
        job.finished.connect(lambda found: self._finished(tab, found))
        job.failed.connect(self._failed)
        job.ended.connect(self._ended)
        self._messages.say(tr("Checking for look-ahead ..."))

    def _progressed(self, progress: Progressed) -> None:
        if progress.total:
            percent = round(100 * progress.done / progress.total)
            self._messages.say(tr("Checking for look-ahead: {percent} %", percent=percent))

    def _finished(self, tab: StrategyTab, found: tuple[LookAhead, ...]) -> None:
        if not found:
            self._messages.say(tr("No look-ahead found: no node's past values change when later bars are added."))
            return
        badges = {}
        for each in reversed(found):  # origins come first, and so win
            kind = "error" if each.origin else "warning"
            badges[each.node.partition("/")[0]] = (kind, finding_text(each))
        tab.canvas.set_check_badges(badges)  # type: ignore[arg-type]
        notice = FailureNotice(finding_text(found[0]), found[0].node, tab)
        notice.closed.connect(lambda: self._close(tab))
        notice.node_asked.connect(lambda: self._wiring.go_to_node(tab, found[0].node))
        tab.show_notice(notice, NOTICE)

    def _close(self, tab: StrategyTab) -> None:
        tab.end_notice(NOTICE)
        tab.canvas.set_check_badges({})

    def _failed(self, failure: Failure) -> None:
        if failure.is_cancelled:
            self._messages.say(tr("The check for look-ahead was cancelled."))
        else:
            self._messages.say(tr("The check for look-ahead failed: {error}", error=failure_text(failure)))

    def _ended(self) -> None:
        self._job = None
        self._refresher.soon()


def finding_text(found: LookAhead) -> str:
    """Return what a node knew that it could not know."""
    if not found.origin:
        return tr("'{node}' reads a node that looks ahead.", node=found.node)
    return tr(
        "'{node}' looks ahead: its output '{output}' at bar {bar} was {known} while {cut} bars were known, and is "
        "{later} with all of them.",
        node=found.node,
        output=found.output,
        bar=f"{found.bar:,}",
        known=f"{found.known:.5g}",
        cut=f"{found.cut:,}",
        later=f"{found.later:.5g}",
    )
