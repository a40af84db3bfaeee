"""Two runs side by side: metrics, settings, trades, and the lines of the file that changed."""

from __future__ import annotations

import difflib
import math
from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

from quantcrafter.engine.api import RunError
from quantcrafter.engine.runtime.results.run_view import RunView
from quantcrafter.engine.stats.metric_catalog import shown_groups
from quantcrafter.engine.stats.metrics import METRICS, Metric, Value
from quantcrafter.engine.stats.tables import Row, Table

_SAME_WITHIN = 1e-9
_TRADE_FIELDS = ("quantity", "entry_price", "exit_ts_ns", "exit_price", "pnl", "commission", "exit_reason")


COMPARED = (
    "strategy",
    "file",
    "what the file does",
    "overrides",
    "instruments",
    "data",
    "synthetic data",
    "engine",
    "mode",
    "bars",
    "warm-up",
)
"""Properties that are compared in addition to metrics, trades and settings."""


@dataclass(frozen=True, slots=True)
class MetricChange:
    """A metric of both runs; `verdict` says the result of it in the second, where a direction counts as better."""

    metric: Metric
    a: Value
    b: Value

    @property
    def delta(self) -> Value:
        """The second minus the first; None where either is undefined."""
        return None if self.a is None or self.b is None else self.b - self.a

    @property
    def verdict(self) -> Literal["same", "changed", "better", "worse"]:
        """Whether the second run is better in this."""
        if self.a is None or self.b is None:
            return "same" if self.a == self.b else "changed"
        if _same(self.a, self.b):
            return "same"
        if self.metric.better == "none":
            return "changed"
        return "better" if (self.b > self.a) == (self.metric.better == "high") else "worse"


@dataclass(frozen=True, slots=True)
class SettingDifference:
    """Another difference between the runs, such as the data or a setting."""

    what: str
    a: str
    b: str


@dataclass(frozen=True, slots=True)
class TradeChange:
    """A trade with the same instrument, side and entry time in both runs that went on differently in `fields`."""

    a: Row
    b: Row
    fields: tuple[str, ...]


@dataclass(frozen=True)
class RunComparison:
    """The differences of run `b` from run `a`.

    `added` and `removed` are trades of one run alone; trades are None where those of a run are not kept.
    `file_diff` holds unified diff lines of the strategy file, empty when it is the same.
    """

    a: RunView
    b: RunView
    metrics: tuple[MetricChange, ...]
    differences: tuple[SettingDifference, ...]
    added: tuple[Row, ...] | None
    removed: tuple[Row, ...] | None
    changed: tuple[TradeChange, ...] | None
    file_diff: tuple[str, ...]

    @property
    def shown_metrics(self) -> tuple[MetricChange, ...]:
        """The metrics to show: without those of a benchmark where neither run has one."""
        groups = shown_groups({**self.b.metrics, **{key: value for key, value in self.a.metrics.items() if value}})
        return tuple(each for each in self.metrics if each.metric.group in groups)

    @property
    def same_trades(self) -> bool:
        """Whether both runs are known to have made exactly the same trades."""
        return self.added == () and self.removed == () and self.changed == ()


def compare_runs(a: RunView, b: RunView) -> RunComparison:
    """Return what changed from run `a` to run `b`.

    Raises:
        RunError: what is kept of one is damaged.
    """
    added: tuple[Row, ...] | None = None
    removed: tuple[Row, ...] | None = None
    changed: tuple[TradeChange, ...] | None = None
    if a.kept != "figures" and b.kept != "figures":
        added, removed, changed = _compare_trades(a.trades, b.trades)
    return RunComparison(
        a=a,
        b=b,
        metrics=tuple(MetricChange(each, a.metrics.get(each.key), b.metrics.get(each.key)) for each in METRICS),
        differences=_differences(a, b),
        added=added,
        removed=removed,
        changed=changed,
        file_diff=_file_diff(a, b),
    )


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=_SAME_WITHIN, abs_tol=_SAME_WITHIN)
    return bool(a == b)


def _by_entry(trades: Table) -> dict[tuple[Any, ...], Row]:
    """Return the trades by instrument, side, entry time, and number among those of the same entry."""
    seen: Counter[tuple[Any, ...]] = Counter()
    found: dict[tuple[Any, ...], Row] = {}
    for row in trades:
        entry = (row["instrument"], row["side"], row["entry_ts_ns"])
        found[*entry, seen[entry]] = row
        seen[entry] += 1
    return found


def _compare_trades(a: Table, b: Table) -> tuple[tuple[Row, ...], tuple[Row, ...], tuple[TradeChange, ...]]:
    first, second = _by_entry(a), _by_entry(b)
    changes = []
    for key, row in first.items():
        other = second.get(key)
        if other is not None:
            fields = tuple(name for name in _TRADE_FIELDS if not _same(row[name], other[name]))
            changes += [TradeChange(row, other, fields)] if fields else []
    added = tuple(row for key, row in second.items() if key not in first)
    removed = tuple(row for key, row in first.items() if key not in second)
    return added, removed, tuple(changes)


def _differences(a: RunView, b: RunView) -> tuple[SettingDifference, ...]:
    values = [
        (a.strategy, b.strategy),
        (a.file, b.file),
        (a.spec_hash[:12], b.spec_hash[:12]),
        (", ".join(a.origin.overrides), ", ".join(b.origin.overrides)),
        (", ".join(a.symbols), ", ".join(b.symbols)),
        (a.data_hash[:12], b.data_hash[:12]),
        ("yes" if a.synthetic else "no", "yes" if b.synthetic else "no"),
        (a.engine, b.engine),
        (a.mode, b.mode),
        (str(a.bars), str(b.bars)),
        (str(a.warmup), str(b.warmup)),
    ]
    pairs = [(what, *each) for what, each in zip(COMPARED, values, strict=True)]
    first, second = _settings(a), _settings(b)
    names = [name for name in {**first, **second} if name not in ("run.engine", "run.mode")]
    pairs += [(name, first.get(name, ""), second.get(name, "")) for name in names]
    return tuple(SettingDifference(*pair) for pair in pairs if pair[1] != pair[2])


def _settings(run: RunView) -> dict[str, str]:
    """Return a run's settings as text by name; none where a version wrote them that knew others."""
    try:
        return _flat(run.settings.model_dump(mode="json"))
    except RunError:
        return {}


def _flat(settings: Any, prefix: str = "run") -> dict[str, str]:
    if not isinstance(settings, dict):
        return {prefix: str(settings)}
    return {key: text for name, value in settings.items() for key, text in _flat(value, f"{prefix}.{name}").items()}


def _file_diff(a: RunView, b: RunView) -> tuple[str, ...]:
    names = [f"{run.file or 'strategy'} ({run.id})" if run.id else run.file for run in (a, b)]
    before, after = a.text.splitlines(), b.text.splitlines()
    return tuple(difflib.unified_diff(before, after, names[0], names[1], n=1, lineterm=""))
