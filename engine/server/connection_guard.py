"""Closes connections that send no whole request, so that strangers can't hold them open."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

REQUEST_S = 10.0
"""How long a connection may take to send the head of a request."""
BODY_S = 60.0
"""How long it may take to send the body."""
MOST_SILENT = 256
"""How many connections may be without a request at once; of more, the oldest is closed."""
_LOOK_S = 1.0


class GuardedProtocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """The HTTP protocol of uvicorn, with limits for what comes before a whole request."""

    quiet_since_s: float

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Begin to watch a connection."""
        super().connection_made(transport)
        self.quiet_since_s = self.loop.time()
        silent = [each for each in self.connections if isinstance(each, GuardedProtocol) and each.cycle is None]
        if len(silent) > MOST_SILENT:
            min(silent, key=_age).transport.abort()
        self.loop.call_later(_LOOK_S, self._look)

    def _look(self) -> None:
        transport = self.transport
        if transport.is_closing() or transport.get_protocol() is not self:  # it has become a WebSocket
            return
        cycle: Any = self.cycle
        is_open = cycle is not None and not cycle.response_complete
        now = self.loop.time()
        if is_open and not cycle.more_body:
            self.quiet_since_s = now
        elif now - self.quiet_since_s > (BODY_S if is_open else REQUEST_S):
            transport.abort()
            return
        self.loop.call_later(_LOOK_S, self._look)


def _age(connection: GuardedProtocol) -> float:
    return float(connection.quiet_since_s)
