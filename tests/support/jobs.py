"""Builders of engine jobs from a few numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api.bars import Bars
from quantcrafter.engine.api.engine import EngineJob, Execution, InstrumentJob
from quantcrafter.engine.api.rules import ExecutionRule, GuardRule, OnOpposite, ProtectiveRule, SizeKind, SizeRule
from quantcrafter.engine.api.settings import RunSettings
from quantcrafter.engine.api.timeframe import Timeframe

DAY_NS = 86_400_000_000_000


def make_bars(
    rows: Sequence[Sequence[float]] | npt.NDArray[np.float64],
    symbol: str = "TEST",
    close_days: Sequence[int] | npt.NDArray[np.int64] | None = None,
    volume: float | npt.NDArray[np.float64] = 1000.0,
) -> Bars:
    """Return daily bars of rows (open, high, low, close); `close_days` are the days at whose end they close."""
    table = np.asarray(rows, np.float64)
    days = np.arange(len(table)) if close_days is None else np.asarray(close_days)
    open_, high, low, close = (np.ascontiguousarray(table[:, k]) for k in range(4))
    open_ns = days.astype(np.int64) * DAY_NS
    volumes = np.broadcast_to(np.asarray(volume, np.float64), len(table)).copy()
    return Bars(symbol, Timeframe(1, "d"), open_ns, open_ns + DAY_NS, open_, high, low, close, volumes)


@dataclass
class Setup:
    """A job in the making, with defaults: one instrument, 1 unit, ticks of 0.01, no costs.

    `more` are further fields of the `InstrumentJob`, such as `size_column`.
    """

    flags: dict[int, int] | Sequence[int] | np.ndarray = field(default_factory=dict)
    allowed: Sequence[bool] | None = None
    first_bar: int = 0
    tick_size: float = 0.01
    lot_size: float = 1.0
    rule_columns: tuple[Any, ...] | None = None
    execution_columns: dict[str, Any] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)


def instrument(bars: Bars, setup: Setup, rules: int = 0) -> InstrumentJob:
    """Return an instrument with its decision columns."""
    flags = np.zeros(len(bars), np.uint8)
    if isinstance(setup.flags, dict):
        for bar, value in setup.flags.items():
            flags[bar] = value
    else:
        flags[:] = setup.flags
    allowed = np.ones(len(bars), np.bool_) if setup.allowed is None else np.asarray(setup.allowed, np.bool_)
    columns = setup.rule_columns if setup.rule_columns is not None else (None,) * rules
    own = (bars.symbol, bars, setup.tick_size, setup.lot_size, flags, allowed, setup.first_bar, columns)
    return InstrumentJob(*own, execution_columns=setup.execution_columns, **setup.more)


def make_job(
    *instruments: tuple[Bars, Setup],
    size: SizeRule = SizeRule(SizeKind.QUANTITY, 1.0),  # noqa: B008 - frozen
    protection: tuple[ProtectiveRule, ...] = (),
    guards: tuple[GuardRule, ...] = (),
    on_opposite: OnOpposite = OnOpposite.CLOSE,
    settings: dict[str, Any] | None = None,
    execution: ExecutionRule | None = None,
    further: Sequence[Execution] = (),
    **hooks: Any,
) -> EngineJob:
    """Return a job; `settings` is the `run:` section of a file, `hooks` are `progress` and `cancelled`.

    `execution` wins over `on_opposite`. `further` are executions after it; their columns are in `Setup.more`.
    """
    return EngineJob(
        tuple(instrument(bars, setup, len(protection)) for bars, setup in instruments),
        (Execution(execution or ExecutionRule(on_opposite), size), *further),
        protection,
        RunSettings.model_validate(settings or {}),
        guards=guards,
        **hooks,
    )
