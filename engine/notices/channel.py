"""A channel: a thread that sends notices to one place, so that a slow or dead one holds up nothing else.

1. `put` adds a notice to those that wait, or counts it if the same one waits already. It never waits. Of more than
   `MOST_WAITING` different ones the least severe is left out, of these the oldest; how many were left out is told.
2. The thread sends all that wait as one message, at most so many messages a minute; alarms don't wait for messages
   without one. A notice that was sent lately waits, and is counted, until `repeat_s` have passed.
3. What could not be sent waits, with what has come meanwhile, and is tried again after longer and longer pauses.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

from quantcrafter.engine.api import RunError
from quantcrafter.engine.notices.notice import NoticeSeverity, OperatorNotice
from quantcrafter.engine.notices.sender import Sender

log = logging.getLogger("quantcrafter.notices")

MOST_WAITING = 200
"""How many different notices of a channel wait."""
MOST_CHARACTERS = 3_000
"""How long a message is: what the services take, in characters. What is longer goes on in the next one."""
_FIRST_PAUSE_S, _MOST_PAUSE_S = 1.0, 300.0
_MINUTE_S = 60.0


@dataclass(slots=True)
class _Waiting:
    count: int = 1
    due_s: float = 0.0


class Channel:
    """Sends the notices that are at least as severe as it is told.

    Args:
        name: what it is called in the status.
        least: the least severity that is sent.
        sender: sends a message.
        per_minute: how many messages with an alarm are sent in a minute at most, and how many without.
        repeat_s: how long a notice that was sent is not sent again, in seconds.
        title: what begins the title of each message.
    """

    def __init__(
        self,
        name: str,
        least: NoticeSeverity,
        sender: Sender,
        *,
        per_minute: int = 10,
        repeat_s: float = 600.0,
        title: str = "QuantCrafter",
    ) -> None:
        self.name, self._least, self._sender = name, least, sender
        self._per_minute, self._repeat_s, self._title = per_minute, repeat_s, title
        self._waiting: dict[OperatorNotice, _Waiting] = {}
        self._sent_s: dict[OperatorNotice, float] = {}
        self._messages_s: dict[bool, deque[float]] = {each: deque(maxlen=per_minute) for each in (False, True)}
        self._left_out = self._sent = self._failures = 0
        self._untold = 0
        self._error, self._sent_at = "", 0.0
        self._not_before_s = 0.0
        self._ends = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name=f"notices-{name}", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def put(self, notice: OperatorNotice, count: int = 1) -> None:
        """Have a notice sent that came so often, if it is severe enough.

        Never waits, and can be called in any thread.
        """
        if notice.severity.rank < self._least.rank:
            return
        with self._changed:
            known = self._waiting.get(notice)
            if known is not None:
                known.count += count
                return
            last_s = self._sent_s.get(notice)
            self._waiting[notice] = _Waiting(count, 0.0 if last_s is None else last_s + self._repeat_s)
            self._bound()
            self._changed.notify()

    def _bound(self) -> None:
        while len(self._waiting) > MOST_WAITING:
            least = min(self._waiting, key=lambda each: each.severity.rank)  # the oldest of the least severe
            count = self._waiting.pop(least).count
            self._left_out += count
            self._untold += count

    def status(self) -> dict[str, Any]:
        """Return what became of its notices, as plain values; equal ones are one. The address is not among them."""
        with self._changed:
            return {
                "state": "failing" if self._error else "ok",
                "error": self._error,
                "severity": str(self._least),
                "waiting": len(self._waiting),
                "sent": self._sent,
                "left_out": self._left_out,
                "failures": self._failures,
                "last_sent_at": self._sent_at or None,
            }

    def close(self, wait_s: float) -> None:
        """Send what waits, once more and for so long at most, and end."""
        with self._changed:
            self._ends = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(wait_s)

    # ------------------------------------------------------------------ the thread

    def _run(self) -> None:
        while True:
            with self._changed:
                pause_s = self._pause_s()
                while pause_s > 0.0 and not self._ends:
                    self._changed.wait(min(pause_s, _MINUTE_S))
                    pause_s = self._pause_s()
                taken, left_out = self._take()
                ends = self._ends
            if taken or left_out:
                self._deliver(taken, left_out)
            if ends and (self._error or not self._waiting):
                return

    def _pause_s(self) -> float:
        """Return how long it is until something may be sent, in seconds."""
        now_s = time.monotonic()
        if not self._waiting and not self._untold:
            return _MINUTE_S
        due_s = [max(waiting.due_s, self._free_s(notice.severity)) for notice, waiting in self._waiting.items()]
        if self._untold:
            due_s.append(self._free_s(NoticeSeverity.WARNING))
        return max(min(due_s), self._not_before_s) - now_s

    def _free_s(self, severity: NoticeSeverity) -> float:
        """Return when the limit allows a message of a severity."""
        sent_s = self._messages_s[severity is NoticeSeverity.ALARM]
        return sent_s[0] + _MINUTE_S if len(sent_s) == self._per_minute else 0.0

    def _take(self) -> tuple[dict[OperatorNotice, int], int]:
        """Take what is due out of what waits, the most severe first, as much as a message holds."""
        now_s, length = time.monotonic(), 0
        taken: dict[OperatorNotice, int] = {}
        for notice in sorted(self._waiting, key=lambda each: -each.severity.rank):
            due_s = max(self._waiting[notice].due_s, self._free_s(notice.severity) if not taken else 0.0)
            if due_s > now_s and not self._ends:
                continue
            length += len(notice.line()) + 20
            if taken and length > MOST_CHARACTERS:
                break
            taken[notice] = self._waiting.pop(notice).count
        left_out, self._untold = self._untold, 0
        return taken, left_out

    def _deliver(self, taken: dict[OperatorNotice, int], left_out: int) -> None:
        severity = max((each.severity for each in taken), key=lambda each: each.rank, default=NoticeSeverity.WARNING)
        lines = [notice.line(count)[:MOST_CHARACTERS] for notice, count in taken.items()]
        if left_out:
            lines.append(f"{left_out:,} more notices were left out: too many waited.")
        try:
            self._sender.send(f"{self._title}: {severity}", "\n".join(lines), severity)
        except RunError as error:
            self._give_back(taken, left_out, str(error))
            return
        now_s = time.monotonic()
        with self._changed:
            was_failing, self._error, self._not_before_s = bool(self._error), "", 0.0
            self._sent += len(taken)
            self._failures, self._sent_at = 0, time.time()
            self._messages_s[severity is NoticeSeverity.ALARM].append(now_s)
            self._sent_s = {each: at for each, at in self._sent_s.items() if at + self._repeat_s > now_s}
            self._sent_s |= dict.fromkeys(taken, now_s)
            for each in taken.keys() & self._waiting.keys():  # came again while it was being sent
                self._waiting[each].due_s = now_s + self._repeat_s
        if was_failing:
            log.info("The channel '%s' works again.", self.name)

    def _give_back(self, taken: dict[OperatorNotice, int], left_out: int, error: str) -> None:
        with self._changed:
            later = self._waiting
            self._waiting = {each: _Waiting(count) for each, count in taken.items()}
            for each, waiting in later.items():
                if each in self._waiting:
                    self._waiting[each].count += waiting.count
                else:
                    self._waiting[each] = waiting
            self._untold += left_out
            self._bound()
            self._failures += 1
            pause_s = min(_FIRST_PAUSE_S * 2.0 ** min(self._failures - 1, 30), _MOST_PAUSE_S)
            self._not_before_s = time.monotonic() + pause_s
            first, self._error = not self._error, error
        if first:
            log.warning("The channel '%s' can't send notices, which wait: %s", self.name, error)
