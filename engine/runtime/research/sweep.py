"""Sweep: one strategy run for every combination of the values of one or two parameters.

Bars are loaded once. A column is computed once for all runs that share it: for example, that of a moving average whose
length doesn't vary. A combination that can't run (a parameter out of its range) is reported and skipped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from itertools import product

from quantcrafter.engine.api import DataProvider, DataRequest, QuantCrafterError, RunCancelledError, SpecError
from quantcrafter.engine.api.message import Message, joined
from quantcrafter.engine.data.load import LoadedBars, load_bars
from quantcrafter.engine.graph import BoundGraph
from quantcrafter.engine.runtime.running.load_graph import Installed
from quantcrafter.engine.runtime.running.memo import ColumnMemo
from quantcrafter.engine.runtime.running.prepare import Loader
from quantcrafter.engine.runtime.running.run import run
from quantcrafter.engine.stats.metrics import Value

Choice = float | int | str | bool


@dataclass(frozen=True, slots=True)
class Axis:
    """A parameter to vary, by its path such as `indicators.fast.timeperiod`, and its values in order."""

    path: str
    values: tuple[Choice, ...]

    def override(self, value: Choice) -> str:
        """Return the override that sets a value."""
        return f"{self.path}={json.dumps(value)}"


@dataclass(frozen=True, slots=True)
class SweepCell:
    """One combination: its values in the order of the axes, and all metrics, or why it could not run."""

    values: tuple[Choice, ...]
    metrics: Mapping[str, Value] | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Sweep:
    """A finished sweep: the axes, and a cell for every combination; the last axis runs fastest."""

    axes: tuple[Axis, ...]
    cells: tuple[SweepCell, ...]


def sweep(
    load: Callable[[tuple[str, ...]], BoundGraph],
    axes: tuple[Axis, ...],
    *,
    registry: Installed,
    loader: Loader = load_bars,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Sweep:
    """Run every combination; `load` returns the strategy's graph with overrides.

    Raises:
        RunCancelledError: the owner cancelled.
    """
    memo, bars = ColumnMemo(), LoadedOnce(loader)
    chosen = list(product(*(axis.values for axis in axes)))
    cells = []
    for done, values in enumerate(chosen):
        if cancelled():
            raise RunCancelledError(Message("The sweep was cancelled."))
        overrides = tuple(axis.override(value) for axis, value in zip(axes, values, strict=True))
        try:
            result = run(load(overrides), registry=registry, cancelled=cancelled, loader=bars, columns=memo.evaluate)
            cells.append(SweepCell(values, dict(result.metrics)))
        except RunCancelledError:
            raise
        except QuantCrafterError as error:
            cells.append(SweepCell(values, error=_reason(error)))
        progress(done + 1, len(chosen))
    return Sweep(axes, tuple(cells))


def _reason(error: QuantCrafterError) -> str:
    """Return the message of an error; for a strategy with several problems, the first."""
    first = error.problems[0] if isinstance(error, SpecError) and error.problems else None
    return str(error) if first is None else joined([first.message, first.remedy])


class LoadedOnce:
    """Loads bars once, even if their source changes meanwhile, so that all runs of a sweep use the same data."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        self._kept: dict[Hashable, LoadedBars] = {}

    def __call__(self, provider: DataProvider, request: DataRequest, *, on_bad_bars: str = "refuse") -> LoadedBars:
        key = (type(provider), provider.model_dump_json(), request, on_bad_bars)
        if key not in self._kept:
            self._kept[key] = self._loader(provider, request, on_bad_bars=on_bad_bars)
        return self._kept[key]
