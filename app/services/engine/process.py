"""EngineProcess: one spawned process, its two pipes, and the threads that serve them."""

from __future__ import annotations

import logging
import threading
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

    from quantcrafter.engine.runtime.compute_process.job_messages import Order

log = logging.getLogger(__name__)

END_S = 3.0


class EngineProcess(QObject):
    """Starts an engine process and talks to it; neither starting nor sending holds up the UI thread.

    The Qt signal `arrived` carries each batch of events, `ended` the exit code once the process is gone (negative: a
    signal's number; None: it could not be started).
    """

    arrived = Signal(object)
    ended = Signal(object)

    def __init__(self, parent: QObject | None = None, *, compiles: bool = True) -> None:
        super().__init__(parent)
        self._compiles = compiles
        self._orders: SimpleQueue[Order | None] = SimpleQueue()
        self._process: SpawnProcess | None = None
        self._killed = False
        self._thread = threading.Thread(target=self._live, name="engine-process", daemon=True)

    @property
    def pid(self) -> int | None:
        """The process' number, None before it is started."""
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """Start the process, in a thread."""
        self._thread.start()

    def send(self, order: Order) -> None:
        """Send an order, in a thread; one that comes too early waits."""
        self._orders.put(order)

    def kill(self) -> None:
        """End the process at once, whatever it is doing."""
        self._killed = True
        if self._process is not None:
            self._process.kill()

    def close(self) -> None:
        """End the process and the threads; no Qt signal comes any more."""
        self.blockSignals(True)
        self.kill()
        if self._thread.is_alive():
            self._thread.join(END_S)

    # ------------------------------------------------------------------ in threads

    def _live(self) -> None:
        """Start the process and pass its events on until it ends."""
        code = None
        try:
            events = self._start()
        except (OSError, RuntimeError, ValueError):
            log.exception("The engine process cannot be started")
        else:
            self._read(events)
            code = self._wait_for_end()
        self._orders.put(None)
        self.ended.emit(code)

    def _start(self) -> Connection:
        from multiprocessing import get_context

        from quantcrafter.engine.runtime.compute_process.service import serve

        context = get_context("spawn")
        orders, our_orders = context.Pipe(duplex=False)
        our_events, events = context.Pipe(duplex=False)
        process = context.Process(
            target=serve,
            args=(orders, events),
            kwargs={"compiles": self._compiles},
            name="quantcrafter-engine",
            daemon=True,
        )
        process.start()
        self._process = process
        if self._killed:  # before there was anything to kill
            process.kill()
        log.info("engine process %s started", process.pid)
        orders.close()  # the process has these ends; with ours open its death would go unnoticed
        events.close()
        threading.Thread(target=_write, args=(self._orders, our_orders), name="engine-orders", daemon=True).start()
        return our_events

    def _read(self, events: Connection) -> None:
        with events:
            while True:
                try:
                    batch = events.recv()
                except (EOFError, OSError):
                    return
                except Exception:
                    log.exception("The engine process sent what cannot be read")
                    self.kill()
                    return
                self.arrived.emit(batch)

    def _wait_for_end(self) -> int | None:
        process = self._process
        if process is None:
            return None
        process.join(END_S)
        if process.exitcode is None:  # it closed its pipe and lives on
            process.kill()
            process.join()
        log.info("engine process %s ended with %s", process.pid, process.exitcode)
        return process.exitcode


def _write(orders: SimpleQueue[Order | None], pipe: Connection) -> None:
    """Send orders until there are no more; then close the pipe, by which the process ends if it still lives."""
    with pipe:
        while (order := orders.get()) is not None:
            try:
                pipe.send(order)
            except OSError:
                return
