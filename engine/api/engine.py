"""The contract between a prepared strategy and an engine that matches its orders."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from engine.api.bars import Bars
from engine.api.ledger import Ledger
from engine.api.ports import BoolColumn, FlagColumn, FloatColumn
from engine.api.rules import ExecutionRule, ProtectiveRule, SizeRule
from engine.api.settings import RunSettings


def _no_progress(done: int, total: int) -> None:
    """Ignore progress."""


def _never() -> bool:
    return False


@dataclass(frozen=True)
class InstrumentJob:
    """One instrument, ready for the decision stage; columns have shape (n,) of its own bars.

    `flags` are the combined signals, `allowed` whether the filters let entries pass, `first_bar` the first bar at
    which a decision may be taken, `rule_columns[i]` the column of the i-th protective rule or None,
    `execution_columns` those of the execution rule by the names in `EXECUTION_COLUMNS`.
    """

    symbol: str
    bars: Bars
    tick_size: float
    lot_size: float
    flags: FlagColumn
    allowed: BoolColumn
    first_bar: int
    rule_columns: tuple[FloatColumn | None, ...] = ()
    execution_columns: Mapping[str, FloatColumn] = field(default_factory=dict)


@dataclass(frozen=True)
class EngineJob:
    """All an engine needs to run the decision stage; instruments are in file order.

    `progress(done, total)` is called now and then with counts of bars; `cancelled()` is asked as often.
    """

    instruments: tuple[InstrumentJob, ...]
    execution: ExecutionRule
    size: SizeRule
    protection: tuple[ProtectiveRule, ...]
    settings: RunSettings
    progress: Callable[[int, int], None] = field(default=_no_progress)
    cancelled: Callable[[], bool] = field(default=_never)


class EngineAdapter(ABC):
    """An engine that can run a job. `modes` says in which ways it can run one."""

    name: ClassVar[str]
    modes: ClassVar[tuple[str, ...]] = ("backtest",)

    @abstractmethod
    def run(self, job: EngineJob) -> Ledger:
        """Match the job's orders and return the books.

        Raises:
            RunError: the engine cannot do what the job asks for.
            RunCancelledError: `job.cancelled()` returned True.
        """

    def is_ready(self) -> bool:
        """Return whether the engine can start at once, or must first compile itself for this machine."""
        return True
