"""DataPane: the user's bars. Files are dropped onto it; series are filled, exported, deleted and used."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QItemSelectionModel, QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QProgressBar,
    QPushButton,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from quantcrafter.app.data.pane_table import SeriesTable
from quantcrafter.app.data.series_model import SeriesModel, SeriesRows
from quantcrafter.app.data.store_jobs import StoreJobs
from quantcrafter.app.data.texts import size_text
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.session.run_session import RunSession
from quantcrafter.app.theme import changed as theme_changed
from quantcrafter.app.theme import current
from quantcrafter.app.theme.icons import icon
from quantcrafter.engine.data.store import Series

_STRATEGIES = (".yaml", ".yml")
_FULL = 1000
_FILTER_WIDTHS = (90, 180)
_SPACING, _MARGIN, _GAP = 2, 6, 8
_ICON_ALONE = ("export", "delete", "fill", "update", "use", "download", "import")
"""The buttons that lose their text in a narrow pane, the first one first."""
_PASSING_MS = 150
"""How long the docks may take to find their places, during which panes are shown in passing."""


class DataPane(QWidget):
    """Lists the bar store.

    The Qt signals ask for what needs a dialog or a strategy: `import_asked` carries paths (none: let the user pick),
    `download_asked` nothing, `update_asked`, `fill_asked`, `export_asked`, `delete_asked` and `use_asked` carry a tuple
    of Series, `look_asked` one Series; `message` carries a text for the status bar.

    Args:
        jobs: what is done to the store.
        parent: the dock.
    """

    import_asked = Signal(object)
    download_asked = Signal()
    update_asked = Signal(object)
    fill_asked = Signal(object)
    export_asked = Signal(object)
    delete_asked = Signal(object)
    use_asked = Signal(object)
    look_asked = Signal(object)
    message = Signal(str)

    def __init__(self, jobs: StoreJobs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(tr("My data"))
        self.setAcceptDrops(True)
        self.jobs = jobs
        self.model = SeriesModel(self)
        self.rows = SeriesRows(self)
        self.rows.setSourceModel(self.model)
        self.table = SeriesTable(self.rows, self)
        self.filter = QLineEdit(self)
        self.total = QLabel(self)
        self.buttons: dict[str, QToolButton] = {}
        self.progress = _Progress(self)
        self.nothing = _Nothing(self)
        self._chosen_next: tuple[tuple[str, str], ...] = ()
        self._lay_out()
        self._connect()
        self._enable()

    @property
    def selected(self) -> tuple[Series, ...]:
        """The selected series, in the order of the rows."""
        rows = sorted(index.row() for index in self.table.selectionModel().selectedRows())
        return tuple(self.model.series[self.rows.mapToSource(self.rows.index(row, 0)).row()] for row in rows)

    @property
    def to_update(self) -> tuple[Series, ...]:
        """The selected series that were downloaded; all that were if none is selected."""
        return tuple(each for each in self.selected or self.model.series if each.origin is not None)

    def set_session(self, session: RunSession) -> None:
        """Stay as it is: the store is the same whichever strategy is in front."""

    def select(self, keys: Sequence[tuple[str, str]]) -> None:
        """Select series by symbol and timeframe."""
        self.table.clearSelection()
        for row in range(self.rows.rowCount()):
            series = self.model.series[self.rows.mapToSource(self.rows.index(row, 0)).row()]
            if (series.symbol, str(series.timeframe)) in keys:
                flags = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
                self.table.selectionModel().select(self.rows.index(row, 0), flags)

    def select_next(self, keys: Sequence[tuple[str, str]]) -> None:
        """Select series once the store has been listed again."""
        self._chosen_next = tuple(keys)

    # ------------------------------------------------------------------ making

    def _lay_out(self) -> None:
        self.filter.setPlaceholderText(tr("Filter"))
        self.filter.setAccessibleName(tr("Filter"))
        self.filter.setClearButtonEnabled(True)
        self.filter.setMinimumWidth(_FILTER_WIDTHS[0])
        self.filter.setMaximumWidth(_FILTER_WIDTHS[1])
        self.total.setForegroundRole(self.total.palette().ColorRole.PlaceholderText)
        tools = QHBoxLayout()
        tools.setContentsMargins(_MARGIN, 4, _MARGIN, 4)
        tools.setSpacing(_SPACING)
        for name, sign, text in (
            ("import", "import", tr("Import...")),
            ("download", "download", tr("Download...")),
            ("update", "reset", tr("Update")),
            ("fill", "add", tr("Fill gaps...")),
            ("export", "export", tr("Export...")),
            ("delete", "delete", tr("Delete...")),
            ("use", "bars", tr("Use in the strategy")),
        ):
            tools.addWidget(self._button(name, sign, text))
        tools.addStretch(1)
        tools.addWidget(self.total)
        tools.addSpacing(_GAP)
        tools.addWidget(self.filter)
        self._stack = QStackedLayout()
        self._stack.addWidget(self.nothing)
        self._stack.addWidget(self.table)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addLayout(tools)
        box.addWidget(self.progress)
        box.addLayout(self._stack, 1)

    def _button(self, name: str, sign: str, text: str) -> QToolButton:
        button = QToolButton(self)
        button.setIcon(icon(sign))
        button.setIconSize(QSize(16, 16))
        button.setText(text.removesuffix("..."))
        button.setToolTip(text.removesuffix("..."))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setAutoRaise(True)
        self.buttons[name] = button
        return button

    def _connect(self) -> None:
        self.buttons["import"].clicked.connect(lambda: self.import_asked.emit(()))
        for button in (self.buttons["download"], self.nothing.download):
            button.clicked.connect(self.download_asked)
        self.buttons["update"].clicked.connect(lambda: self.update_asked.emit(self.to_update))
        self.nothing.button.clicked.connect(lambda: self.import_asked.emit(()))
        for name in ("fill", "export", "delete", "use"):
            self.buttons[name].clicked.connect(lambda _checked=False, name=name: self.ask(name))
        self.filter.textChanged.connect(self.rows.look_for)
        self.filter.textChanged.connect(lambda _text: self._show_total())
        self.table.selectionModel().selectionChanged.connect(lambda *_: self._enable())
        self.table.looked_at.connect(lambda: self.ask("look"))
        self.table.menu_asked.connect(self._menu)
        self.jobs.listed.connect(self.show_series)
        self.jobs.working.connect(self._show_work)
        self.jobs.failed.connect(self.message.emit)
        self.progress.cancel.clicked.connect(self.jobs.cancel)
        theme_changed.connect(self.nothing.restyle)

    # ------------------------------------------------------------------ showing

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Leave out the texts of buttons that have no room for them."""
        self._fit_buttons()
        super().resizeEvent(event)

    def _fit_buttons(self) -> None:
        """Show as many buttons with their text as fit beside the total and the filter; the tooltips have the texts."""
        count = len(self.buttons)
        room = self.width() - 2 * _MARGIN - _GAP - (count + 3) * _SPACING - _FILTER_WIDTHS[0]
        room -= self.total.sizeHint().width()
        for button in self.buttons.values():
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        for name in _ICON_ALONE:
            if sum(button.sizeHint().width() for button in self.buttons.values()) <= room:
                break
            self.buttons[name].setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's
        """List the store once the pane is looked at."""
        super().showEvent(event)
        if not event.spontaneous():
            QTimer.singleShot(_PASSING_MS, self, self._refresh_if_seen)

    def _refresh_if_seen(self) -> None:
        """List the store, unless the pane was shown in passing only, while docks found their places."""
        if self.isVisible() and not self.visibleRegion().isEmpty():
            self.jobs.refresh()

    def show_series(self, series: Sequence[Series]) -> None:
        """Show what the store holds; what is selected stays so."""
        kept = self._chosen_next or [(each.symbol, str(each.timeframe)) for each in self.selected]
        self._chosen_next = ()
        self.model.show(series)
        self.table.fit_once()
        self.select(kept)
        self._stack.setCurrentWidget(self.table if series else self.nothing)
        self._show_total()
        self._enable()

    def _show_total(self) -> None:
        count = len(self.model.series)
        size = size_text(sum(series.size for series in self.model.series))
        text = tr("{count} series, {size}", count=count, size=size) if count else ""
        if self.rows.rowCount() != count:
            text = tr("{shown} of {count} series", shown=self.rows.rowCount(), count=count)
        self.total.setText(text)
        self._fit_buttons()
        self.filter.setVisible(bool(count))

    def _show_work(self, text: str, share: float) -> None:
        self.progress.show_work(text, share)
        self._enable()

    def _enable(self) -> None:
        chosen = self.selected
        self.buttons["fill"].setEnabled(len(chosen) == 1 and chosen[0].gaps > 0)
        self.buttons["use"].setEnabled(len(chosen) == 1)
        self.buttons["update"].setEnabled(bool(self.to_update))
        for name in ("export", "delete"):
            self.buttons[name].setEnabled(bool(chosen))

    # ------------------------------------------------------------------ asking

    def ask(self, name: str) -> None:
        """Ask for something to be done with what is selected: `fill`, `export`, `delete`, `use` or `look`."""
        chosen = self.selected
        if name == "look" and len(chosen) == 1:
            self.look_asked.emit(chosen[0])
        elif chosen and (name == "look" or self.buttons[name].isEnabled()):
            asked = {"fill": self.fill_asked, "export": self.export_asked, "delete": self.delete_asked}
            asked.get(name, self.use_asked).emit(chosen)

    def _menu(self, place: QPoint) -> None:
        menu = QMenu(self)
        if len(self.selected) == 1:
            menu.addAction(icon("search"), tr("View the bars"), lambda: self.ask("look"))
            menu.addSeparator()
        for name in ("use", "fill", "export", "delete"):
            button = self.buttons[name]
            action = menu.addAction(button.icon(), button.text(), lambda name=name: self.ask(name))
            action.setEnabled(button.isEnabled())
        menu.popup(place)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's
        """The Delete key requests to delete the selection."""
        if event.key() == Qt.Key.Key_Delete:
            self.ask("delete")
            return
        super().keyPressEvent(event)

    # ------------------------------------------------------------------ files dropped

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 - Qt's
        """Take CSV and Parquet files."""
        if dropped_files(event):
            event.acceptProposedAction()
            self.nothing.highlight(on=True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:  # noqa: N802 - Qt's
        self.nothing.highlight(on=False)
        super().dragLeaveEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 - Qt's
        """Ask for the dropped files to be imported."""
        self.nothing.highlight(on=False)
        paths = dropped_files(event)
        if paths:
            event.acceptProposedAction()
            self.import_asked.emit(tuple(paths))


def dropped_files(event: QDropEvent) -> list[Path]:
    """Return the local files that are dragged or dropped, strategies left out; the dialog says which have no bars."""
    paths = (Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile())
    return [path for path in paths if path.suffix.lower() not in _STRATEGIES]


class _Progress(QWidget):
    """What is being done, how much of it, and a button to stop it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.text = QLabel(self)
        self.bar = QProgressBar(self)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(8)
        self.cancel = QPushButton(tr("Cancel"), self)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 4, 8, 4)
        row.setSpacing(10)
        row.addWidget(self.text)
        row.addWidget(self.bar, 1)
        row.addWidget(self.cancel)
        self.hide()

    def show_work(self, text: str, share: float) -> None:
        """Show how much is done; nothing without a text."""
        self.text.setText(text)
        self.bar.setRange(0, 0 if share < 0 else _FULL)
        self.bar.setValue(round(max(share, 0.0) * _FULL))
        self.setVisible(bool(text))


class _Nothing(QWidget):
    """What the pane says while the store is empty."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.sign = QLabel(self)
        self.title = QLabel(tr("No imported bars yet"), self)
        self.text = QLabel(tr("Drop one or more CSV or Parquet files here."), self)
        self.text.setWordWrap(True)
        self.text.setForegroundRole(self.text.palette().ColorRole.PlaceholderText)
        self.button = QPushButton(icon("import"), tr("Import files..."), self)
        self.download = QPushButton(icon("download"), tr("Download..."), self)
        font = self.title.font()
        font.setBold(True)
        self.title.setFont(font)
        texts = QVBoxLayout()
        texts.setSpacing(2)
        texts.addWidget(self.title)
        texts.addWidget(self.text)
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addStretch(1)
        row.addWidget(self.sign)
        row.addLayout(texts)
        buttons = QVBoxLayout()
        buttons.setSpacing(6)
        buttons.addWidget(self.button)
        buttons.addWidget(self.download)
        row.addLayout(buttons)
        row.addStretch(1)
        box = QVBoxLayout(self)
        box.addStretch(1)
        box.addLayout(row)
        box.addStretch(1)
        self._lit = False
        self.restyle()

    def restyle(self) -> None:
        """Take the theme's colours."""
        theme = current()
        self.sign.setPixmap(icon("import", theme.accent if self._lit else theme.text_dim).pixmap(QSize(28, 28)))

    def highlight(self, *, on: bool) -> None:
        """Show that what is dragged can be dropped."""
        self._lit = on
        self.restyle()
