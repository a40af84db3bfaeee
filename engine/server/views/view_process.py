"""The process in which views of workers are made: it runs the strategies' own code, and the API's process does not."""

from __future__ import annotations

import logging
import multiprocessing
import threading
import time
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quantcrafter.engine.api import QuantCrafterError, RunError
from quantcrafter.engine.live.input_log import LOG
from quantcrafter.engine.server.views.worker_view import worker_view

log = logging.getLogger("quantcrafter.api")

_LONGEST_S = 60.0
_FRESH_S = 2.0
_MOST_KEPT = 50


@dataclass(slots=True)
class _KeptView:
    at_s: float
    stamp: int
    future: Future[dict[str, Any]]


class ViewProcess:
    """Makes views of workers, one at a time, and keeps each for two seconds, or for as long as its log is the same."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self._kept: dict[Path, _KeptView] = {}
        self._lock = threading.Lock()

    def view(self, folder: Path) -> dict[str, Any]:
        """Return what the page of a worker shows; see `worker_view`.

        Raises:
            RunError: it can't be made, or takes too long.
            SpecError: the strategy can't run here.
        """
        try:
            return self._asked(folder).result(_LONGEST_S)
        except TimeoutError:
            self.close()
            raise RunError(f"The view of the worker '{folder.name}' takes too long.") from None
        except BrokenProcessPool:
            self.close()
            raise RunError(f"The view of the worker '{folder.name}' can't be made: its process has ended.") from None
        except QuantCrafterError:
            raise
        except Exception as error:
            log.exception("The view of the worker '%s' can't be made.", folder.name)
            raise RunError(f"The view of the worker '{folder.name}' can't be made; the API's log says why.") from error

    def _asked(self, folder: Path) -> Future[dict[str, Any]]:
        stamp = _stamp(folder)
        with self._lock:
            kept = self._kept.get(folder)
            if kept is not None and (kept.stamp == stamp or time.monotonic() - kept.at_s < _FRESH_S):
                return kept.future
            if self._pool is None:
                self._pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
            future = self._pool.submit(worker_view, str(folder))
            self._kept.pop(folder, None)
            self._kept[folder] = _KeptView(time.monotonic(), stamp, future)
            while len(self._kept) > _MOST_KEPT:
                self._kept.pop(next(iter(self._kept)))
            return future

    def close(self) -> None:
        """End the process."""
        with self._lock:
            pool, self._pool = self._pool, None
            self._kept.clear()
        if pool is None:
            return
        for process in list((pool._processes or {}).values()):  # noqa: SLF001 - it may hang, and has no other way
            process.kill()
        pool.shutdown(wait=True, cancel_futures=True)


def _stamp(folder: Path) -> int:
    stamps = [0]
    for name in (LOG, f"{LOG}-wal"):
        try:
            stamps.append((folder / name).stat().st_mtime_ns)
        except OSError:
            continue
    return max(stamps)
