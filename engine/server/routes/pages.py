"""The web page: workers, one worker, runs, and the page of the API."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from functools import cache
from importlib import resources
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response, StreamingResponse
from starlette.concurrency import run_in_threadpool

from quantcrafter.engine.api import QuantCrafterError
from quantcrafter.engine.orchestrator.worker_listing import is_alive
from quantcrafter.engine.runtime.run_store.history import RunHistory
from quantcrafter.engine.server.access import Caller
from quantcrafter.engine.server.services import Base, Services, Shared, WhoCalls
from quantcrafter.engine.server.templates import page

router = APIRouter(include_in_schema=False)

_ASSETS = {"page.css": "text/css", "page.js": "text/javascript", "worker.js": "text/javascript"}
_PLOTLY = "plotly.js"
_EVERY_S, _BEAT_S = 1.0, 3.0
_RUNS = 50
_SHOWN = ("state", "mode", "strategy", "symbol", "strategy_hash", "position", "pnl_today", "feed_age_s", "error")


@router.get("/")
def index(shared: Shared, caller: WhoCalls, base: Base) -> HTMLResponse:
    """Show all workers, live ones apart from the others."""
    workers, seen = _shown(shared, caller, base), shared.desk.seen()
    return _page(
        "workers.html",
        caller,
        workers=workers,
        modes=_modes(workers),
        running=seen.pid is not None,
        no_answer=seen.no_answer,
        store=shared.strategies.problems(caller.user, seen.store),
    )


@router.get("/view/workers/{key}")
def worker(key: str, shared: Shared, caller: WhoCalls, base: Base) -> HTMLResponse:
    """Show a worker."""
    shared.desk.check(caller.user, key)
    return _page("worker.html", caller, key=key, worker=_shown(shared, caller, base)[key])


@router.get("/view/runs")
def runs(shared: Shared, caller: WhoCalls) -> HTMLResponse:
    """Show the queue and the latest runs."""
    stored = RunHistory().list(_RUNS) if caller.user.is_owner else []
    queued = [each.to_json() for each in reversed(shared.runs.of(caller.user))]
    return _page("runs.html", caller, queued=queued, stored=stored)


@router.get("/docs")
def api_page(request: Request) -> HTMLResponse:
    """Show the requests of the API, as its schema has them."""
    caller = request.state.caller
    return _page("docs.html", caller, schema=request.app.openapi())


@router.get("/assets/{name}")
def asset(name: str) -> Response:
    """Return a style sheet or script of the pages."""
    headers = {"cache-control": "private, max-age=3600"}
    if name == _PLOTLY:
        return Response(_plotly(), media_type="text/javascript", headers=headers)
    if name not in _ASSETS:
        return Response(status_code=404)
    text = resources.files("quantcrafter.engine.server.templates").joinpath(name).read_text(encoding="utf-8")
    return Response(text, media_type=_ASSETS[name], headers=headers)


@router.get("/stream")
async def stream(request: Request, shared: Shared, caller: WhoCalls, base: Base) -> StreamingResponse:
    """Send what the pages show of all workers, when it has changed, as server-sent events; `beat` in between."""

    async def events() -> AsyncIterator[str]:
        before, sent_s = "", time.monotonic()
        while not await request.is_disconnected():
            try:
                now = json.dumps(await run_in_threadpool(_shown, shared, caller, base))
            except QuantCrafterError as error:
                now = json.dumps({"error": str(error)})
            if now != before:
                yield f"data: {now}\n\n"
                before, sent_s = now, time.monotonic()
            elif time.monotonic() - sent_s >= _BEAT_S:
                yield "event: beat\ndata: {}\n\n"
                sent_s = time.monotonic()
            await asyncio.sleep(_EVERY_S)

    return StreamingResponse(events(), media_type="text/event-stream")


def _page(name: str, caller: Caller | None, **values: Any) -> HTMLResponse:
    user = None if caller is None else {"name": caller.user.shown_name, "may_act": caller.user.may_act}
    token = caller.form_token if caller is not None and caller.by == "session" else ""
    return HTMLResponse(page(name, user=user, csrf_token=token, **values))


def _shown(shared: Services, caller: Caller, base: str) -> dict[str, dict[str, Any]]:
    found = shared.desk.visible(caller.user, base)
    return {
        key: {**{name: each[name] for name in _SHOWN}, "alive": is_alive(each["state"])} for key, each in found.items()
    }


def _modes(workers: dict[str, dict[str, Any]]) -> list[str]:
    """Return the modes of the workers, real money first."""
    return sorted(
        {str(each["mode"] or "unknown") for each in workers.values()}, key=lambda mode: (mode != "live", mode)
    )


@cache
def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())
