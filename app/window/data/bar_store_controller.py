"""Operations on the bar store: import of files; fill, export, delete and view series."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from quantcrafter.app.data.store_jobs import StoreJobs
from quantcrafter.app.services.i18n import tr, translated
from quantcrafter.engine.runtime.compute_process.jobs.download import BarsRequest, DownloadDone, UpdateRequest
from quantcrafter.engine.runtime.compute_process.jobs.store import (
    FillDone,
    ImportDone,
    StoreDeleteRequest,
    StoreExportRequest,
    StoreImportRequest,
)

if TYPE_CHECKING:
    from quantcrafter.app.data.pane import DataPane
    from quantcrafter.app.services.engine import Engine, Job
    from quantcrafter.app.window.messages import Messages
    from quantcrafter.app.window.tabs.tabs import Tabs
    from quantcrafter.engine.data.store import Series
    from quantcrafter.engine.plugins import Registry

_SHOWN = 12


class BarStoreController:
    """Opens the dialogs about the bar store, and executes what they return.

    Args:
        window: the parent of dialogs.
        catalog: the installed components.
        tabs: the open strategies.
        engines: the one that does what is asked of the bar store, and the one that downloads.
        use: called with a series that a strategy is to run on.
        messages: shows messages to the user.
    """

    def __init__(
        self,
        window: QWidget,
        catalog: Registry,
        tabs: Tabs,
        engines: tuple[Engine, Engine],
        use: Callable[[Series], None],
        messages: Messages,
    ) -> None:
        self._window = window
        self._catalog = catalog
        self._tabs = tabs
        self._engine, self._download_engine = engines
        self._use = use
        self._messages = messages
        self._is_downloading_in_front = False
        self.jobs = StoreJobs(self._engine, window)

    @cached_property
    def pane(self) -> DataPane:
        """The list of the bar store, made when it is first looked at."""
        from quantcrafter.app.data.pane import DataPane

        pane = DataPane(self.jobs)
        pane.import_asked.connect(self.import_files)
        pane.download_asked.connect(self.download)
        pane.update_asked.connect(self.update)
        pane.fill_asked.connect(lambda chosen: self.fill(chosen[0]))
        pane.export_asked.connect(self.export)
        pane.delete_asked.connect(self.delete)
        pane.use_asked.connect(lambda chosen: self._use(chosen[0]))
        pane.look_asked.connect(self.look)
        pane.message.connect(self._messages.complain)
        return pane

    # ------------------------------------------------------------------ into the store

    def import_files(self, paths: Sequence[Path] = ()) -> None:
        """Import files, letting the user pick some if there are none given."""
        from quantcrafter.app.data.import_dialog import ImportDialog, choose_imports

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
        dialog = ImportDialog(paths, self._catalog, self._engine, self._window)
        request = choose_imports(dialog)
        if request is not None:
            self.start_import(request)

    def start_import(self, request: StoreImportRequest) -> None:
        """Import, with progress in the pane, and tell the result."""
        count = len(request.files)
        text = tr("Importing {name}", name=Path(request.files[0].path).name)
        if count > 1:
            text = tr("Importing {count} files", count=count)
        self.jobs.do(request, text, self._imported)

    def _imported(self, done: Sequence[ImportDone]) -> None:
        good = [each for each in done if not each.error]
        added = sum(each.added for each in good)
        self._messages.say(
            tr(
                "Bars imported: {added}, bars replaced: {replaced}, series: {count}.",
                added=f"{added:,}",
                count=len(good),
                replaced=f"{sum(each.replaced for each in good):,}",
            )
        )
        faults = [translated(each.error) for each in done if each.error]
        if faults:
            self._messages.complain("\n\n".join(faults[:_SHOWN]))
        self.pane.select_next([(each.symbol, each.timeframe) for each in good])

    # ------------------------------------------------------------------ from servers

    def download(self) -> None:
        """Let the user download bars."""
        from quantcrafter.app.data.download_dialog import DownloadDialog

        dialog = DownloadDialog(self._catalog, self._engine, self._start_download, self.jobs.cancel_job, self._window)
        self._is_downloading_in_front = True
        try:
            dialog.exec()
        finally:
            self._is_downloading_in_front = False
            dialog.deleteLater()

    def _start_download(self, request: BarsRequest) -> Job:
        text = tr("Downloading {name}", name=", ".join(request.symbols[:_SHOWN]))
        return self.jobs.do(request, text, self._downloaded, engine=self._download_engine)

    def update(self, chosen: Sequence[Series] = ()) -> None:
        """Download what is new of these series, or of all that were downloaded."""
        keys = tuple((series.symbol, str(series.timeframe)) for series in chosen)
        self.jobs.do(UpdateRequest(keys), tr("Downloading new bars"), self._downloaded, engine=self._download_engine)

    def _downloaded(self, done: Sequence[DownloadDone]) -> None:
        good = [each for each in done if not each.error]
        added = sum(max(each.added, 0) for each in good)
        self._messages.say(tr("Bars downloaded: {added}, series: {count}.", added=f"{added:,}", count=len(good)))
        faults = [translated(each.error) for each in done if each.error]
        if faults and not self._is_downloading_in_front:
            self._messages.complain("\n\n".join(faults[:_SHOWN]))
        self.pane.select_next([(each.symbol, each.timeframe) for each in good])

    # ------------------------------------------------------------------ with stored series

    def look(self, series: Series) -> None:
        """Show the bars of a series."""
        from quantcrafter.app.data.look_dialog import LookDialog

        dialog = LookDialog(series, self._engine, self._window)
        dialog.exec()
        dialog.deleteLater()

    def fill(self, series: Series) -> None:
        """Fill the gaps of a series from a source that the user chooses."""
        from quantcrafter.app.data.fill_dialog import FillDialog

        tab = self._tabs.current()
        folder = tab.document.folder if tab is not None and tab.path is not None else None
        dialog = FillDialog(series, self._catalog, self._engine, folder, self._window)
        accepted = dialog.exec() == FillDialog.DialogCode.Accepted
        request = dialog.request
        dialog.deleteLater()
        if accepted:
            text = tr("Filling the gaps of {name}", name=f"{series.symbol} {series.timeframe}")
            self.jobs.do(request, text, self._filled)

    def _filled(self, done: FillDone) -> None:
        text = tr("Bars filled in: {added}, still missing: {left}.", added=f"{done.added:,}", left=f"{done.left:,}")
        self._messages.say(text)

    def export(self, chosen: Sequence[Series]) -> None:
        """Write series to files: one to a file of the user's choice, several into a folder."""
        files = self._one_file(chosen[0]) if len(chosen) == 1 else self._into_folder(chosen)
        if files:
            text = tr("Exporting {count} series", count=len(files))
            self.jobs.do(StoreExportRequest(tuple(files)), text, partial(self._exported, files))

    def _one_file(self, series: Series) -> list[tuple[str, str, str]]:
        start = f"{_file_name(series)}.csv"
        name, _ = QFileDialog.getSaveFileName(
            self._window, tr("Export"), start, tr("CSV file (*.csv);;Parquet file (*.parquet)")
        )
        if not name:
            return []
        path = Path(name)
        path = path if path.suffix.lower() in (".csv", ".parquet", ".pq") else path.with_name(f"{path.name}.csv")
        return [(series.symbol, str(series.timeframe), str(path))]

    def _into_folder(self, chosen: Sequence[Series]) -> list[tuple[str, str, str]]:
        folder = QFileDialog.getExistingDirectory(self._window, tr("Export to a folder"))
        if not folder:
            return []
        paths = [Path(folder) / f"{_file_name(series)}.csv" for series in chosen]
        there = [path.name for path in paths if path.exists()]
        if there:
            text = tr("These files already exist: {names}. Overwrite them?", names=", ".join(there[:_SHOWN]))
            yes, no = QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No
            if QMessageBox.question(self._window, tr("Export"), text, yes | no, no) != yes:
                return []
        return [(series.symbol, str(series.timeframe), str(path)) for series, path in zip(chosen, paths, strict=True)]

    def _exported(self, files: Sequence[tuple[str, str, str]], count: int) -> None:
        place = files[0][2] if len(files) == 1 else str(Path(files[0][2]).parent)
        self._messages.say(tr("Bars exported: {count}, to {path}", count=f"{count:,}", path=place))

    def delete(self, chosen: Sequence[Series]) -> None:
        """Delete series, after asking."""
        names = [f"{series.symbol} {series.timeframe}" for series in chosen]
        shown = ", ".join(names[:_SHOWN]) + ("…" if len(names) > _SHOWN else "")
        text = tr(
            "Delete {count} bars of {names}? Strategies that use these bars will no longer run. You can't undo this.",
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
        self._messages.say(tr("Bars deleted: {count}.", count=f"{count:,}"))


def _file_name(series: Series) -> str:
    """Return a file name for a series without what file systems refuse."""
    symbol = "".join(sign if sign.isalnum() or sign in "._-" else "-" for sign in series.symbol)
    return f"{symbol}_{series.timeframe}"
