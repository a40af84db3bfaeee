"""Small strategies as running ones: their inputs, cores, workers, and what two of them have in common."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL
from typing import Any

import pytest

from quantcrafter.engine.api import Bars, BrokerState, FeedState, Ledger
from quantcrafter.engine.api.transaction import transaction
from quantcrafter.engine.brokers.paper import PaperBroker
from quantcrafter.engine.feeds.stored import StoredFeed
from quantcrafter.engine.graph import BoundGraph
from quantcrafter.engine.live import input_log
from quantcrafter.engine.live.anchoring import stored_market
from quantcrafter.engine.live.core import StrategyCore, Venue
from quantcrafter.engine.live.folding import core_of, fold
from quantcrafter.engine.live.input_log import InputLog
from quantcrafter.engine.live.inputs import (
    VERBS,
    Anchored,
    BarsClosed,
    BarsOverdue,
    ClockTick,
    LiveInput,
    LiveOutput,
    Reconciled,
    Report,
    Stopped,
    UserCommand,
)
from quantcrafter.engine.live.packed import pack_ledger, unpack_ledger
from quantcrafter.engine.live.session_worker import SessionWorker
from quantcrafter.engine.plugins import Registry, load_registry
from quantcrafter.engine.runtime.running.load_graph import load_text
from quantcrafter.engine.runtime.running.prepare import load_market
from quantcrafter.engine.runtime.running.run import run
from quantcrafter.engine.runtime.sessions.strategy_session import Host
from quantcrafter.engine.spec.identity import strategy_hash
from tests.support.bar_by_bar import moments
from tests.support.ledger_checks import assert_same_bits
from tests.support.outside_broker import OutsideBroker

STOPPED = """\
quantcrafter: 1
name: Small
instruments: [{symbol: ONE, data: synthetic, timeframe: 1d, bars: 160, seed: 3}]
indicators:
  fast: {use: ta.SMA, input: bars.close, timeperiod: 3}
  slow: {use: ta.SMA, input: bars.close, timeperiod: 8}
advisors: {cross: {use: crossover, fast: fast, slow: slow}}
risk:
  stop: {use: percent_stop, percent: 2}
  trail: {use: trailing_stop, percent: 3}
money: {size: {use: fixed_quantity, quantity: 10}}
execution: {entry: {use: market, signals: [cross], risk: [stop, trail], money: size}}
"""

PLAIN = STOPPED.replace("  trail: {use: trailing_stop, percent: 3}\n", "").replace(", trail", "")
"""The same without its trailing stop."""


@dataclass(frozen=True, repr=False)
class Case:
    """A strategy with the inputs of its stored bars."""

    graph: BoundGraph
    anchor: Anchored
    known: dict[str, Bars]
    bars: tuple[BarsClosed, ...]

    @classmethod
    def of(cls, text: str, registry: Registry | None = None) -> Case:
        """Return the case of a strategy's text."""
        graph = load_text(text, registry or load_registry())
        stored, market = stored_market(graph), load_market(graph, lambda *_: None, lambda: False)
        end_ns = -1 if stored.begin_ns is None else stored.begin_ns
        known = {
            name: bars.slice(0, int(bars.close_ns.searchsorted(end_ns, side="right")))
            for name, bars in stored.bars.items()
        }
        anchor = Anchored(0, max(0, end_ns), strategy_hash(graph.spec), 0, stored.terms)
        last = {name: int(bars.close_ns[-1]) for name, bars in stored.bars.items()}
        symbols = {each.spec.symbol for each in graph.instruments}
        given = tuple(
            BarsClosed(
                bars,
                max(bar.close_ns for bar in bars.values()),
                tuple(name for name, bar in bars.items() if name in symbols and bar.close_ns == last[name]),
            )
            for bars in moments(graph, market)
        )
        return cls(graph, anchor, known, given)

    def core(
        self,
        venue: Venue = "simulated",
        kept: str | None = None,
        known: dict[str, Bars] | None = None,
        *,
        holds_both: bool = True,
    ) -> Any:
        """Return a core that is open: new, or one that continues."""
        core = StrategyCore(self.graph, worker="w", venue=venue, holds_both=holds_both, host=Host())
        core.open(self.anchor, self.known if known is None else known, kept)
        return core


@dataclass(frozen=True)
class Taken:
    """What a core gave for inputs.

    `states[n]` is what it kept after n of them, with the bars known by then: after each eighth one. `end` is its last
    state.
    """

    inputs: tuple[LiveInput, ...]
    outputs: tuple[tuple[LiveOutput, ...], ...]
    states: dict[int, tuple[str, dict[str, Bars]]]
    end: str
    books: tuple[Ledger, ...]


def taken(case: Case, venue: Venue, seed: int, *, trouble: bool = False) -> Taken:
    """Let a core take the bars of a case, with other inputs between them, such as the reports of a broker.

    With `trouble` users command, connections are lost, bars are overdue and accounts disagree.
    """
    rng = random.Random(seed)  # noqa: S311 - cases of a test
    core, broker = case.core(venue), OutsideBroker(seed)
    inputs: list[LiveInput] = []
    outputs: list[tuple[LiveOutput, ...]] = []
    states = {0: (core.kept(), dict(case.known))}
    books: list[Ledger] = []

    def take(given: LiveInput) -> None:
        inputs.append(given)
        outcome = core.apply(len(inputs), given)
        outputs.append(outcome.outputs)
        broker.take(outcome.commands)
        if len(inputs) % 8 == 0:
            states[len(inputs)] = core.kept(), {name: core.session.bars(name) for name in core.session.names}
        books.append(core.take_books())

    if venue == "external":
        take(BrokerState("connected", case.anchor.ts_ns))
        take(Reconciled(case.anchor.ts_ns))
    for step in case.bars:
        if rng.random() < 0.1:
            take(ClockTick(step.ts_ns - 1))
        if trouble and rng.random() < 0.3:
            take(_trouble(rng, step.ts_ns))
        if venue == "external":
            broker.work()
            broker.trade({name: (bar.open, bar.high, bar.low, bar.close) for name, bar in step.bars.items()})
            for event in broker.reports():
                take(Report(event, step.ts_ns))
        take(step)
    return Taken(tuple(inputs), tuple(outputs), states, core.kept(), tuple(books))


def _trouble(rng: random.Random, ts_ns: int) -> LiveInput:
    """Return something that may change whether entries are allowed."""
    if rng.random() < 0.7:
        calm: tuple[LiveInput, ...] = (
            FeedState("connected", ts_ns),
            BarsOverdue((), ts_ns),
            BrokerState("connected", ts_ns),
            Reconciled(ts_ns),
        )
        return rng.choice([UserCommand("resume", ts_ns), *calm])
    troubles: list[LiveInput] = [
        *(UserCommand(verb, ts_ns, "test") for verb in VERBS),
        Stopped(ts_ns),
        FeedState("lost", ts_ns, "gone"),
        FeedState("connected", ts_ns),
        BarsOverdue(("ONE",), ts_ns),
        BarsOverdue((), ts_ns),
        BrokerState("lost", ts_ns, "gone"),
        BrokerState("connected", ts_ns),
        Reconciled(ts_ns),
        Reconciled(ts_ns, ("The broker has 3 ONE, the workers have 0.",), {"ONE": 3.0}),
    ]
    return rng.choice(troubles)


# ------------------------------------------------------------------------------------------------------------- workers


def worker_of(graph: BoundGraph, folder: Path, *, snapshot_steps: int = 25) -> SessionWorker:
    """Return a worker in paper mode on stored bars, which are brought as fast as they are used."""
    return SessionWorker(graph, StoredFeed(speed="max"), PaperBroker(), folder, snapshot_steps=snapshot_steps)


def abandon(worker: SessionWorker) -> None:
    """Leave a worker as the end of its process does: nothing more is written."""
    opened, worker._log = worker._log, None
    assert opened is not None
    opened.close()


def to_its_end(worker: SessionWorker) -> Ledger:
    """Start a worker, let it take all bars, and return its ledger; it is closed then."""
    worker.start()
    while not worker.has_ended:
        worker.step()
    ledger = worker.ledger()
    worker.close()
    return ledger


def assert_same_books(one: Ledger, other: Ledger) -> None:
    """Compare all values of two ledgers to the last bit, and not what lies between the fields of a row."""
    assert_same_bits(unpack_ledger(pack_ledger(one)), unpack_ledger(pack_ledger(other)))


def backtest_of(graph: BoundGraph, registry: Registry) -> Ledger:
    """Return the ledger of a backtest."""
    return run(graph, registry=registry).ledger


def contents(folder: Path) -> tuple[list[Any], list[Any], str]:
    """Return the inputs and outputs in a worker's log, and the state that they give."""
    with InputLog.read(folder / input_log.LOG) as opened:
        meta = opened.meta()
        core = core_of(load_text(meta["text"], load_registry(), base_dir=meta["base_dir"]), meta)
        fold(opened, core)
        return list(opened.inputs()), list(opened.outputs()), core.kept()


# --------------------------------------------------------------------------------------------------------------- kills

BOUNDARIES = ("before", "within", "after")


@contextmanager
def killed_at(commit: int, boundary: str, tell: Callable[[int, int], object]) -> Iterator[None]:
    """Kill this process at a commit of the log, by number: before it begins, before it commits, or after it.

    `tell` is given the number of each commit that was acknowledged, and that of the last input then.
    """
    original, count = transaction, 0

    @contextmanager
    def counted(connection: Any) -> Iterator[None]:
        nonlocal count
        count += 1
        if count == commit and boundary == "before":
            os.kill(os.getpid(), SIGKILL)
        with original(connection):
            yield
            if count == commit and boundary == "within":
                os.kill(os.getpid(), SIGKILL)
        if count == commit and boundary == "after":
            os.kill(os.getpid(), SIGKILL)
        tell(count, connection.execute("SELECT coalesce(max(seq), 0) FROM inputs").fetchone()[0])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(input_log, "transaction", counted)
        yield


def in_a_child(work: Callable[[Callable[[bytes], object]], None]) -> tuple[list[bytes], int]:
    """Run something in a child process; return the lines that it told, and how it ended: 0, or minus the signal."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(read)
            work(lambda line: os.write(write, line + b"\n"))
            code = 0
        finally:
            os._exit(code)
    os.close(write)
    with os.fdopen(read, "rb") as stream:
        lines = stream.read().splitlines()
    return lines, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
