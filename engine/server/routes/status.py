"""Whether the API and the orchestrator run, and what the workers do."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Response
from fastapi.responses import PlainTextResponse

from quantcrafter.engine.api.place import shown_text
from quantcrafter.engine.orchestrator.registry import registered_workers
from quantcrafter.engine.orchestrator.worker_log import LOG_FILE, last_lines
from quantcrafter.engine.server.line_sources import object_line
from quantcrafter.engine.server.metrics import CONTENT_TYPE, figures_text
from quantcrafter.engine.server.services import Base, Shared, WhoCalls

router = APIRouter(tags=["status"])

MOST_LINES = 10_000


@router.get("/health")
def health() -> dict[str, str]:
    """Say that the API runs; needs no token."""
    return {"status": "ok"}


@router.get("/status")
def status(shared: Shared, caller: WhoCalls, base: Base) -> dict[str, Any]:
    """Return the workers by key, as `quantcrafter status --json` does, and whether the orchestrator runs."""
    seen = shared.desk.seen()
    return {
        "workers": shared.desk.visible(caller.user, base),
        "base_url": base,
        "store": shared.strategies.problems(caller.user, seen.store),
        "orchestrator": {
            "running": seen.pid is not None or bool(seen.no_answer),
            "pid": seen.pid,
            "hosts": len(seen.hosts),
            "error": seen.no_answer or None,
        },
        "user": {"name": caller.user.shown_name, "role": str(caller.user.role)},
    }


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(shared: Shared, caller: WhoCalls, base: Base) -> Response:
    """Return figures of the workers for Prometheus."""
    if not shared.settings.figures:
        raise HTTPException(404, "The configuration switches figures off ('monitoring.enabled').")
    workers, is_running = shared.desk.visible(caller.user, base), shared.desk.seen().pid is not None
    return Response(figures_text(lambda: (workers, is_running)), media_type=CONTENT_TYPE)


@router.get("/workers")
def workers(shared: Shared, caller: WhoCalls, base: Base) -> dict[str, Any]:
    """Return the workers by key."""
    return {"workers": shared.desk.visible(caller.user, base)}


@router.get("/workers/{key}")
def worker(key: str, shared: Shared, caller: WhoCalls, base: Base) -> dict[str, Any]:
    """Return what is known of a worker."""
    shared.desk.check(caller.user, key)
    found = registered_workers().get(key)
    config: dict[str, Any] = {}
    if found is not None:
        config = {
            "feed": shown_text(found.config.feed),
            "broker": shown_text(found.config.broker),
            "overrides": list(found.config.overrides),
            "user_id": found.config.user_id,
            "wanted": found.wanted,
        }
    return {"key": key, **shared.desk.visible(caller.user, base)[key], **config}


@router.get("/workers/{key}/view")
def view(key: str, shared: Shared, caller: WhoCalls) -> dict[str, Any]:
    """Return a worker's chart, its last orders and trades, and why it did what at the last bars."""
    return shared.views.view(shared.desk.check(caller.user, key))


@router.get("/workers/{key}/logs")
def worker_logs(
    key: str, shared: Shared, caller: WhoCalls, tail: Annotated[int, Query(ge=0, le=MOST_LINES)] = 100
) -> dict[str, Any]:
    """Return the last lines of a worker's log; a WebSocket at the same path gets new ones too."""
    folder = shared.desk.check(caller.user, key)
    return {"lines": [json.loads(object_line(each)) for each in last_lines(folder / LOG_FILE, tail)]}
