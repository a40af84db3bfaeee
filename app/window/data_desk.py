"""What happens to data: sources chosen, files imported, stored series filled, exported, deleted and used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QFileDialog, QMenu, QMessageBox

from app.data.draft import SourceDraft, feed_draft, feed_edits, instrument_draft, instrument_edits
from app.data.store_jobs import StoreJobs
from app.document.edits import Edit, SetField
from app.document.errors import EditError
from app.document.view import Scope
from app.services.i18n import tr
from engine.api import FeedNode
from engine.runtime.jobs.store import (
    FillDone,
    ImportDone,
    StoreDeleteRequest,
    StoreExportRequest,
    StoreImportRequest,
)

if TYPE_CHECKING:
    from app.data.pane import DataPane
    from app.document.document import Document
    from app.window.main_window import MainWindow
    from engine.data.store import Series

STORE = "store"
_SHOWN = 12


class DataDesk:
    """Opens the dialogs about data, and carries out what they return.

    Args:
        window: whose data it is.
    """

    def __init__(self, window: MainWindow) -> None:
        self._window = window

    @cached_property
    def jobs(self) -> StoreJobs:
        """What is done to the bar store."""
        return StoreJobs(self._window.data_engine, self._window)

    def connect_pane(self, pane: DataPane) -> None:
        """Listen to the data pane."""
        pane.import_asked.connect(self.import_files)
        pane.fill_asked.connect(lambda chosen: self.fill(chosen[0]))
        pane.export_asked.connect(self.export)
        pane.delete_asked.connect(self.delete)
        pane.use_asked.connect(lambda chosen: self.offer_use(chosen[0]))
        pane.look_asked.connect(self.look)
        pane.message.connect(self._window.complain)

    # ------------------------------------------------------------------ the source of an instrument or feed

    def choose_source(self) -> None:
        """Choose the source of the selected feed, or else of the first instrument."""
        tab = self._window.tab
        if tab is None:
            return
        scope = tab.canvas.scope
        for node in self._window.selection:
            cls = tab.document.component(node, scope)
            if cls is not None and issubclass(cls, FeedNode):
                self.choose_feed(node, scope)
                return
        self.choose_instrument(0)

    def choose_instrument(self, index: int) -> None:
        """Choose the source of an instrument, and the period of the run; one undo step."""
        tab = self._window.tab
        if tab is None or not self._may_edit(tab.document):
            return
        document = tab.document
        draft = instrument_draft(document, index)
        run = document.values.get("run")
        choice = self._ask(draft, document, draft.symbol, run if isinstance(run, Mapping) else {})
        if choice is not None:
            edits = [
                *instrument_edits(index, choice.changes),
                *(SetField(("run", name), value) for name, value in choice.run.items()),
            ]
            self._do(document, edits, tr("Choose the data"))

    def choose_feed(self, node: str, scope: Scope = ()) -> None:
        """Choose the source of a feed node; one undo step."""
        tab = self._window.tab
        if tab is None or not self._may_edit(tab.document):
            return
        choice = self._ask(feed_draft(tab.document, node, scope), tab.document, node, None)
        if choice is not None:
            self._do(tab.document, feed_edits(node, choice.changes), tr("Choose the data"), scope)

    def _ask(self, draft: SourceDraft, document: Document, name: str, run: Mapping[str, Any] | None) -> Any:
        from app.data.source_dialog import SourceDialog, choose_source

        folder = document.folder if document.path is not None else None
        title = tr("Data of {name}", name=name) if name else tr("Data source")
        dialog = SourceDialog(draft, self._window.data_engine, title=title, folder=folder, run=run, parent=self._window)
        return choose_source(dialog)

    def _may_edit(self, document: Document) -> bool:
        """Return whether the document can be edited now, telling why if not."""
        tab = self._window.tab
        if tab is not None:
            self._window.finish_typing(tab)
        if not document.is_readable:
            self._window.complain(tr("The strategy's text has a mistake. Mend it first."))
        return document.is_readable

    def _do(self, document: Document, edits: Sequence[Edit], label: str, scope: Scope = ()) -> None:
        try:
            document.do(*edits, label=label, scope=scope)
        except EditError as error:
            self._window.complain(str(error))

    # ------------------------------------------------------------------ into the store

    def import_files(self, paths: Sequence[Path] = ()) -> None:
        """Import files, letting the user pick some if there are none given."""
        from app.data.import_dialog import ImportDialog, choose_imports

        if not paths:
            names, _ = QFileDialog.getOpenFileNames(
                self._window,
                tr("Import bars"),
                "",
                tr("Bars (*.csv *.tsv *.txt *.gz *.parquet *.pq);;All files (*)"),
            )
            paths = [Path(name) for name in names]
        if not paths:
            return
        dialog = ImportDialog(paths, self._window.catalog, self._window.data_engine, self._window)
        request = choose_imports(dialog)
        if request is not None:
            self.carry_out_import(request)

    def carry_out_import(self, request: StoreImportRequest) -> None:
        """Import, with progress in the pane, and tell what came of it."""
        count = len(request.files)
        text = tr("Importing {name}", name=Path(request.files[0].path).name)
        if count > 1:
            text = tr("Importing {count} files", count=count)
        self.jobs.do(request, text, self._imported)

    def _imported(self, done: Sequence[ImportDone]) -> None:
        good = [each for each in done if not each.error]
        added = sum(each.added for each in good)
        self._window.say(
            tr(
                "{added} bars imported into {count} series; {replaced} stored ones replaced.",
                added=f"{added:,}",
                count=len(good),
                replaced=f"{sum(each.replaced for each in good):,}",
            )
        )
        faults = [each.error for each in done if each.error]
        if faults:
            self._window.complain("\n\n".join(faults[:_SHOWN]))
        if self._window.has_panes():
            self._window.docks.data.select([(each.symbol, each.timeframe) for each in good])

    # ------------------------------------------------------------------ with stored series

    def look(self, series: Series) -> None:
        """Show the bars of a series."""
        from app.data.look_dialog import LookDialog

        dialog = LookDialog(series, self._window.data_engine, self._window)
        dialog.exec()
        dialog.deleteLater()

    def fill(self, series: Series) -> None:
        """Fill the gaps of a series from a source that the user chooses."""
        from app.data.fill_dialog import FillDialog

        tab = self._window.tab
        folder = tab.document.folder if tab is not None and tab.path is not None else None
        dialog = FillDialog(series, self._window.catalog, self._window.data_engine, folder, self._window)
        accepted = dialog.exec() == FillDialog.DialogCode.Accepted
        request = dialog.request
        dialog.deleteLater()
        if accepted:
            text = tr("Filling the gaps of {name}", name=f"{series.symbol} {series.timeframe}")
            self.jobs.do(request, text, self._filled)

    def _filled(self, done: FillDone) -> None:
        text = tr("{added} bars filled in, {left} are still missing.", added=f"{done.added:,}", left=f"{done.left:,}")
        self._window.say(text)

    def export(self, chosen: Sequence[Series]) -> None:
        """Write series to files: one to a file of the user's choice, several into a folder."""
        files = self._one_file(chosen[0]) if len(chosen) == 1 else self._into_folder(chosen)
        if files:
            text = tr("Exporting {count} series", count=len(files))
            self.jobs.do(StoreExportRequest(tuple(files)), text, partial(self._exported, files))

    def _one_file(self, series: Series) -> list[tuple[str, str, str]]:
        start = f"{_file_name(series)}.csv"
        name, _ = QFileDialog.getSaveFileName(self._window, tr("Export"), start, tr("CSV (*.csv);;Parquet (*.parquet)"))
        if not name:
            return []
        path = Path(name)
        path = path if path.suffix.lower() in (".csv", ".parquet", ".pq") else path.with_name(f"{path.name}.csv")
        return [(series.symbol, str(series.timeframe), str(path))]

    def _into_folder(self, chosen: Sequence[Series]) -> list[tuple[str, str, str]]:
        folder = QFileDialog.getExistingDirectory(self._window, tr("Export into a folder"))
        if not folder:
            return []
        paths = [Path(folder) / f"{_file_name(series)}.csv" for series in chosen]
        there = [path.name for path in paths if path.exists()]
        if there:
            text = tr("These files are there already: {names}. Overwrite them?", names=", ".join(there[:_SHOWN]))
            if QMessageBox.question(self._window, tr("Export"), text) != QMessageBox.StandardButton.Yes:
                return []
        return [(series.symbol, str(series.timeframe), str(path)) for series, path in zip(chosen, paths, strict=True)]

    def _exported(self, files: Sequence[tuple[str, str, str]], count: int) -> None:
        place = files[0][2] if len(files) == 1 else str(Path(files[0][2]).parent)
        self._window.say(tr("{count} bars exported to {path}", count=f"{count:,}", path=place))

    def delete(self, chosen: Sequence[Series]) -> None:
        """Delete series, after asking."""
        names = [f"{series.symbol} {series.timeframe}" for series in chosen]
        shown = ", ".join(names[:_SHOWN]) + ("…" if len(names) > _SHOWN else "")
        text = tr(
            "Delete {count} bars of {names}? Strategies that use them can then no longer run. This cannot be undone.",
            count=f"{sum(series.count for series in chosen):,}",
            names=shown,
        )
        box = QMessageBox(QMessageBox.Icon.Warning, tr("Delete bars"), text, parent=self._window)
        yes = box.addButton(tr("Delete"), QMessageBox.ButtonRole.DestructiveRole)
        no = box.addButton(tr("Cancel"), QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(no)
        box.exec()
        pressed = box.clickedButton()
        box.deleteLater()
        if pressed is yes:
            keys = tuple((series.symbol, str(series.timeframe)) for series in chosen)
            self.jobs.do(StoreDeleteRequest(keys), tr("Deleting bars"), self._deleted)

    def _deleted(self, count: int) -> None:
        self._window.say(tr("{count} bars deleted.", count=f"{count:,}"))

    def offer_use(self, series: Series) -> None:
        """Ask for which instrument of the strategy a series is to be used."""
        tab = self._window.tab
        if tab is None or not self._may_edit(tab.document):
            return
        listed = tab.document.values.get("instruments")
        entries = listed if isinstance(listed, list) else []
        menu = QMenu(self._window)
        for index, entry in enumerate(entries):
            symbol = entry.get("symbol", "?") if isinstance(entry, Mapping) else "?"
            menu.addAction(tr("In place of {symbol}", symbol=symbol), partial(self.use, series, index))
        menu.addAction(tr("As another instrument"), partial(self.use, series, None))
        menu.popup(QCursor.pos())

    def use(self, series: Series, index: int | None) -> None:
        """Let an instrument run on a series, or add one that does; one undo step."""
        tab = self._window.tab
        if tab is None:
            return
        document = tab.document
        values = {"symbol": series.symbol, "data": STORE, "timeframe": str(series.timeframe)}
        listed = document.values.get("instruments")
        count = len(listed) if isinstance(listed, list) else 0
        if index is None:
            edit = SetField(("instruments", count), values) if count else SetField(("instruments",), [values])
            self._do(document, (edit,), tr("Add an instrument"))
            return
        draft = instrument_draft(document, index)
        draft.choose(STORE)
        for name, value in values.items():
            draft.set((name,), value)
        self._do(document, instrument_edits(index, draft.changes()), tr("Choose the data"))


def _file_name(series: Series) -> str:
    """Return a file name for a series without what file systems refuse."""
    symbol = "".join(sign if sign.isalnum() or sign in "._-" else "-" for sign in series.symbol)
    return f"{symbol}_{series.timeframe}"
