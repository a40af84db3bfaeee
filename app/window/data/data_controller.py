"""The data of a strategy: choice of sources, and use of stored series."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QMenu, QWidget

from quantcrafter.app.data.draft import SourceDraft, feed_draft, feed_edits, instrument_draft, instrument_edits
from quantcrafter.app.data.period import day_of
from quantcrafter.app.document.edits import UNSET, Edit, SetField
from quantcrafter.app.document.errors import EditError
from quantcrafter.app.document.instrument_names import entry_name
from quantcrafter.app.document.view import Scope
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.services.problems import error_text, problem_text
from quantcrafter.engine.api import FeedNode, Severity
from quantcrafter.engine.data.markets import market_for
from quantcrafter.engine.runtime.compute_process.jobs.instrument_values import InstrumentValuesRequest

if TYPE_CHECKING:
    from quantcrafter.app.document.document import Document
    from quantcrafter.app.services.engine import Engine, Job
    from quantcrafter.app.window.files.pending_input import TypedText
    from quantcrafter.app.window.messages import Messages
    from quantcrafter.app.window.tabs.tabs import Tabs
    from quantcrafter.engine.data.store import Series
    from quantcrafter.engine.runtime.compute_process.jobs import Failure
    from quantcrafter.engine.runtime.compute_process.jobs.preview import Preview
    from quantcrafter.engine.runtime.running.instrument_values import InstrumentValues

STORE = "store"
_NOT_READ = ("spread", "open_interest")
"""Further columns of the store that are not for nodes."""


class DataController:
    """Opens the dialogs about a strategy's data, and executes what they return.

    Args:
        window: the parent of dialogs.
        tabs: the open strategies.
        engine: loads bars.
        typed: input that is not applied yet.
        messages: shows messages to the user.
    """

    def __init__(self, window: QWidget, tabs: Tabs, engine: Engine, typed: TypedText, messages: Messages) -> None:
        self._window = window
        self._tabs = tabs
        self._engine = engine
        self._typed = typed
        self._messages = messages
        self._limits_job: Job | None = None
        self._values_jobs: dict[int, Job] = {}

    # ------------------------------------------------------------------ the source of an instrument or feed

    def choose_source(self) -> None:
        """Choose the source of the selected feed, or else of the first instrument."""
        tab = self._tabs.current()
        if tab is None:
            return
        scope = tab.canvas.scope
        for node in tab.selection:
            cls = tab.document.component(node, scope)
            if cls is not None and issubclass(cls, FeedNode):
                self.choose_feed(node, scope)
                return
        self.choose_instrument(0)

    def choose(self, of: int | str) -> None:
        """Choose the source of an instrument, by its number, or of a feed node, by its id."""
        tab = self._tabs.current()
        if isinstance(of, int):
            self.choose_instrument(of)
        elif tab is not None:
            self.choose_feed(of, tab.canvas.scope)

    def choose_instrument(self, index: int) -> None:
        """Choose the source of an instrument, and the period of the run; one undo step."""
        tab = self._tabs.current()
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
        tab = self._tabs.current()
        if tab is None or not self._may_edit(tab.document):
            return
        choice = self._ask(feed_draft(tab.document, node, scope), tab.document, node, None)
        if choice is not None:
            self._do(tab.document, feed_edits(node, choice.changes), tr("Choose the data"), scope)

    def _ask(self, draft: SourceDraft, document: Document, name: str, run: Mapping[str, Any] | None) -> Any:
        from quantcrafter.app.data.source_dialog import SourceDialog, choose_source

        folder = document.folder if document.path is not None else None
        dialog = SourceDialog(draft, self._engine, title=_title(name), folder=folder, run=run, parent=self._window)
        if run is not None:  # an instrument is called by its symbol, which may be changed there
            dialog.form.changed.connect(lambda: dialog.retitle(_title(draft.symbol)))
        return choose_source(dialog)

    def _may_edit(self, document: Document) -> bool:
        """Return whether the document can be edited now, telling why if not."""
        tab = self._tabs.current()
        if tab is not None:
            self._typed.finish(tab)
        if not document.is_readable:
            self._messages.complain(tr("The strategy's text has an error. Fix it first."))
        return document.is_readable

    def _do(self, document: Document, edits: Sequence[Edit], label: str, scope: Scope = ()) -> None:
        try:
            document.do(*edits, label=label, scope=scope)
        except EditError as error:
            self._messages.complain(error_text(error))

    def show_limits(self, take: Callable[[date, date], None]) -> None:
        """Call a function with the first and the last day of the first instrument's data, once they are known."""
        tab = self._tabs.current()
        if tab is None:
            return
        folder = str(tab.document.folder) if tab.document.path is not None else ""
        request = instrument_draft(tab.document, 0).request(folder)
        job = self._limits_job = self._engine.submit(request, first=True)

        def take_limits(seen: Preview) -> None:
            if seen.count:
                take(day_of(seen.first_ns), day_of(seen.last_ns))

        job.finished.connect(take_limits)

    def show_values(self, place: int, take: Callable[[InstrumentValues | str], None]) -> None:
        """Call a function with the values of an instrument that a run would use, or with why there are none."""
        tab = self._tabs.current()
        if tab is None:
            return
        before = self._values_jobs.pop(place, None)
        if before is not None and not before.is_over:
            self._engine.cancel(before)
        document = tab.document
        file = "" if document.path is None else str(document.path)
        job = self._engine.submit(InstrumentValuesRequest(document.text, place, file, str(document.folder)))
        self._values_jobs[place] = job
        job.finished.connect(take)
        job.failed.connect(lambda failure: None if failure.is_cancelled else take(_why(failure)))

    # ------------------------------------------------------------------ stored series

    def offer_use(self, series: Series) -> None:
        """Ask for which instrument of the strategy a series is to be used."""
        tab = self._tabs.current()
        if tab is None or not self._may_edit(tab.document):
            return
        listed = tab.document.values.get("instruments")
        entries = listed if isinstance(listed, list) else []
        menu = QMenu(self._window)
        for index, entry in enumerate(entries):
            menu.addAction(tr("Replace {symbol}", symbol=entry_name(entry) or "?"), partial(self.use, series, index))
        menu.addAction(tr("As a new instrument"), partial(self.use, series, None))
        menu.popup(QCursor.pos())

    def use(self, series: Series, index: int | None) -> None:
        """Let an instrument run on a series, or add one that does; one undo step."""
        tab = self._tabs.current()
        if tab is None:
            return
        document = tab.document
        values: dict[str, Any] = {"symbol": series.symbol, "data": STORE, "timeframe": str(series.timeframe)}
        further = [name for name in series.columns if name not in _NOT_READ]
        if further:
            values["columns"] = {name: name for name in further}
        market = market_for(series.symbol, document.catalog.markets)
        if series.market and (market is None or market.name != series.market):
            values["market"] = series.market
        listed = document.values.get("instruments")
        count = len(listed) if isinstance(listed, list) else 0
        if index is None:
            edit = SetField(("instruments", count), values) if count else SetField(("instruments",), [values])
            self._do(document, (edit,), tr("Add an instrument"))
            return
        draft = instrument_draft(document, index)
        draft.choose(STORE)
        draft.set(("columns",), UNSET)
        for name, value in values.items():
            draft.set((name,), value)
        self._do(document, instrument_edits(index, draft.changes()), tr("Choose the data"))


def _why(failure: Failure) -> str:
    """Return the first error of a strategy, else the failure in words."""
    first = next((each for each in failure.problems if each.severity is Severity.ERROR), None)
    return failure.message if first is None else problem_text(first)


def _title(name: str) -> str:
    return tr("Data of {name}", name=name) if name else tr("Data source")
