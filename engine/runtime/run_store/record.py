"""RunRecord: a run's row in the history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from quantcrafter.engine.runtime.results.run_view import RunView
from quantcrafter.engine.stats.metrics import Value


@dataclass(frozen=True)
class RunRecord:
    """The row of a run in the history, which is kept when the run's folder is deleted.

    `id` is empty until the record is kept, then the name of the run's folder; `started` is in UTC; `spec_text` is the
    strategy file as it was run and `spec_hash` the hash of what it does, without the layout. A pinned run is kept
    regardless of the disk space. `damage` describes the unreadable parts of its row.
    """

    strategy: str
    engine: str
    mode: str
    bars: int
    warmup: int
    symbols: tuple[str, ...]
    metrics: Mapping[str, Value]
    settings: Mapping[str, Any]
    timing: Mapping[str, float]
    file: str = ""
    spec_text: str = ""
    spec_hash: str = ""
    data_hash: str = ""
    synthetic: bool = False
    overrides: tuple[str, ...] = ()
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    id: str = ""
    pinned: bool = False
    damage: str = field(default="", compare=False)

    @classmethod
    def of(cls, run: RunView) -> RunRecord:
        """Return the record of a finished run."""
        return cls(
            strategy=run.strategy,
            engine=run.engine,
            mode=run.mode,
            bars=run.bars,
            warmup=run.warmup,
            symbols=run.symbols,
            metrics=dict(run.metrics),
            settings=run.settings.model_dump(mode="json"),
            timing=dict(run.timing),
            file=str(Path(run.file).absolute()) if run.file else "",
            spec_text=run.text,
            spec_hash=run.spec_hash,
            data_hash=run.data_hash,
            synthetic=run.synthetic,
            overrides=run.origin.overrides,
            started=run.started,
        )


def record_json(record: RunRecord) -> dict[str, Any]:
    """Return a run's row for JSON."""
    return {
        "id": record.id,
        "started": record.started.isoformat(),
        "pinned": record.pinned,
        "damage": record.damage or None,
        "strategy": record.strategy,
        "file": record.file,
        "engine": record.engine,
        "mode": record.mode,
        "symbols": list(record.symbols),
        "overrides": list(record.overrides),
        "bars": record.bars,
        "warmup": record.warmup,
        "synthetic": record.synthetic,
        "data_hash": record.data_hash,
        "spec_hash": record.spec_hash,
        "settings": dict(record.settings),
        "metrics": dict(record.metrics),
        "timing": dict(record.timing),
    }
