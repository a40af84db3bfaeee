"""The dialog that downloads bars into the bar store: from where, which symbols, since when, and what came of each."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from PySide6.QtCore import QDate, Qt, QTimer
from PySide6.QtWidgets import (
    QComboBox,
    QCompleter,
    QDialogButtonBox,
    QFormLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QProgressBar,
    QTreeWidgetItem,
    QWidget,
)

from quantcrafter.app.dialogs.frame import DialogFrame, paint_words, table
from quantcrafter.app.services.engine import Engine, Job
from quantcrafter.app.services.i18n import tr, translated
from quantcrafter.app.services.problems import error_text, failure_text
from quantcrafter.app.theme import current
from quantcrafter.app.theme.icons import icon
from quantcrafter.engine.api import DataError
from quantcrafter.engine.data.download.since import since_ns
from quantcrafter.engine.plugins import Registry
from quantcrafter.engine.runtime.compute_process.job_messages import Progressed
from quantcrafter.engine.runtime.compute_process.jobs import Failure, LogLine
from quantcrafter.engine.runtime.compute_process.jobs.download import (
    BarsRequest,
    DownloadDone,
    DownloadOffer,
    OfferRequest,
)

_SIZE = (720, 640)
_FULL = 1000
_USUAL_FRAME = "1d"
_YEARS = 5
_PAUSE_MS = 800
_SYMBOL, _STATE = range(2)
_EXAMPLES = {"ccxt": "BTC/USDT, ETH/USDT", "yfinance": "AAPL, VOD.L, EURUSD=X"}
Start = Callable[[BarsRequest], Job]


class DownloadDialog(DialogFrame):
    """Downloads bars while it is open, and leaves the download to the data pane when it is closed.

    Args:
        catalog: what is installed.
        engine: the process that is asked what providers offer.
        start: carries out a download and returns its job.
        cancel: stops a job.
        parent: the window.
    """

    def __init__(
        self,
        catalog: Registry,
        engine: Engine,
        start: Start,
        cancel: Callable[[Job], object],
        parent: QWidget | None = None,
    ) -> None:
        intro = tr("Closed bars are stored in My data. An interrupted download continues where it ended.")
        super().__init__(parent, title=tr("Download bars"), intro=intro)
        self._catalog, self._engine, self._start, self._cancel = catalog, engine, start, cancel
        self._asked: Job | None = None
        self._offer = DownloadOffer()
        self._places: tuple[str, ...] = ()
        self._known = False
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._pause.timeout.connect(self._ask)
        self.job: Job | None = None
        self.provider = QComboBox(self)
        self.place = QComboBox(self)
        self.symbols = QLineEdit(self)
        self.timeframe = QComboBox(self)
        self.since = QLineEdit(self)
        self.adjustment = QComboBox(self)
        self.server = QLineEdit(self)
        self.problem = QLabel(self)
        self.list = table([tr("Symbol"), tr("State")], tr("Downloads"))
        self.progress = QProgressBar(self)
        self._lay_out()
        self._connect()
        self.resize(*_SIZE)
        self._ask()

    @property
    def source(self) -> str:
        """The provider as the command line names it."""
        name, place = self.provider.currentData(), self.place.currentText().strip()
        return f"{name}:{place}" if self._has_place and place else str(name)

    @property
    def chosen_symbols(self) -> tuple[str, ...]:
        """The symbols, each once."""
        return tuple(dict.fromkeys(part for part in re.split(r"[,;\s]+", self.symbols.text()) if part))

    @property
    def request(self) -> BarsRequest:
        """What to download.

        Raises:
            DataError: it can't be told since when.
        """
        frame, adjustment = self.timeframe.currentText(), self.adjustment.currentData() or ""
        server = self.server.text().strip()
        options = {"url": server} if server and self._has_server else {}
        return BarsRequest(self.chosen_symbols, self.source, frame, since_ns(self.since.text()), adjustment, options)

    @property
    def _has_place(self) -> bool:
        cls = self._catalog.download_provider(str(self.provider.currentData()))
        return cls is not None and bool(cls.place)

    @property
    def _has_server(self) -> bool:
        cls = self._catalog.download_provider(str(self.provider.currentData()))
        return cls is not None and "url" in cls.model_fields

    # ------------------------------------------------------------------ making

    def _lay_out(self) -> None:
        labels = {"yfinance": "Yahoo Finance", "ccxt": tr("Crypto exchange")}
        for name in self._catalog.download_provider_names():
            self.provider.addItem(labels.get(name, name), name)
        self.place.setEditable(True)
        self.place.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        completer = self.place.completer()
        if completer is not None:
            completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
            completer.setFilterMode(Qt.MatchFlag.MatchContains)
        self.since.setText(str(QDate.currentDate().year() - _YEARS))
        self.since.setToolTip(tr("A year, month, day or time (UTC), such as 2020, 2020-06 or 2020-06-30"))
        self.form = QFormLayout()
        self.form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for text, widget in (
            (tr("Source"), self.provider),
            (tr("Exchange"), self.place),
            (tr("Symbols"), self.symbols),
            (tr("Timeframe"), self.timeframe),
            (tr("Since"), self.since),
            (tr("Prices"), self.adjustment),
            (tr("Server"), self.server),
        ):
            widget.setAccessibleName(text)
            self.form.addRow(text, widget)
        self.server.setPlaceholderText(tr("Default server. For a mirror, enter its address."))
        self.problem.setWordWrap(True)
        self.problem.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.problem.hide()
        header = self.list.header()
        header.setSectionResizeMode(_SYMBOL, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(_STATE, QHeaderView.ResizeMode.Stretch)
        self.list.setUniformRowHeights(False)
        self.list.setWordWrap(True)
        self.progress.setRange(0, _FULL)
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(8)
        policy = self.progress.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.progress.setSizePolicy(policy)
        self.progress.hide()
        self.body.addLayout(self.form)
        self.body.addWidget(self.problem)
        self.body.addWidget(self.list, 1)
        self.body.addWidget(self.progress)
        roles = QDialogButtonBox.ButtonRole
        self.ok_button = self.add_button(tr("Download"), roles.ActionRole, self.begin, default=True)
        self.stop_button = self.add_button(tr("Stop"), roles.ActionRole, self.stop)
        self.close_button = self.add_button(tr("Close"), roles.RejectRole, self.reject)

    def _connect(self) -> None:
        self.provider.currentIndexChanged.connect(lambda _index: self._ask())
        self.place.currentTextChanged.connect(self._named)
        edit = self.place.lineEdit()
        if edit is not None:
            edit.editingFinished.connect(self._ask)
        self.symbols.textChanged.connect(lambda _text: self._enable())
        self.timeframe.currentIndexChanged.connect(lambda _index: self._enable())

    # ------------------------------------------------------------------ what there is

    def _named(self, text: str) -> None:
        """Ask at once for a place that there is; for another one when the field is left, or typing pauses."""
        if text.strip() in self._places:
            self._ask()
        else:
            self._forget_offer()
            self._pause.start()

    def _forget_offer(self) -> None:
        """Let nothing be downloaded before it is known what there is."""
        self._offer, self._known = DownloadOffer(), False
        self.timeframe.setEnabled(False)
        self.adjustment.setEnabled(False)
        self._enable()

    def _ask(self) -> None:
        """Ask what the provider offers."""
        name = str(self.provider.currentData())
        place = self.place.currentText().strip() if self._has_place else ""
        wish = OfferRequest(name, place)
        self._pause.stop()
        if self._asked is not None and self._asked.request == wish and (self._known or not self._asked.is_over):
            return
        self.form.setRowVisible(self.place, self._has_place)
        self.form.setRowVisible(self.server, self._has_server)
        self.symbols.setPlaceholderText(_EXAMPLES.get(name, ""))
        self._complain("")
        self._forget_offer()
        job = self._asked = self._engine.submit(wish, first=True)
        job.finished.connect(lambda offer: self._show_offer(job, offer))
        job.failed.connect(lambda failure: self._no_offer(job, failure))
        self._enable()

    def _no_offer(self, job: Job, failure: Failure) -> None:
        if not failure.is_cancelled:
            self._show_offer(job, DownloadOffer(error=failure.message))

    def _show_offer(self, job: Job, offer: DownloadOffer) -> None:
        if self._asked is not job:
            return
        self._offer, self._known = offer, True
        if offer.places and self._places != offer.places:
            self._places = offer.places
            typed = self.place.currentText()
            self.place.clear()
            self.place.addItems(offer.places)
            self.place.setCurrentIndex(-1)
            self.place.setEditText(typed)
        before = self.timeframe.currentText() or _USUAL_FRAME
        self.timeframe.clear()
        self.timeframe.addItems(offer.timeframes)
        self.timeframe.setCurrentIndex(max(0, self.timeframe.findText(before)) if offer.timeframes else -1)
        self.timeframe.setEnabled(bool(offer.timeframes))
        words = {
            "none": tr("As traded"),
            "splits": tr("Adjusted for splits"),
            "all": tr("Adjusted for splits and dividends"),
        }
        self.adjustment.clear()
        for name in offer.adjustments:
            self.adjustment.addItem(words.get(name, name), name)
        self.adjustment.setEnabled(len(offer.adjustments) > 1)
        self._complain(translated(offer.error))
        self._enable()

    def _complain(self, text: str) -> None:
        self.problem.setText(text)
        paint_words(self.problem, current().error)
        self.problem.setVisible(bool(text))

    def _enable(self) -> None:
        ready = bool(self._offer.timeframes) and bool(self.chosen_symbols)
        self.ok_button.setEnabled(ready and self.job is None)
        self.stop_button.setEnabled(self.job is not None)
        waiting = self.job is None and self._asked is not None and not self._asked.is_over
        self.progress.setRange(0, 0 if waiting else _FULL)
        self.progress.setVisible(self.job is not None or waiting)

    # ------------------------------------------------------------------ the download

    def begin(self) -> None:
        """Download what is chosen; what came of earlier symbols stays in the list until then."""
        if not self.ok_button.isEnabled():
            return
        try:
            request = self.request
        except DataError as error:
            self._complain(error_text(error))
            self.since.setFocus()
            return
        self._complain("")
        self.list.clear()
        for symbol in request.symbols:
            item = QTreeWidgetItem([symbol, tr("Waiting")])
            self.list.addTopLevelItem(item)
        self.progress.setValue(0)
        job = self.job = self._start(request)
        job.progressed.connect(self._advanced)
        job.logged.connect(self._logged)
        job.finished.connect(self._finished)
        job.failed.connect(self._failed)
        job.ended.connect(self._ended)
        self._enable()
        self.stop_button.setFocus()

    def stop(self) -> None:
        """Stop the download; what was downloaded is stored."""
        if self.job is not None:
            self._cancel(self.job)

    def _advanced(self, progress: Progressed) -> None:
        if progress.stage != "download":
            return
        self.progress.setValue(round(progress.done / max(progress.total, 1) * _FULL))
        place, part = divmod(progress.done, 1000)
        item = self.list.topLevelItem(place)
        if item is not None:
            _write(item, tr("Downloading, {share} %", share=part // 10), "running")

    def _logged(self, lines: Sequence[LogLine]) -> None:
        for line in lines:
            item = self.list.topLevelItem(line.instrument)
            if item is not None:
                _write(item, translated(line.text), "warning")

    def _finished(self, done: Sequence[DownloadDone]) -> None:
        for place, each in enumerate(done):
            item = self.list.topLevelItem(place)
            if item is None:
                continue
            if each.error:
                _write(item, translated(each.error), "error")
                continue
            text = tr("{added} new bars, {count} stored", added=f"{each.added:,}", count=f"{each.count:,}")
            notes = " ".join(map(translated, each.notes))
            _write(item, f"{text}. {notes}" if notes else text, "warning" if notes else "done")

    def _failed(self, failure: Failure) -> None:
        if not failure.is_cancelled:
            self._complain(failure_text(failure))
        for place in range(self.list.topLevelItemCount()):
            item = self.list.topLevelItem(place)
            if item is not None and item.data(_STATE, Qt.ItemDataRole.UserRole) not in ("done", "error"):
                _write(item, tr("Stopped. Downloaded bars are stored."), "stop")

    def _ended(self) -> None:
        self.job = None
        self._enable()
        self.ok_button.setFocus()

    def done(self, result: int) -> None:
        """Leave a download that is under way to the data pane."""
        if self._asked is not None and not self._asked.is_over:
            self._engine.cancel(self._asked)
        if self.job is not None:
            for signal, slot in (
                (self.job.progressed, self._advanced),
                (self.job.logged, self._logged),
                (self.job.finished, self._finished),
                (self.job.failed, self._failed),
                (self.job.ended, self._ended),
            ):
                signal.disconnect(slot)
        super().done(result)


def _write(item: QTreeWidgetItem, text: str, sign: str) -> None:
    theme = current()
    colors = {"running": theme.running, "warning": theme.warning, "error": theme.error, "done": theme.done}
    item.setText(_STATE, text)
    item.setToolTip(_STATE, text)
    item.setData(_STATE, Qt.ItemDataRole.UserRole, sign)
    item.setIcon(_STATE, icon(sign, colors.get(sign, theme.text_dim)))
