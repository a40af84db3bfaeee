"""A job's context without a process: for tests that call a job's function themselves."""

from __future__ import annotations

from collections.abc import Callable, Hashable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from quantcrafter.engine.runtime.compute_process.jobs import LogLine


@dataclass
class DirectContext:
    """Keeps what a job tells; `stop` is asked whether the job is cancelled."""

    stop: Callable[[], bool] = lambda: False
    memory: MutableMapping[Hashable, Any] = field(default_factory=dict)
    told: list[tuple[str, int, int]] = field(default_factory=list)
    lines: list[LogLine] = field(default_factory=list)

    def progress(self, stage: str, done: int, total: int) -> None:
        self.told.append((stage, done, total))

    def log(self, line: LogLine) -> None:
        self.lines.append(line)

    def cancelled(self) -> bool:
        return self.stop()
