"""FolderQuestions: asks whether strategies may read the folders that they name beyond their own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from app.services.i18n import tr
from app.services.problems import error_text
from engine.api import RunError
from engine.runtime.allowed_folders import allow_folder

if TYPE_CHECKING:
    from app.window.main_window import MainWindow
    from app.window.tab import StrategyTab
    from engine.api import Problem

ABOUT = "folder"


class FolderQuestions:
    """Puts the question over the canvas of each strategy that names such a folder, one folder after the other.

    What is allowed is remembered for good; what is not, until the strategy is run or the problem is clicked in the list
    of problems: then it is asked again.

    Args:
        window: whose strategies they are.
    """

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._refused: dict[StrategyTab, set[str]] = {}
        self._asked: dict[StrategyTab, str] = {}

    def follow(self, tab: StrategyTab) -> None:
        """Ask about a strategy's folders now, and whenever it changes."""
        self._refused[tab] = set()
        tab.changed.connect(lambda _change: self.ask(tab))
        self.ask(tab)

    def forget(self, tab: StrategyTab) -> None:
        """Ask no more about a strategy."""
        self._refused.pop(tab, None)
        self._asked.pop(tab, None)

    def ask(self, tab: StrategyTab, *, again: bool = False) -> None:
        """Show the question about the first folder that is neither allowed nor refused; `again` asks about all."""
        if tab not in self._refused:
            return
        if again:
            self._refused[tab].clear()
        wanted = next((each for each in tab.document.folders if each not in self._refused[tab]), "")
        if wanted == self._asked.get(tab, ""):
            return
        self._asked[tab] = wanted
        tab.end_notice(ABOUT)
        if wanted:
            from app.window.folder_notice import FolderNotice

            notice = FolderNotice(tab.title, wanted, tab)
            notice.answered.connect(lambda allowed: self._answer(tab, wanted, allowed=allowed))
            tab.show_notice(notice, ABOUT)

    def ask_again(self, tab: StrategyTab, problems: Iterable[Problem]) -> bool:
        """Ask about all folders if one of these problems is that of a folder; return whether it is."""
        wanted = any(each.code == ABOUT for each in problems)
        if wanted:
            self.ask(tab, again=True)
        return wanted

    def _answer(self, tab: StrategyTab, folder: str, *, allowed: bool) -> None:
        tab.end_notice(ABOUT)
        self._asked.pop(tab, None)
        if not allowed:
            self._refused[tab].add(folder)
            self.ask(tab)
            return
        try:
            made = allow_folder(folder)
        except RunError as error:
            self._window.complain(error_text(error))
            self._refused[tab].add(folder)
            return
        self._window.say(tr("Strategies may read {folder} from now on", folder=made))
        for other in self._window.tabs.all():
            if other.document.folders:
                other.document.recheck()
