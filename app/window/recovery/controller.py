"""Unsaved work: a swap file for every open strategy, and the offer to restore what an ended process left behind."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFileDialog, QWidget

from quantcrafter.app.document.document import Document
from quantcrafter.app.services.crash import crash_reports
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.services.problems import error_text
from quantcrafter.app.services.strategy_files import FileError, suggested_name, write
from quantcrafter.app.window.recovery.crash_notice import report_crash
from quantcrafter.app.window.recovery.dialog import offer_recovery
from quantcrafter.app.window.recovery.recovery_file import Found, SwapFile
from quantcrafter.app.window.recovery.store import Recovery
from quantcrafter.app.window.recovery.unsaved_work import Leftovers, RecoveryAnswer, UnsavedWork

if TYPE_CHECKING:
    from quantcrafter.app.services.settings import Settings
    from quantcrafter.app.window.files.file_controller import FileController
    from quantcrafter.app.window.messages import Messages
    from quantcrafter.app.window.open_strategies import Strategies
    from quantcrafter.app.window.tabs.tab import StrategyTab
    from quantcrafter.app.window.tabs.tabs import Tabs
    from quantcrafter.engine.plugins import Registry

TRIAL_MS = 3000
"""How long the window has to live on before restored work counts as restored."""


class RecoveryController:
    """Looks after the recovery files of a window's strategies.

    Args:
        window: the parent of dialogs.
        settings: remember which damaged files were told of.
        catalog: the installed components.
        tabs: the open strategies.
        strategies: open what is restored.
        files: know what the files of restored work hold.
        messages: shows messages to the user.
    """

    def __init__(
        self,
        window: QWidget,
        settings: Settings,
        catalog: Registry,
        tabs: Tabs,
        strategies: Strategies,
        files: FileController,
        messages: Messages,
    ) -> None:
        self._window = window
        self._settings = settings
        self._catalog = catalog
        self._tabs = tabs
        self._strategies = strategies
        self._files = files
        self._messages = messages
        self._store = Recovery()
        self._swaps: dict[StrategyTab, SwapFile] = {}
        self._on_trial: list[tuple[Found, SwapFile | None]] = []
        self._settling = QTimer(window, singleShot=True, interval=TRIAL_MS)
        self._settling.timeout.connect(self.settle)

    def follow(self, tab: StrategyTab) -> None:
        """Keep a recovery file of a strategy from now on."""
        self._swaps[tab] = self._store.follow(tab.document, tab.name)

    def forget(self, tab: StrategyTab) -> None:
        """Remove the recovery file of a strategy that is closed in order."""
        swap = self._swaps.pop(tab, None)
        if swap is not None:
            self._store.forget(swap)

    def offer(self) -> None:
        """Tell of a crash and of damaged files, ask what to do with unsaved work that is left, and do it."""
        found = {work.key: work for work in self._store.find()}
        left = Leftovers(crash_reports(), self._store.set_aside(), self._settings.set_aside)
        if not found:
            report_crash(self._window, left)
            return
        answers = offer_recovery(self._window, [_draft(work) for work in found.values()], left)
        for key, answer in answers.items():
            try:
                self._do(found[key], answer)
            except Exception:  # noqa: BLE001 - one that fails is reported, and does not keep the others
                sys.excepthook(*sys.exc_info())

    def close(self) -> None:
        """Remove every recovery file of this window: it is closed in order."""
        self.settle()
        self._swaps.clear()
        self._store.close()

    def settle(self) -> None:
        """Take restored work as restored for good: the window lives, or is closed in order."""
        self._settling.stop()
        for work, swap in self._on_trial:
            self._store.succeed(work, swap)
        self._on_trial.clear()

    def _do(self, work: Found, answer: RecoveryAnswer) -> None:
        if answer is RecoveryAnswer.RESTORE:
            self._restore(work)
        elif answer is RecoveryAnswer.DISCARD or (answer is RecoveryAnswer.SAVE_AS and self._save(work)):
            self._store.discard(work)

    def _restore(self, work: Found) -> None:
        """Open a strategy as it was at its last edit; undoing that gives what its file holds.

        Should that end the program, the next start knows it: the marks go once the window has lived on for a while.
        """
        self._store.begin(work)
        tab = self._tabs.of_file(work.path) if work.path is not None else None
        if tab is None and work.path is not None:
            tab = self._strategies.add(Document(work.saved_text, self._catalog, work.path), work.path.stem)
            self._files.know(tab, work.path, work.saved_text)
        elif tab is None:
            tab = self._strategies.add(Document("", self._catalog), work.name or tr("Recovered strategy"))
        swap = self._swaps.get(tab)
        if work.stale:
            tab.on_disk = ""  # so that saving asks
            if swap is not None:
                swap.distrust()
        self._store.begin(work, swap)
        tab.document.set_text(work.text)
        self._on_trial.append((work, swap))
        self._settling.start()

    def _save(self, work: Found) -> bool:
        """Write work into a file that the user names, without opening it; return whether it was written."""
        name = suggested_name(Path(work.name).stem or tr("Recovered strategy"))
        folder = work.path.parent if work.path is not None and work.path.parent.is_dir() else Path.home()
        chosen, _ = QFileDialog.getSaveFileName(
            self._window, tr("Save {name}", name=work.name), str(folder / name), tr("All files (*)")
        )
        if not chosen:
            return False
        try:
            write(Path(chosen), work.text)
        except FileError as error:
            self._messages.complain(error_text(error))
            return False
        return True


def _draft(work: Found) -> UnsavedWork:
    return UnsavedWork(
        work.key,
        work.name,
        work.edited_at,
        work.text,
        work.path,
        work.saved_text,
        stale=work.stale,
        was_tried=work.was_tried,
        is_damaged=work.is_damaged,
    )
