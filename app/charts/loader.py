"""ChartLoader: prepares a run for drawing, outside the GUI thread."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from PySide6.QtCore import QObject, QRunnable, QThreadPool, Signal

from quantcrafter.app.charts.model.chart import ChartModel, chart_model, read_lines
from quantcrafter.app.services.problems import error_text
from quantcrafter.engine.api import QuantCrafterError
from quantcrafter.engine.runtime.results.run_view import RunView

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ChartRequest:
    """What to make ready: an instrument of a run, with the outputs that are shown.

    `chosen` is what the user switched, by `node.output`; `model` is what is there already, which is then completed.
    """

    run: RunView
    instrument: int
    chosen: Mapping[str, bool] = field(default_factory=dict)
    heikin_ashi: bool = False
    model: ChartModel | None = None

    def answer(self) -> ChartModel:
        """Return the model; this reads whole columns."""
        import pyqtgraph  # noqa: F401 - the first drawing needs it, and importing it takes long

        model = self.model or chart_model(self.run, self.instrument)
        wanted = [each for each in model.outputs if self.chosen.get(each.key, each.first)]
        return read_lines(model, wanted, heikin_ashi=self.heikin_ashi)


class ChartLoader(QObject):
    """Answers one request at a time; of several that wait only the last is answered."""

    ready = Signal(object)
    """The `ChartModel` that was asked for last."""
    failed = Signal(str)
    """It could not be read, with the reason."""
    answered = Signal(object, object)
    """For the worker thread: the request, and its `ChartModel` or what went wrong."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._busy: ChartRequest | None = None
        self._next: ChartRequest | None = None
        self._closed = False
        self.answered.connect(self._done)

    @property
    def is_busy(self) -> bool:
        """Whether something is being prepared."""
        return self._busy is not None

    def ask(self, request: ChartRequest) -> None:
        """Make something ready, in place of what waits."""
        self._next = request
        self._go_on()

    def drop(self) -> None:
        """Drop waiting requests; the result of the current one is not reported."""
        self._next = None
        self._busy = None

    def close(self) -> None:
        """Wait for the current request; nothing is reported afterwards."""
        self._closed = True
        self.drop()
        self._pool.waitForDone()

    def _go_on(self) -> None:
        if self._busy is not None or self._next is None or self._closed:
            return
        self._busy, self._next = self._next, None
        self._pool.start(_Task(self, self._busy))

    def _done(self, request: ChartRequest, answer: object) -> None:
        if request is not self._busy:
            self._go_on()
            return
        self._busy = None
        if self._next is None and not self._closed:
            if isinstance(answer, ChartModel):
                self.ready.emit(answer)
            else:
                self.failed.emit(str(answer))
        self._go_on()


class _Task(QRunnable):
    def __init__(self, loader: ChartLoader, request: ChartRequest) -> None:
        super().__init__()
        self._loader = loader
        self._request = request

    def run(self) -> None:
        answer: object
        try:
            answer = self._request.answer()
        except QuantCrafterError as error:
            answer = error_text(error)
        except Exception as error:
            log.exception("The chart could not be made ready")
            answer = f"{type(error).__name__}: {error}"
        self._loader.answered.emit(self._request, answer)
