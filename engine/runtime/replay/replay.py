"""Replay: a strategy run step by step, by the Python driver.

1. Bars are loaded and every column computed once; a column's value at a bar doesn't depend on later bars.
2. Each step fills orders, values positions and makes decisions, as a backtest does: at its end, the ledger is the same.
3. A snapshot is saved at regular intervals, so that a jump back restores the nearest one and runs a few steps.
4. A fork copies the state of one step to a run with changed parameters, and continues from there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from threading import Event

import numpy as np

from quantcrafter.engine.api import Ledger, RunError, Signals
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.wording import did_you_mean
from quantcrafter.engine.data.load import load_bars
from quantcrafter.engine.graph.plan import StepColumn
from quantcrafter.engine.runtime.replay.breakpoints import Breakpoint, parse_breakpoint
from quantcrafter.engine.runtime.replay.moment import Mark, Moment
from quantcrafter.engine.runtime.results.result import RunResult
from quantcrafter.engine.runtime.running.load_graph import Installed, load_graph
from quantcrafter.engine.runtime.running.prepare import Loader, with_choices
from quantcrafter.engine.runtime.running.run import Prepared, StageTimer, prepare_run, result_of
from quantcrafter.engine.simulation.records import Table
from quantcrafter.engine.simulation.session import SimulationSession
from quantcrafter.engine.simulation.snapshots import Snapshot
from quantcrafter.engine.spec import StrategySpec
from quantcrafter.engine.stats.curve import grown_equity

SNAPSHOT_STEPS = 500


class Stop(StrEnum):
    """Why a replay stopped."""

    PAUSED = "paused"
    BREAKPOINT = "breakpoint"
    END = "end of data"


@dataclass(frozen=True)
class Fork:
    """Two ways from one step on: both runs to the end of data. Their curves agree up to step `at`."""

    at: int
    original: RunResult
    changed: RunResult


class Replay:
    """A strategy that is run step by step; a step is a moment at which bars close.

    Args:
        source: a strategy file, or a spec.
        registry: the installed components.
        overrides: changes such as `indicators.fast.timeperiod=20`, which override the file.
        by_hand: whether the user of this computer wrote them; files that they name are read then.
        loader: loads the bars.
        snapshot_steps: number of steps between two snapshots, the maximum that a jump back repeats.

    Raises:
        SpecError, DataError, ComponentError, RunError: as for `quantcrafter.engine.runtime.running.run.run`.
    """

    def __init__(
        self,
        source: str | Path | StrategySpec,
        *,
        registry: Installed,
        overrides: Sequence[str] = (),
        by_hand: bool = False,
        loader: Loader = load_bars,
        snapshot_steps: int = SNAPSHOT_STEPS,
    ) -> None:
        if snapshot_steps < 1:
            raise RunError(
                Message(
                    "Snapshots must lie at least 1 step apart, was {snapshot_steps}. Raise 'snapshot_steps'.",
                    snapshot_steps=snapshot_steps,
                )
            )
        self._source = source
        self._registry = registry
        self._overrides, self._by_hand = tuple(overrides), by_hand
        self._loader = loader
        self._every = snapshot_steps
        self.prepared = self._prepare(self._overrides)
        self._session = SimulationSession(self.prepared.job)
        self._snapshots: dict[int, Snapshot] = {0: self._session.snapshot()}
        self._paused = Event()
        self.breakpoints: list[Breakpoint] = []
        self.steps_per_s: float | None = None
        self.moment: Moment | None = None

    def _prepare(self, overrides: tuple[str, ...]) -> Prepared:
        graph = load_graph(self._source, self._registry, overrides, by_hand=self._by_hand)
        settings = with_choices(graph.spec.run, "replay", "native")
        return prepare_run(graph, settings, clock=StageTimer(), loader=self._loader)

    # ------------------------------------------------------------------ where it is

    def __len__(self) -> int:
        return len(self._session)

    @property
    def index(self) -> int:
        """How many steps are done."""
        return self._session.index

    @property
    def done(self) -> bool:
        """Whether the data has ended."""
        return self._session.done

    @property
    def equity(self) -> float:
        """Equity at the latest close."""
        return self._session.equity

    @property
    def cash(self) -> float:
        """Cash now."""
        return self._session.cash

    def close_ns(self, step: int) -> int:
        """Return the close time (UTC ns) of a step, counted from 0."""
        return int(self._session.memory.ts_ns[step])

    def ledger(self) -> Ledger:
        """Return the ledger up to now; orders still at work are among the orders."""
        return self._session.ledger()

    def result(self) -> RunResult:
        """Return the run up to now as a result, with metrics.

        Raises:
            RunError: no step is done.
        """
        if self.index == 0:
            raise RunError(Message("A replay that has done no step has no result. Call step() first."))
        return result_of(self.prepared, self.ledger(), StageTimer())

    def working_orders(self, instrument: int = 0) -> Table:
        """Return the instrument's open orders (`ORDER_DTYPE`), by id."""
        return self._session.working_orders(instrument)

    def account(self, what: str, steps_ago: int = 0) -> float:
        """Return `equity`, `cash` or `drawdown` (percent below the highest equity so far) at a close.

        A drawdown is that of the equity with withdrawals put back.
        """
        at = self.index - 1 - steps_ago
        start = float(self.prepared.settings.cash)
        if at < 0:
            return 0.0 if what == "drawdown" else start
        equity = self._session.memory.curve[0]
        if what == "drawdown":
            if self.prepared.settings.withdrawal.percent > 0.0:
                equity = grown_equity(self.ledger())
            peak = max(start, float(equity[: at + 1].max()))
            return 100.0 * (1.0 - float(equity[at]) / peak)
        return float(equity[at] if what == "equity" else self._session.memory.cash(at + 1).values[-1])

    def outputs(self) -> dict[str, tuple[str, ...]]:
        """Return the nodes that have values, with their outputs."""
        plan = self.prepared.plan
        return {
            node: tuple(output.name for output in plan.steps[step].component.outputs)
            for node, step in plan.step_of.items()
        }

    def value(self, node: str, output: str = "", instrument: int = 0) -> float:
        """Return an output's value at the instrument's latest bar: flags for a signal, NaN where there is none yet.

        `bars` is a node too, with the bar columns as outputs.

        Raises:
            RunError: there is no such node or output.
        """
        bars = self.prepared.job.instruments[instrument].bars
        now = self.close_ns(self.index - 1) if self.index else -1
        bar = int(np.searchsorted(bars.close_ns, now, side="right")) - 1
        return self.value_at(node, output, instrument, bar)

    def value_at(self, node: str, output: str, instrument: int, bar: int) -> float:
        """Return an output's value at one of the instrument's bars; NaN before the first.

        Raises:
            RunError: there is no such node or output.
        """
        if bar < 0:
            return float("nan")
        if node == "bars":
            return float(self.prepared.job.instruments[instrument].bars.column(output or "close")[bar])
        known = self.outputs()
        if node not in known or (output and output not in known[node]):
            raise RunError(
                Message(
                    "There is no '{node}{what}{output}' here. Available: {known}.",
                    node=node,
                    what="." if output else "",
                    output=output,
                    known=", ".join(known),
                )
            )
        place = known[node].index(output) if output else 0
        step = self.prepared.plan.step_of[node]
        if self.prepared.plan.steps[step].in_loop:
            return self._stepped(StepColumn(step, place), instrument, bar)
        column = self.prepared.evaluations[instrument].column(StepColumn(step, place))
        return float((column.flags if isinstance(column, Signals) else column)[bar])

    def _stepped(self, source: StepColumn, instrument: int, bar: int) -> float:
        """Return the value of a node that runs in the bar loop at a bar."""
        loop, record = self.prepared.plan.loop, self._session.recorded()
        if loop is None or record is None:  # pragma: no cover - a step in the loop has both
            return float("nan")
        return float(record.values[instrument][loop.recorded.index(source)][bar])

    def instrument_number(self, symbol: str) -> int:
        """Return the index of an instrument by its symbol.

        Raises:
            RunError: there is none.
        """
        symbols = [job.symbol for job in self.prepared.job.instruments]
        if symbol not in symbols:
            raise RunError(
                Message("There is no instrument '{symbol}'. {hint}", symbol=symbol, hint=did_you_mean(symbol, symbols))
            )
        return symbols.index(symbol)

    # ------------------------------------------------------------------ going on and back

    def step(self) -> Moment:
        """Run one step.

        Raises:
            RunError: the data has ended.
        """
        session = self._session
        before = Mark.of(session.memory)
        session.step()
        events = tuple(session.events(session.index - 1))
        rows = before.rows_since(session.memory)
        self.moment = Moment(
            session.index, self.close_ns(session.index - 1), events, session.equity, session.cash, **rows
        )
        self._keep_snapshot()
        return self.moment

    def jump(self, index: int) -> None:
        """Go to the state after `index` steps, forward or back; breakpoints on the way are passed.

        Raises:
            RunError: there is no such step.
        """
        first = min(self._snapshots)
        if not first <= index <= len(self):
            raise RunError(
                Message(
                    "The step to jump to must lie between {first} and {count}, was {index}.",
                    first=first,
                    count=len(self),
                    index=index,
                )
            )
        if index < self.index:
            self._session.restore(self._snapshots[max(each for each in self._snapshots if each <= index)])
        while self.index < index:
            self._session.step()
            self._keep_snapshot()
        self.moment = None

    def jump_to(self, ts_ns: int) -> None:
        """Go to the state after the last step that closed at or before a time (UTC ns)."""
        self.jump(int(np.searchsorted(self._session.memory.ts_ns, ts_ns, side="right")))

    def _keep_snapshot(self) -> None:
        if self.index % self._every == 0 and self.index not in self._snapshots:
            self._snapshots[self.index] = self._session.snapshot()

    # ------------------------------------------------------------------ playing

    def add_breakpoint(self, text: str) -> Breakpoint:
        """Stop `play` and `run_on` at a condition; see `engine.runtime.replay.breakpoints` for what it may say.

        Raises:
            RunError: the text is not a breakpoint.
        """
        added = parse_breakpoint(text, self)
        self.breakpoints.append(added)
        return added

    def run_on(self, *, until: int | None = None) -> Stop:
        """Run as fast as possible to the next breakpoint, to `until` steps, or to the end; return why it stopped."""
        return self._go(lambda _moment: None, until, None)

    def play(self, tell: Callable[[Moment], object], *, until: int | None = None) -> Stop:
        """Run at `steps_per_s` (None: as fast as possible), reporting every step; return why it stopped.

        It blocks: call it in a separate thread if other work must continue. `steps_per_s` may be changed and `pause`
        called meanwhile, from any thread.
        """
        return self._go(tell, until, lambda: self.steps_per_s)

    def pause(self) -> None:
        """Stop `play` or `run_on` after the current step; the next call continues."""
        self._paused.set()

    def _go(
        self, tell: Callable[[Moment], object], until: int | None, speed: Callable[[], float | None] | None
    ) -> Stop:
        due = time.perf_counter()
        try:
            while not self.done:
                if self._paused.is_set() or (until is not None and self.index >= until):
                    return Stop.PAUSED
                moment = self.step()
                tell(moment)
                if any(each.is_hit(self, moment) for each in self.breakpoints):
                    return Stop.BREAKPOINT
                rate = speed() if speed is not None else None
                if rate:
                    due = max(due + 1.0 / rate, time.perf_counter() - 1.0 / rate)
                    self._paused.wait(max(0.0, due - time.perf_counter()))
        finally:
            self._paused.clear()
        return Stop.END

    # ------------------------------------------------------------------ forking

    def fork(self, *changes: str, at: int | None = None) -> Replay:
        """Return a replay with the ledger of this one after `at` steps (None: here) that continues with changes.

        It cannot go back beyond that step.

        Raises:
            SpecError: a change is wrong.
            RunError: the changes concern instruments or data, so that the bars are not the same.
        """
        here = self.index
        step = here if at is None else at
        self.jump(step)
        other = Replay(
            self._source,
            registry=self._registry,
            overrides=(*self._overrides, *changes),
            by_hand=self._by_hand,
            loader=self._loader,
            snapshot_steps=self._every,
        )
        bars = [[job.bars.content_hash for job in each.prepared.job.instruments] for each in (self, other)]
        if bars[0] != bars[1]:
            raise RunError(
                Message("A fork keeps instruments and data; the changes give other bars. Run the file anew instead.")
            )
        other._session.take_over(self._session)
        other._snapshots = {step: other._session.snapshot()}
        self.jump(here)
        return other

    def compare_fork(self, *changes: str, at: int | None = None) -> Fork:
        """Run both versions from a step to the end of data: the strategy as it is, and with changed parameters.

        This replay is not changed.

        Raises:
            SpecError, RunError: as for `fork`.
        """
        here = self.index
        step = here if at is None else at
        changed = self.fork(*changes, at=step)
        changed.jump(len(changed))
        self.jump(len(self))
        original = self.result()
        self.jump(here)
        return Fork(step, original, changed.result())
