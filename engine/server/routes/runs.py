"""Backtests: queue one, watch it, cancel it, and read its result."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field

from quantcrafter.engine.runtime.results.report_columns import report_data
from quantcrafter.engine.runtime.run_store.history import RunHistory
from quantcrafter.engine.runtime.run_store.record import record_json
from quantcrafter.engine.server.backtests.queue import QueuedRun, UnknownRunError
from quantcrafter.engine.server.backtests.run_process import AskedRun
from quantcrafter.engine.server.services import Services, Shared, WhoCalls, note_audit
from quantcrafter.engine.server.users import ApiUser
from quantcrafter.engine.stats.report import report_page

router = APIRouter(tags=["runs"])

_STORED = 50
_REPORT_POLICY = (
    "sandbox allow-scripts; default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "img-src data: blob:; frame-ancestors 'none'"
)


class BacktestRequest(BaseModel):
    """A backtest: the text of a strategy file, changes such as `run.cash=5000`, and the engine, if another one."""

    model_config = ConfigDict(extra="forbid")

    strategy: str = Field(min_length=1)
    overrides: list[Annotated[str, Field(max_length=1_000)]] = Field(default_factory=list, max_length=200)
    engine: str | None = Field(default=None, max_length=100)


@router.post("/runs", status_code=202)
def queue_run(body: BacktestRequest, request: Request, shared: Shared, caller: WhoCalls) -> dict[str, Any]:
    """Queue a backtest."""
    made = shared.runs.add(caller.user, AskedRun(body.strategy, tuple(body.overrides), body.engine))
    note_audit(request, run=made.key)
    return made.to_json()


@router.get("/runs")
def runs(shared: Shared, caller: WhoCalls) -> dict[str, Any]:
    """Return the queue, and for the owner the latest runs of the history."""
    stored = [record_json(each) for each in RunHistory().list(_STORED)] if caller.user.is_owner else []
    return {"queue": [each.to_json() for each in shared.runs.of(caller.user)], "stored": stored}


@router.get("/runs/{key}")
def run(key: str, shared: Shared, caller: WhoCalls) -> dict[str, Any]:
    """Return how far a run of the queue is, with its result once it is done; or a run of the history."""
    queued = _queued(shared, caller.user, key)
    run_id = _stored_id(caller.user, key, queued)
    found = {} if queued is None else queued.to_json()
    return {**found, "result": None if run_id is None else record_json(RunHistory().get(run_id))}


@router.delete("/runs/{key}")
def cancel(key: str, shared: Shared, caller: WhoCalls) -> dict[str, Any]:
    """Cancel a run of the queue."""
    return shared.runs.cancel(caller.user, key).to_json()


@router.get("/runs/{key}/report", response_class=HTMLResponse)
def report(key: str, shared: Shared, caller: WhoCalls) -> Response:
    """Return the report of a finished run, as a page of its own that reaches nothing."""
    run_id = _stored_id(caller.user, key, _queued(shared, caller.user, key))
    if run_id is None:
        raise UnknownRunError(f"The run '{key[:80]}' has no result yet.")
    page = report_page(report_data(RunHistory().open(run_id)))
    return HTMLResponse(page, headers={"content-security-policy": _REPORT_POLICY})


def _queued(shared: Services, user: ApiUser, key: str) -> QueuedRun | None:
    return next((each for each in shared.runs.of(user) if key in (each.key, each.run_id)), None)


def _stored_id(user: ApiUser, key: str, queued: QueuedRun | None) -> str | None:
    """Return the id in the history; None for a run of the queue without a result.

    Raises:
        UnknownRunError: there is no such run that the user sees.
    """
    if queued is not None:
        return queued.run_id
    known = [each.id for each in RunHistory().list(None)] if user.is_owner else []
    if key not in known:
        raise UnknownRunError(f"There is no run '{key[:80]}'.")
    return key
