"""A simulation step by step: the two halves of a step, the state between steps, and jumps back.

Around Python's part the functions of the bar loop run interpreted: it takes most of the time anyway.
"""

from __future__ import annotations

import numpy as np

from quantcrafter.engine.api.engine import EngineJob
from quantcrafter.engine.api.errors import RunError
from quantcrafter.engine.api.ledger import Ledger
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.step_program import StepRecord
from quantcrafter.engine.simulation.by_matcher import AskedStep
from quantcrafter.engine.simulation.components import Deciders, States
from quantcrafter.engine.simulation.kernel import hold_auction, note_auction
from quantcrafter.engine.simulation.matcher import Matcher
from quantcrafter.engine.simulation.records import DECISIONS, UP_TO_CLOSE, WHOLE, Table
from quantcrafter.engine.simulation.snapshots import Snapshot, carry_over, put_back, snapshot_of
from quantcrafter.engine.simulation.state import SimulationState
from quantcrafter.engine.simulation.step_arrays import record_of


class Stepping:
    """The steps of a job over the arrays of a `SimulationState`; all its bars are known, unless a subclass says so.

    `index` counts the steps done. `fill()` and `decide()` are the two halves of a step: what happens up to the close,
    and what is decided on it. With a `matcher`, that matcher returns the fill price of each order. The job's
    `components` are called for their decisions.
    """

    def __init__(self, job: EngineJob, memory: SimulationState, matcher: Matcher | None = None) -> None:
        self.job = job
        self.matcher = matcher
        self.memory = memory
        self.index = 0
        self._deciders = None if job.is_compiled else Deciders(job, memory)
        portfolio = memory.portfolio
        # One instrument that acts only on signals: most closes need no call.
        asked = portfolio["rebalance"] or portfolio["checks_closes"] or portfolio["stepped"] or not portfolio["plain"]
        self._is_quiet = len(job.instruments) == 1 and not asked
        self._equity = float(job.settings.cash)
        self._decided = True

    def __len__(self) -> int:
        """Return how many steps are known."""
        return len(self.memory.ts_ns)

    @property
    def done(self) -> bool:
        """Whether no further step is known."""
        return self.index == len(self)

    @property
    def has_ended(self) -> bool:
        """Whether the data has ended: no instrument will have a further bar than those known."""
        return True

    @property
    def equity(self) -> float:
        """Equity as marked at the latest close."""
        return self._equity

    @property
    def cash(self) -> float:
        """Cash now."""
        return float(self.memory.portfolio["cash"])

    # ------------------------------------------------------------------ going on

    def step(self) -> None:
        """Run one step: orders fill, positions are marked, decisions are taken.

        Raises:
            RunError: no further step is known.
        """
        self.fill()
        self.decide()

    def fill(self) -> None:
        """Run the next step up to its close."""
        if self.done:
            self._refuse_step()
        if not self._decided:
            raise RunError(Message("Decisions of the last step are still to be taken. Call decide() before fill()."))
        state, row = self.memory, self._row
        with np.errstate(all="ignore"):
            if self.matcher is None:
                self._run(UP_TO_CLOSE)
            else:
                AskedStep(state, self.matcher, row).run()
        self._equity = float(state.curve[0, row])
        self._note_close()
        self._decided = False

    def _refuse_step(self) -> None:
        if self.has_ended:
            raise RunError(
                Message("The data has ended after {index} steps. Restore a snapshot to go back.", index=self.index)
            )
        raise RunError(Message("No bar is known after {index} steps. Append the next one first.", index=self.index))

    @property
    def _row(self) -> int:
        """The row of the step columns that belongs to the step at hand."""
        return self.index - int(self.memory.portfolio["first_step"])

    def _run(self, part: int) -> None:
        state, row = self.memory, self._row
        if state.kernel(*state.arrays(), row, row + 1, part) == row:
            state.harvest()
            state.kernel(*state.arrays(), row, row + 1, part)

    def decide(self) -> None:
        """Take the decisions on the close of the step that `fill` ran."""
        if self._decided:
            raise RunError(Message("There is no close to decide on. Call fill() first."))
        first = int(self.memory.portfolio["next_order"])
        with np.errstate(all="ignore"):
            if self._deciders is not None:
                self._deciders.decide(self._row, self._equity, self.events(self.index))
                state = self.memory
                arrays = (state.portfolios, state.holdings, state.rules, state.market, state.timeline)
                hold_auction(*arrays, self._row)
                note_auction(state.portfolios, state.holdings, state.curve, self._row)
                if self.has_ended and self.index == len(self) - 1:
                    self._deciders.check_inputs()
            elif self._asks_for_decisions():
                self._run(DECISIONS)
            self._check_entries(first)
        if self.memory.portfolio["auction"]:
            self._equity = float(self.memory.curve[0, self._row])
            self._note_auction()
        self.index += 1
        self._decided = True

    def _asks_for_decisions(self) -> bool:
        if not self._is_quiet:
            return True
        holding = self.memory.holdings[0]
        bar = self.events(self.index)[0][1]
        lost = self._equity <= 0.0
        return bool(self.memory.market.flags[holding["start"] + bar] or bar == holding["last_bar"] or lost)

    def _note_close(self) -> None:
        """Record the results of the step at its close."""

    def _note_auction(self) -> None:
        """Record the results of the step again after orders have filled at the very close of their decision."""

    def _check_entries(self, first: int) -> None:
        """Check the entries numbered `first` and higher, which were just decided on."""

    def run_on(self, steps: int) -> int:
        """Run up to so many steps in the bar loop, and return how many were run.

        It stops early where tables had to be emptied. For jobs that consist only of rules and whose bars are all known.
        """
        state = self.memory
        target = min(self.index + steps, len(self))
        with np.errstate(all="ignore"):
            done = state.kernel(*state.arrays(), self.index, target, WHOLE)
        if done < target:
            state.harvest()
        before, self.index = self.index, done
        if done > 0:
            self._equity = float(state.curve[0, done - 1])
        return done - before

    # ------------------------------------------------------------------ what there is

    def events(self, step: int) -> list[tuple[int, int]]:
        """Return instrument and bar of everything that closes at a step, in file order."""
        return self.memory.events(step - int(self.memory.portfolio["first_step"]))

    def bars_before(self, step: int) -> int:
        """Return how many bars of all instruments close before a step."""
        first_event = self.memory.timeline.first_event
        return int(first_event[step]) if len(first_event) else step * len(self.memory.holdings)

    @property
    def bars_total(self) -> int:
        """How many bars of all instruments are known."""
        return int(self.memory.holdings["bars"].sum())

    def working_orders(self, instrument: int) -> Table:
        """Return a copy of the instrument's open orders (`ORDER_DTYPE`), by id."""
        holding = self.memory.holdings[instrument]
        orders: Table = holding["slots"][: holding["working"]].copy()
        return orders

    def ledger(self) -> Ledger:
        """Return the ledger up to now; orders still at work are among the orders."""
        return self.memory.ledger(self.index)

    def recorded(self) -> StepRecord | None:
        """Return what the steps that read the position gave; it grows with the run. None where there are none."""
        return record_of(self.memory.steps, self.memory.holdings)

    # ------------------------------------------------------------------ going back

    def snapshot(self) -> Snapshot:
        """Return the state after the steps done so far.

        Raises:
            RunError: the decisions of the last step have not been taken.
        """
        if not self._decided:
            raise RunError(Message("A snapshot is taken between two steps. Call decide() first."))
        states = {} if self._deciders is None else self._deciders.states()
        return snapshot_of(self.memory, self.job, self.index, states)

    def restore(self, snapshot: Snapshot) -> None:
        """Go back, or forward again, to a snapshot of this session.

        Raises:
            RunError: the snapshot is that of another job.
        """
        if snapshot.job is not self.job:
            raise RunError(
                Message("A snapshot can only be restored in its own job. Use take_over() for a changed one.")
            )
        if snapshot.index > 0:
            self._equity = float(self.memory.curve[0, snapshot.index - 1])
        else:
            self._equity = float(self.job.settings.cash)
        put_back(self.memory, snapshot)
        self._remember(snapshot.states)
        self.index = snapshot.index
        self._decided = True

    def take_over(self, other: Stepping) -> None:
        """Go on from where another session stands, with its books and open orders but the terms of this one's job.

        Both jobs have the same bars, and as many protective rules.

        Raises:
            RunError: the other one is within a step, or its strategy did not read of the position what this one does.
        """
        taken = other.snapshot()
        carry_over(self.memory, other.memory, taken.index)
        self._remember(taken.states)
        self.index, self._equity, self._decided = taken.index, other.equity, True

    def _remember(self, states: States) -> None:
        if self._deciders is not None:
            self._deciders.restore(states)
