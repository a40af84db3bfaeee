"""Unsaved work: a swap file for every open strategy, and the offer to restore what an ended process left behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.dialogs.drafts import Draft, RecoveryAnswer
from app.dialogs.recovery import offer_recovery
from app.document.document import Document
from app.services.i18n import tr
from app.services.recovery import Found, Recovery, Swap

if TYPE_CHECKING:
    from app.window.main_window import MainWindow
    from app.window.tab import StrategyTab


class Rescue:
    """Looks after the recovery files of a window's strategies.

    Args:
        window: whose strategies they are.
    """

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._store = Recovery()
        self._swaps: dict[StrategyTab, Swap] = {}

    def follow(self, tab: StrategyTab) -> None:
        """Keep a recovery file of a strategy from now on."""
        self._swaps[tab] = self._store.follow(tab.document, tab.name)

    def forget(self, tab: StrategyTab) -> None:
        """Remove the recovery file of a strategy that is closed in order."""
        swap = self._swaps.pop(tab, None)
        if swap is not None:
            swap.close()

    def offer(self) -> None:
        """Ask what to do with unsaved work that is left from earlier, if there is any, and do it."""
        found = {work.key: work for work in self._store.find()}
        if not found:
            return
        answers = offer_recovery(self._window, [_draft(work) for work in found.values()])
        for key, answer in answers.items():
            if answer is RecoveryAnswer.RESTORE:
                self._restore(found[key])
            if answer is not RecoveryAnswer.LATER:
                self._store.discard(found[key])

    def close(self) -> None:
        """Remove every recovery file of this window: it is closed in order."""
        self._swaps.clear()
        self._store.close()

    def _restore(self, work: Found) -> None:
        """Open a strategy as it was at its last edit; undoing that gives what its file holds."""
        window = self._window
        open_already = window.tabs.of_file(work.path) if work.path is not None else None
        if open_already is not None:
            open_already.document.set_text(work.text)
            return
        if work.path is not None:
            tab = window.add_tab(Document(work.saved_text, window.catalog, work.path), work.path.stem)
            window.desk.know(tab, work.path, work.saved_text)
            if work.stale:
                tab.on_disk = ""
        else:
            tab = window.add_tab(Document.new(window.catalog), work.name or tr("Recovered strategy"))
        tab.document.set_text(work.text)


def _draft(work: Found) -> Draft:
    return Draft(work.key, work.name, work.edited_at, work.text, work.path, work.saved_text)
