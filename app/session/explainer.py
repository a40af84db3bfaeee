"""Explainer: what a strategy's run did at the bar that is pointed at, worked out once for all that show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from quantcrafter.app.services.background import Background
from quantcrafter.app.session.run_session import RunSession
from quantcrafter.engine.api import Catalog, RunError
from quantcrafter.engine.runtime.compute_process.jobs.census import CensusRequest
from quantcrafter.engine.runtime.explain import Census, Facts, Why, decision_bar, explain, take_census

if TYPE_CHECKING:
    from quantcrafter.app.services.engine import Engine, Job
    from quantcrafter.engine.runtime.run_store.run_folder import RunFolder

SMALL = 1_000_000
"""Bars times nodes that are counted in a few milliseconds."""
CENSUS_DELAY_MS = 300
"""Runs that follow each other faster (a slider is being dragged) are not counted."""


class Explainer(QObject):
    """Explains the place that a `RunSession` points at. There is one for each session: `Explainer.of(session)`.

    The Qt signal `explained` says that the place, or the run, is another; `counted` that the census of the run is
    there.
    """

    explained = Signal()
    counted = Signal()

    def __init__(self, session: RunSession) -> None:
        super().__init__(session)
        self.session = session
        self.census: Census | None = None
        self._engine: Engine | None = None
        self._job: Job | None = None
        self._facts: dict[int, Facts] = {}
        self._why: Why | None = None
        self._background = Background(self)
        self._census_soon = QTimer(self, singleShot=True, interval=CENSUS_DELAY_MS)
        self._census_soon.timeout.connect(self._count)
        session.run_changed.connect(self._run_changed)
        session.moved.connect(self._moved)
        self._run_changed()

    @classmethod
    def of(cls, session: RunSession) -> Explainer:
        """Return the explainer of a session, made now if there is none yet."""
        found = next((child for child in session.children() if isinstance(child, cls)), None)
        return found or cls(session)

    def use_engine(self, engine: Engine) -> None:
        """Have the census of large runs taken by the engine process from now on; that of small ones takes a thread."""
        self._engine = engine

    @property
    def facts(self) -> Facts | None:
        """The facts of the instrument that is pointed at, None without a run."""
        run, number = self.session.run, self.session.instrument
        if run is None:
            return None
        if number not in self._facts:
            self._facts[number] = Facts(run, _catalog(), number)
        return self._facts[number]

    @property
    def bar(self) -> int | None:
        """The bar that is explained: of a trade's end, the one at whose close it was decided."""
        facts, session = self.facts, self.session
        return None if facts is None or session.bar is None else decision_bar(facts, session.bar, session.trade)

    @property
    def why(self) -> Why | None:
        """What happened at that bar and why; None if none is pointed at, or the run cannot be read any more."""
        facts, bar = self.facts, self.bar
        if facts is None or bar is None:
            return None
        if self._why is None or (self._why.instrument, self._why.bar) != (facts.instrument, bar):
            try:
                self._why = explain(facts, bar)
            except RunError:
                return None
        return self._why

    def _moved(self) -> None:
        self.explained.emit()

    def _run_changed(self) -> None:
        self._facts.clear()
        self._why = None
        self.census = None
        if self._job is not None and self._engine is not None:
            self._engine.cancel(self._job)
        self._job = None
        if self.session.run is not None:
            self._census_soon.start()
        self.explained.emit()

    # ------------------------------------------------------------------ the census

    def _count(self) -> None:
        run = self.session.run
        if run is None:
            return
        if self._engine is None or run.bars * len(run.nodes) < SMALL:
            self._background.run(lambda: take_census(run, _catalog()), lambda found: self._counted(run, found), _nobody)
            return
        job = self._job = self._engine.submit(CensusRequest(run.folder), idle=True)
        job.finished.connect(lambda found: self._counted(run, found))

    def _counted(self, run: RunFolder, census: Census) -> None:
        if run is self.session.run:
            self.census = census
            self.counted.emit()


def _nobody(_message: str) -> None:
    """Pass over a run whose folder is gone: a newer one is on its way."""


def _catalog() -> Catalog:
    from quantcrafter.engine.plugins import load_registry

    return load_registry()
