"""What an account is asked for a comparison, all at one time; in a thread of its own where answers take long."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from quantcrafter.engine.api import BrokerConnection, VenueExecution, VenueOrder, VenuePosition


@dataclass(frozen=True, slots=True)
class AccountView:
    """Executions, open orders and positions of an account, asked one after the other."""

    executions: Sequence[VenueExecution]
    orders: Sequence[VenueOrder]
    positions: Sequence[VenuePosition]


def view_of(connection: BrokerConnection, since_ns: int) -> AccountView:
    """Ask an account, with its executions from a moment on (UTC ns).

    Raises:
        TryAgainError: it can't be asked now.
    """
    return AccountView(connection.executions(since_ns), connection.open_orders(), connection.positions())


class Asking:
    """Asks something in a thread, which ends with the answer.

    Args:
        ask: what is called there.
    """

    def __init__(self, ask: Callable[[], AccountView]) -> None:
        self._answer: queue.SimpleQueue[AccountView | Exception] = queue.SimpleQueue()
        self._ask = ask
        threading.Thread(target=self._run, name="account-view", daemon=True).start()

    def _run(self) -> None:
        try:
            self._answer.put(self._ask())
        except Exception as error:  # noqa: BLE001 - it is raised where the answer is taken
            self._answer.put(error)

    def answer(self) -> AccountView | None:
        """Return the answer once; None before it is there.

        Raises:
            Exception: what was raised when it was asked.
        """
        try:
            answer = self._answer.get_nowait()
        except queue.Empty:
            return None
        if isinstance(answer, Exception):
            raise answer
        return answer
