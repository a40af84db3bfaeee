"""NoticeTray: a host's notices on their way to the supervisor, the same ones counted, so that many cost little."""

from __future__ import annotations

import time
from collections.abc import Callable

from quantcrafter.engine.live.inputs import LiveOutput
from quantcrafter.engine.notices.notice import NoticeSeverity
from quantcrafter.engine.orchestrator.host_messages import WorkerNotices
from quantcrafter.engine.orchestrator.told import log_output

EVERY_S = 0.5
MOST = 100
"""How many different notices of a host are passed on at once; of further ones only how many they are."""
_SEVERITIES = {
    "notice": NoticeSeverity.INFO,
    "info": NoticeSeverity.INFO,
    "failure": NoticeSeverity.WARNING,
    "warning": NoticeSeverity.WARNING,
    "refused": NoticeSeverity.WARNING,
    "alarm": NoticeSeverity.ALARM,
}
"""By the level of a notice among a worker's outputs; `notice` and `failure` are those of a strategy's nodes."""


class NoticeTray:
    """Collects the notices of the workers of a host.

    Args:
        say: tells the supervisor something.
    """

    def __init__(self, say: Callable[[WorkerNotices], object]) -> None:
        self._say = say
        self._found: dict[tuple[str, NoticeSeverity, str], int] = {}
        self._more: dict[tuple[str, NoticeSeverity], int] = {}
        self._passed_s = 0.0

    def listener(self, key: str) -> Callable[[LiveOutput], None]:
        """Return what is told the outputs of a worker: it logs them, and takes the notices among them."""

        def take(output: LiveOutput) -> None:
            log_output(output)
            if output.kind == "notice":
                self._take(key, output)

        return take

    def _take(self, key: str, output: LiveOutput) -> None:
        severity = _SEVERITIES.get(str(output.body.get("level")), NoticeSeverity.INFO)
        symbol, node = output.body.get("symbol"), output.body.get("node")
        text = str(output.body.get("text", ""))
        if node:
            text = f"{node}{f' ({symbol})' if symbol else ''}: {text}"
        found = (key, severity, text)
        if found in self._found or len(self._found) < MOST:
            self._found[found] = self._found.get(found, 0) + 1
        else:
            self._more[key, severity] = self._more.get((key, severity), 0) + 1

    def pass_on(self, *, now: bool = False) -> None:
        """Pass on what was collected, if it is time."""
        if not (self._found or self._more) or (not now and time.monotonic() - self._passed_s < EVERY_S):
            return
        self._passed_s = time.monotonic()
        found, more, self._found, self._more = self._found, self._more, {}, {}
        for (key, severity, text), count in found.items():
            self._say(WorkerNotices(key, str(severity), text, count))
        for (key, severity), count in more.items():
            self._say(WorkerNotices(key, str(severity), "further notices; see its log", count))
