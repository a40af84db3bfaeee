"""FolderQuestions: asks whether strategies may read files outside their own folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from quantcrafter.app.services.i18n import tr
from quantcrafter.app.services.problems import error_text
from quantcrafter.engine.api import RunError
from quantcrafter.engine.runtime.running.allowed_folders import allow_folder

if TYPE_CHECKING:
    from quantcrafter.app.window.messages import Messages
    from quantcrafter.app.window.tabs.tab import StrategyTab
    from quantcrafter.app.window.tabs.tabs import Tabs
    from quantcrafter.engine.api import Problem

ABOUT = "folder"


class FolderQuestions:
    """Puts the question over the canvas of each strategy that names such a file, one file after the other.

    What is allowed is remembered for good. A file that is not, and the others of its folder, are asked about again when
    the strategy is run or the problem is clicked in the list of problems.

    Args:
        tabs: the open strategies.
        messages: shows messages to the user.
    """

    def __init__(self, tabs: Tabs, messages: Messages) -> None:
        self._tabs = tabs
        self._messages = messages
        self._refused: dict[StrategyTab, set[str]] = {}
        self._asked: dict[StrategyTab, str] = {}

    def follow(self, tab: StrategyTab) -> None:
        """Ask about a strategy's files now, and whenever it changes."""
        self._refused[tab] = set()
        tab.changed.connect(lambda _change: self.ask(tab))
        self.ask(tab)

    def forget(self, tab: StrategyTab) -> None:
        """Ask no more about a strategy."""
        self._refused.pop(tab, None)
        self._asked.pop(tab, None)

    def ask(self, tab: StrategyTab, *, again: bool = False) -> None:
        """Show the question about the first file that is neither allowed nor refused; `again` asks about all."""
        if tab not in self._refused:
            return
        if again:
            self._refused[tab].clear()
        refused = self._refused[tab]
        wanted = next((each for each in tab.document.refused_files if str(Path(each).parent) not in refused), "")
        if wanted == self._asked.get(tab, ""):
            return
        self._asked[tab] = wanted
        tab.end_notice(ABOUT)
        if wanted:
            from quantcrafter.app.window.files.folder_notice import FolderNotice

            notice = FolderNotice(tab.title, wanted, tab)
            notice.answered.connect(lambda allowed: self._answer(tab, wanted, allowed))
            tab.show_notice(notice, ABOUT)

    def ask_again(self, tab: StrategyTab, problems: Iterable[Problem]) -> bool:
        """Ask about all files if one of these problems is that of a refused file; return whether it is."""
        wanted = any(each.code == ABOUT for each in problems)
        if wanted:
            self.ask(tab, again=True)
        return wanted

    def _answer(self, tab: StrategyTab, file: str, allowed: str) -> None:
        tab.end_notice(ABOUT)
        self._asked.pop(tab, None)
        if not allowed:
            self._refused[tab].add(str(Path(file).parent))
            self.ask(tab)
            return
        try:
            made = allow_folder(allowed)
        except RunError as error:
            self._messages.complain(error_text(error))
            self._refused[tab].add(str(Path(file).parent))
            return
        self._messages.say(tr("Strategies can now read {folder}", folder=made))
        for other in self._tabs.all():
            if other.document.refused_files:
                other.document.recheck()
