"""EngineController: compares engines on the current strategy, in the engine process."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from quantcrafter.engine.runtime.compute_process.jobs.parity import ParityRequest

if TYPE_CHECKING:
    from quantcrafter.app.services.engine import Engine
    from quantcrafter.app.window.files.pending_input import TypedText
    from quantcrafter.app.window.layout.pane_host import PaneHost
    from quantcrafter.app.window.readiness import Readiness
    from quantcrafter.app.window.tabs.tab import StrategyTab
    from quantcrafter.app.window.tabs.tabs import Tabs
    from quantcrafter.engine.runtime.compute_process.jobs import Failure

log = logging.getLogger(__name__)


class EngineController(QObject):
    """Asks for comparisons, and cancels them.

    Args:
        tabs: the open strategies.
        engine: carries the comparisons out.
        panes: show what came of them.
        typed: input that is not applied yet.
        readiness: shows what keeps a strategy from being run.
    """

    def __init__(
        self,
        tabs: Tabs,
        engine: Engine,
        panes: PaneHost,
        typed: TypedText,
        readiness: Readiness,
    ) -> None:
        super().__init__(tabs)
        self._tabs = tabs
        self._engine = engine
        self._panes = panes
        self._typed = typed
        self._readiness = readiness

    def follow(self, tab: StrategyTab) -> None:
        """Do nothing: a comparison begins when it is asked for."""

    def compare(self) -> None:
        """Compare the engines on the current strategy as it is now; if it has errors, they are shown instead."""
        tab = self._tabs.current()
        if tab is None or tab.session.engines.is_running or not self._typed.is_well(tab):
            return
        self._panes.docks.show_roomy("parity")
        if not self._readiness.is_ready(tab, comparing=True):
            return
        document = tab.document
        request = ParityRequest(document.text, str(document.path or ""), str(document.folder.absolute()))
        job = self._engine.submit(request)
        tab.session.engines.follow(job)
        job.failed.connect(lambda failure: self._failed(tab, failure))

    def cancel(self) -> None:
        """Cancel the comparison of the current strategy."""
        tab = self._tabs.current()
        if tab is not None and tab.session.engines.job is not None:
            self._engine.cancel(tab.session.engines.job)

    def forget(self, tab: StrategyTab) -> None:
        """Cancel the comparison of a strategy that is closed."""
        if tab.session.engines.job is not None:
            self._engine.cancel(tab.session.engines.job)

    def _failed(self, tab: StrategyTab, failure: Failure) -> None:
        if failure.trace:
            log.error("a comparison of engines failed on '%s': %s\n%s", tab.title, failure.message, failure.trace)
