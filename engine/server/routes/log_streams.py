"""Logs and events of workers as they come, by WebSocket: one JSON object a message."""

from __future__ import annotations

import asyncio
import contextlib

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from starlette.concurrency import run_in_threadpool

from quantcrafter.engine.api import QuantCrafterError
from quantcrafter.engine.server.services import caller_of, services_of
from quantcrafter.engine.server.streams import TAIL, LineHub

router = APIRouter()

_REFUSED = 1008


@router.websocket("/workers/{key}/logs")
async def logs(socket: WebSocket, key: str) -> None:
    """Send the last lines of a worker's log, then new ones."""
    await _stream(socket, services_of(socket).logs, key)


@router.websocket("/workers/{key}/events")
async def events(socket: WebSocket, key: str) -> None:
    """Send the last events of a worker, then new ones."""
    await _stream(socket, services_of(socket).events, key)


async def _stream(socket: WebSocket, hub: LineHub, key: str) -> None:
    try:
        await run_in_threadpool(services_of(socket).desk.check, caller_of(socket).user, key)
    except QuantCrafterError as error:
        await socket.close(_REFUSED, str(error)[:100])
        return
    await socket.accept()
    sending = asyncio.create_task(_send(socket, hub, key))
    try:
        while True:  # what a reader says is of no interest, but its end is
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
    finally:
        sending.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sending


async def _send(socket: WebSocket, hub: LineHub, key: str) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # the reader has gone
        async with contextlib.aclosing(hub.follow(key, tail=TAIL)) as batches:
            async for skipped, lines in batches:
                if skipped:
                    await socket.send_json({"type": "skipped", "lines": skipped})
                for line in lines:
                    await socket.send_text(line)
