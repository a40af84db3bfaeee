"""EngineDesk: compares engines on the strategy in front, in the engine process."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.services.i18n import said, tr
from app.window.typed import is_typed_well
from engine.api import Severity
from engine.runtime.jobs.parity import ParityRequest

if TYPE_CHECKING:
    from app.window.main_window import MainWindow
    from app.window.tab import StrategyTab
    from engine.runtime.jobs import Failure

log = logging.getLogger(__name__)


class EngineDesk(QObject):
    """Asks for comparisons, and cancels them.

    Args:
        window: whose strategies are compared.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window

    def compare(self) -> None:
        """Compare the engines on the strategy in front as it is now; mistakes in it are shown instead."""
        window, tab = self._window, self._window.tab
        if tab is None or tab.session.engines.is_running:
            return
        if not is_typed_well(window, tab):
            return
        window.docks.show_roomy("parity")
        errors = [each for each in tab.document.problems if each.severity is Severity.ERROR]
        if errors:
            window.docks.show("problems")
            window.wiring.go_to(errors[0])
            window.folders.ask_again(tab, errors)
            window.folders.ask_again(tab, errors)
            window.say(tr("Fix the errors first, then compare. {first}", first=said(errors[0].message)))
            return
        document = tab.document
        request = ParityRequest(document.text, str(document.path or ""), str(document.folder.absolute()))
        job = window.engine.submit(request)
        tab.session.engines.follow(job)
        job.failed.connect(lambda failure: self._failed(tab, failure))

    def cancel(self) -> None:
        """Cancel the comparison of the strategy in front."""
        tab = self._window.tab
        if tab is not None and tab.session.engines.job is not None:
            self._window.engine.cancel(tab.session.engines.job)

    def forget(self, tab: StrategyTab) -> None:
        """Cancel the comparison of a strategy that is closed."""
        if tab.session.engines.job is not None:
            self._window.engine.cancel(tab.session.engines.job)

    def _failed(self, tab: StrategyTab, failure: Failure) -> None:
        if failure.trace:
            log.error("a comparison of engines failed on '%s': %s\n%s", tab.title, failure.message, failure.trace)
