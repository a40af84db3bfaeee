"""The paths of the first generation, with the same answers."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse

from quantcrafter.engine.orchestrator.worker_listing import is_alive
from quantcrafter.engine.server.routes.status import MOST_LINES, worker, worker_logs
from quantcrafter.engine.server.services import Base, Shared, WhoCalls

router = APIRouter(prefix="/api", tags=["first generation"])


@router.get("/status")
def status(shared: Shared, caller: WhoCalls, base: Base) -> dict[str, Any]:
    """Return what `MultiStrategyOrchestrator.get_status` returns."""
    workers = {key: _about(each) for key, each in shared.desk.visible(caller.user, base).items()}
    alive = sum(each["alive"] for each in workers.values())
    seen = shared.desk.seen()
    return {
        "total_workers": len(workers),
        "active_configs": sum(seen.wanted.get(key, False) for key in workers),
        "workers": workers,
        "lifecycle": {
            "active_workers": alive,
            "stopped_workers": len(workers) - alive,
            "auto_start": True,
            "auto_stop": True,
            "is_trading_time": alive > 0,
            "last_events": [each for each in seen.events if each["worker"] in workers],
        },
    }


@router.get("/workers")
def workers(shared: Shared, caller: WhoCalls, base: Base) -> dict[str, Any]:
    """Return the workers by key."""
    return {"workers": {key: _about(each) for key, each in shared.desk.visible(caller.user, base).items()}}


@router.get("/workers/{key}")
def one_worker(key: str, shared: Shared, caller: WhoCalls, base: Base) -> dict[str, Any]:
    """Return what is known of a worker."""
    return {**worker(key, shared, caller, base), **_about(shared.desk.visible(caller.user, base)[key])}


@router.get("/workers/{key}/logs")
def logs(
    key: str, shared: Shared, caller: WhoCalls, tail: Annotated[int, Query(ge=0, le=MOST_LINES)] = 100
) -> dict[str, Any]:
    """Return the last lines of a worker's log."""
    return worker_logs(key, shared, caller, tail)


@router.get("/workers/{key}/console", status_code=307)
def console(key: str, shared: Shared, caller: WhoCalls) -> RedirectResponse:
    """Lead to the page of a worker, with its log."""
    from urllib.parse import quote

    shared.desk.check(caller.user, key)
    return RedirectResponse(f"/view/workers/{quote(key, safe='')}")


def _about(worker: dict[str, Any]) -> dict[str, Any]:
    stats = {name: worker[name] for name in ("position", "pnl_today", "feed_age_s", "started_at")}
    return {
        "alive": is_alive(worker["state"]),
        "state": worker["state"],
        "symbol": worker["symbol"],
        "stats": stats,
        "error": worker["error"],
        "log_stream_url": worker["log_stream_url"],
    }
