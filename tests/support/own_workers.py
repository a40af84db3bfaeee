"""Workers as users write them: subclasses of StrategyWorker, or classes around engines of their own."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

from quantcrafter.engine.live.worker import StrategyWorker, WorkerState


class CountingWorker(StrategyWorker):
    """Counts until it is stopped, and goes on from what it kept in the folder that `place` names."""

    def __init__(
        self, symbol: str, strategy_key: str, user_id: str | None = None, *, place: str, fail: bool = False
    ) -> None:
        super().__init__(symbol, strategy_key, user_id, place=place)
        self.count, self.fail = 0, fail

    @property
    def _file(self) -> Path:
        return Path(self.params["place"]) / f"{self.key}.json"

    def run(self) -> None:
        self._state = WorkerState.RUNNING
        while not self._stop_event.wait(0.01):
            self.count += 1
            if self.fail and self.count > 5:
                raise ValueError("it counts too far")
        self._state = WorkerState.STOPPED

    def get_stats(self) -> dict[str, Any]:
        return {"count": self.count, "odd": {1}, "never": float("nan")}

    def get_position(self) -> float:
        return 7.0

    def save_state(self) -> None:
        self._file.write_text(json.dumps(self.count), encoding="utf-8")

    def load_state(self) -> None:
        if self._file.exists():
            self.count = json.loads(self._file.read_text(encoding="utf-8"))


class PlainEngine:
    """Not a subclass: it has `run`, `stop` and `get_stats`."""

    def __init__(self, symbol: str, strategy_key: str, user_id: str | None = None) -> None:
        self.about = (symbol, strategy_key, user_id)
        self._stop_event = threading.Event()

    def run(self) -> None:
        print(f"{self.about[0]} runs")  # noqa: T201 - it is shown in the log
        self._stop_event.wait()

    def stop(self) -> None:
        self._stop_event.set()

    def get_stats(self) -> dict[str, Any]:
        return {"about": self.about}
