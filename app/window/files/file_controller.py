"""What happens to files: opened, saved, closed, exported. Questions about them are asked here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog, QWidget

from quantcrafter.app.dialogs.changed import ChangedAnswer, ChangedNotice
from quantcrafter.app.dialogs.conflict import ConflictAnswer, ask_conflict
from quantcrafter.app.dialogs.unsaved import UnsavedAnswer, ask_unsaved
from quantcrafter.app.document.document import Document
from quantcrafter.app.services import strategy_files
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.services.problems import error_text
from quantcrafter.app.services.watch import FileChange, FileWatch, look
from quantcrafter.engine.api import QuantCrafterError

if TYPE_CHECKING:
    from quantcrafter.app.window.files.pending_input import TypedText
    from quantcrafter.app.window.files.recent_list import RecentList
    from quantcrafter.app.window.messages import Messages
    from quantcrafter.app.window.open_strategies import Strategies
    from quantcrafter.app.window.tabs.tab import StrategyTab
    from quantcrafter.app.window.tabs.tabs import Tabs
    from quantcrafter.engine.plugins import Registry
    from quantcrafter.engine.runtime.run_store.record import RunRecord


class FileController:
    """Opens and closes the strategies of a window, and looks after their files.

    Args:
        window: the parent of dialogs.
        catalog: the installed components.
        tabs: the open strategies.
        strategies: opens and closes them.
        typed: input that is not applied yet.
        recent: the recent files.
        messages: shows messages to the user.
    """

    def __init__(
        self,
        window: QWidget,
        catalog: Registry,
        tabs: Tabs,
        strategies: Strategies,
        typed: TypedText,
        recent: RecentList,
        messages: Messages,
    ) -> None:
        self._window = window
        self._catalog = catalog
        self._tabs = tabs
        self._strategies = strategies
        self._typed = typed
        self._recent = recent
        self._messages = messages
        self.watch = FileWatch(window)
        self.watch.changed.connect(self._changed_on_disk)
        self._untitled = 0

    # ------------------------------------------------------------------ opening

    def new(self, text: str = "", name: str = "") -> StrategyTab:
        """Open a strategy that has no file yet: an empty one, or a copy of `text`."""
        if not name:
            self._untitled += 1
            name = tr("Strategy {number}", number=self._untitled)
        document = Document(text, self._catalog) if text else Document.new(self._catalog)
        return self._strategies.add(document, name)

    def reopen(self, record: RunRecord) -> None:
        """Open the strategy of a run as it was then, in a separate tab that has no file."""
        when = record.started.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        self.new(record.spec_text, f"{record.strategy} {when}")

    def ask_open(self) -> None:
        """Let the user pick files, and open them."""
        names, _ = QFileDialog.getOpenFileNames(
            self._window, tr("Open strategies"), str(self._folder()), tr("Strategies (*.yaml *.yml);;All files (*)")
        )
        self.open_all([Path(name) for name in names])

    def open_all(self, paths: Sequence[Path]) -> None:
        """Open files; those that cannot be opened are told of, the others open."""
        for path in paths:
            try:
                self.open(path)
            except QuantCrafterError as error:
                self._messages.complain(error_text(error))

    def open(self, path: Path) -> StrategyTab:
        """Open a file, or go to its tab if it is open.

        Raises:
            FileError: it cannot be read, or is of a newer format.
        """
        there = self._tabs.of_file(path)
        if there is not None:
            self._tabs.setCurrentWidget(there)
            return there
        path = path.absolute()
        text = strategy_files.read_strategy(path)
        tab = self._strategies.add(Document(text, self._catalog, path), path.stem)
        self.know(tab, path, text)
        return tab

    def reload_current(self) -> None:
        """Take the text of the file on disk, as one step that can be undone."""
        tab = self._tabs.current()
        if tab is not None and tab.path is not None:
            self._reload(tab, tab.path)

    # ------------------------------------------------------------------ saving

    def save_current(self, *, ask: bool = False) -> bool:
        """Save the current strategy; return whether it was saved."""
        tab = self._tabs.current()
        return tab is not None and self.save(tab, ask=ask)

    def save_all(self) -> bool:
        """Save every strategy that has unsaved changes; return whether all were saved."""
        unsaved = self._unsaved(self._tabs.all())
        if not unsaved:
            self._messages.say(tr("There are no unsaved changes."))
        return self._save_each(unsaved)

    def save(self, tab: StrategyTab, *, ask: bool = False) -> bool:
        """Save a strategy, asking for a file name if it has none or `ask` is set; return whether it was saved.

        What is typed is taken over first; where some of it is refused, nothing is saved and the field is shown. Where
        the file holds what was never seen here, the user is shown both versions and asked.

        Raises:
            FileError: the file cannot be written.
        """
        if not self._typed.is_well(tab, saving=True):
            return False
        path = tab.path if tab.path is not None and not ask else self._ask_path(tab)
        known = self._known_of(tab, path)
        while path is not None:
            other = self._tabs.of_file(path)
            if other is not None and other is not tab:
                self._messages.complain(tr("{name} is open in another tab. Choose another name.", name=path.name))
                return False
            text = tab.document.text
            try:
                strategy_files.write(path, text, known=known)
            except strategy_files.ChangedError as change:
                path, known = self._settle(tab, path, change)
            else:
                self._saved(tab, path, text)
                return True
        return False

    def _settle(self, tab: StrategyTab, path: Path, change: strategy_files.ChangedError) -> tuple[Path | None, str]:
        """Ask what to do about a file that changed on disk; return where to save, over what; None for nowhere."""
        self._tabs.setCurrentWidget(tab)
        answer = ask_conflict(self._window, path, tab.document.text, change.theirs)
        if answer is ConflictAnswer.OVERWRITE:
            return path, change.content
        if answer is ConflictAnswer.COPY:
            chosen = self._ask_path(tab)
            return chosen, self._known_of(tab, chosen)
        if answer is ConflictAnswer.RELOAD:
            self._reload(tab, path)
        return None, ""

    def _known_of(self, tab: StrategyTab, path: Path | None) -> str:
        """Return the content that may be replaced: of its own file what was seen here, of another what is there."""
        if path is None or path == tab.path:
            return tab.on_disk
        sight = look(path)
        return (sight.content if sight is not None else None) or ""

    def _saved(self, tab: StrategyTab, path: Path, text: str) -> None:
        if tab.path is not None and tab.path != path:
            self.watch.unwatch(tab.path)
        tab.document.mark_saved(path)
        tab.end_notice()
        self.know(tab, path, text)
        self._messages.say(tr("Saved as {path}", path=path))

    def _unsaved(self, tabs: Sequence[StrategyTab]) -> list[StrategyTab]:
        """Apply pending input; return the strategies with something that is not in their files."""
        refused = [tab for tab in tabs if self._typed.refused_of(tab)]
        return [tab for tab in tabs if tab.needs_saving or tab in refused]

    def _save_each(self, tabs: Sequence[StrategyTab]) -> bool:
        """Save several strategies, the one in front last: what is said of it stays; return whether all were saved."""
        front = self._tabs.current()
        saved = [self._try_to_save(tab) for tab in sorted(tabs, key=lambda tab: tab is front)]
        return all(saved)

    def _try_to_save(self, tab: StrategyTab) -> bool:
        """Save one of several strategies: a failure is told and does not keep the others from being saved."""
        try:
            return self.save(tab)
        except strategy_files.FileError as error:
            self._messages.complain(error_text(error))
            return False

    # ------------------------------------------------------------------ closing

    def close_current(self) -> None:
        """Close the current strategy, asking first if it has unsaved changes."""
        tab = self._tabs.current()
        if tab is not None:
            self.close(tab)

    def close(self, tab: StrategyTab) -> bool:
        """Close a strategy, asking first if it has unsaved changes; return whether it was closed."""
        if not self.may_close([tab]):
            return False
        if tab.path is not None:
            self.watch.unwatch(tab.path)
        self._strategies.remove(tab)
        return True

    def may_close(self, tabs: Sequence[StrategyTab]) -> bool:
        """Ask what to do with unsaved changes and do it; return whether the strategies may go."""
        unsaved = self._unsaved(tabs)
        if not unsaved:
            return True
        answer = ask_unsaved(self._window, [tab.title for tab in unsaved])
        if answer is UnsavedAnswer.SAVE:
            return self._save_each(unsaved)
        return answer is UnsavedAnswer.DISCARD

    # ------------------------------------------------------------------ exporting

    def export_yaml(self, *, layout: bool) -> None:
        """Write the strategy's text to a file of the user's choice, without its layout if that is not wanted."""
        tab = self._tabs.current()
        if tab is None or not self._typed.is_well(tab, saving=True):
            return
        path = self._ask_export(tr("Strategies (*.yaml *.yml)"), "yaml")
        if path is not None:
            strategy_files.write(
                path, tab.document.text if layout else strategy_files.without_layout(tab.document.text)
            )
            self._messages.say(tr("Exported to {path}", path=path))

    def export_picture(self, kind: str) -> None:
        """Draw the graph into a file of the user's choice; `kind` is `png` or `svg`."""
        tab = self._tabs.current()
        names = tr("Images (*.png)") if kind == "png" else tr("Vector images (*.svg)")
        path = self._ask_export(names, kind) if tab else None
        if tab is not None and path is not None:
            (tab.canvas.export_png if kind == "png" else tab.canvas.export_svg)(path)
            self._messages.say(tr("Exported to {path}", path=path))

    # ------------------------------------------------------------------ files changed by others

    def _changed_on_disk(self, path: Path, kind: str) -> None:
        tab = self._tabs.of_file(path)
        if tab is None:
            return
        if kind == FileChange.RESTORED:
            tab.end_notice()
            return
        if kind != FileChange.DELETED and not tab.needs_saving:
            self._reload(tab, path)
            return
        missing = kind == FileChange.DELETED
        notice = ChangedNotice(path.name, modified=tab.needs_saving, missing=missing, parent=tab)
        notice.answered.connect(lambda answer: self._answered(tab, path, answer))
        tab.show_notice(notice)

    def _answered(self, tab: StrategyTab, path: Path, answer: ChangedAnswer) -> None:
        tab.end_notice()
        if answer is ChangedAnswer.RELOAD:
            self._reload(tab, path)

    def _reload(self, tab: StrategyTab, path: Path) -> None:
        try:
            text = strategy_files.read_strategy(path)
        except strategy_files.FileError as error:
            self._messages.complain(error_text(error))
            return
        tab.document.set_text(text)
        tab.document.mark_saved(path)
        tab.end_notice()
        self.know(tab, path, text)
        self._messages.say(tr("Reloaded from {path}", path=path))

    # ------------------------------------------------------------------ names

    def know(self, tab: StrategyTab, path: Path, text: str) -> None:
        """Note what a strategy's file holds, as read or written just now."""
        tab.on_disk = strategy_files.digest(text)
        self.watch.watch(path, text)
        self._recent.add(path)

    def _folder(self) -> Path:
        """Return where file dialogs begin: beside the current strategy, else where the last one was."""
        tab = self._tabs.current()
        if tab is not None and tab.path is not None:
            return tab.path.parent
        return next((file.path.parent for file in self._recent.files.files() if file.path.parent.is_dir()), Path.home())

    def _ask_path(self, tab: StrategyTab) -> Path | None:
        start = tab.path or self._folder() / strategy_files.suggested_name(tab.title)
        self._tabs.setCurrentWidget(tab)
        name, _ = QFileDialog.getSaveFileName(
            self._window, tr("Save the strategy"), str(start), tr("Strategies (*.yaml *.yml)")
        )
        return strategy_files.with_suffix(Path(name)).absolute() if name else None

    def _ask_export(self, names: str, suffix: str) -> Path | None:
        tab = self._tabs.current()
        stem = tab.title if tab else "strategy"
        start = self._folder() / f"{stem}.{suffix}"
        name, _ = QFileDialog.getSaveFileName(self._window, tr("Export"), str(start), names)
        if not name:
            return None
        path = Path(name)
        return path if path.suffix else path.with_suffix(f".{suffix}")
