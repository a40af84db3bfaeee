"""What is asked of workers: entries, orders, positions, start and stop."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from quantcrafter.engine.server.services import Shared, WhoCalls, note_audit

router = APIRouter(tags=["control"])


KillVerb = Literal["no-entries", "cancel", "flatten", "stop"]
"""No entries; cancel entry orders too; close positions too; or cancel, and end the worker."""


class KillRequest(BaseModel):
    """Which workers are to do what; all that the user sees if none are named."""

    model_config = ConfigDict(extra="forbid")

    verb: KillVerb
    workers: list[str] | None = Field(default=None, max_length=10_000)


class WorkerKill(BaseModel):
    """What a worker is to do."""

    model_config = ConfigDict(extra="forbid")

    verb: KillVerb


@router.post("/kill")
def kill(body: KillRequest, request: Request, shared: Shared, caller: WhoCalls) -> dict[str, Any]:
    """Use the kill switch. `answers` has for each worker why it has not done so, or nothing."""
    note_audit(request, verb=body.verb, workers=body.workers)
    return {"answers": shared.desk.command(caller.user, body.workers, body.verb)}


@router.post("/workers/{key}/kill")
def kill_worker(key: str, body: WorkerKill, request: Request, shared: Shared, caller: WhoCalls) -> dict[str, Any]:
    """Use the kill switch for one worker."""
    note_audit(request, verb=body.verb)
    return {"answers": shared.desk.command(caller.user, [key], body.verb)}


@router.post("/workers/{key}/pause")
def pause(key: str, shared: Shared, caller: WhoCalls) -> dict[str, Any]:
    """Let a worker enter no positions until `resume`; exits go on."""
    return {"answers": shared.desk.command(caller.user, [key], "pause")}


@router.post("/workers/{key}/resume")
def resume(key: str, shared: Shared, caller: WhoCalls) -> dict[str, Any]:
    """Let a worker enter positions again."""
    return {"answers": shared.desk.command(caller.user, [key], "resume")}


@router.post("/workers/{key}/stop")
def stop(key: str, shared: Shared, caller: WhoCalls) -> dict[str, Any]:
    """Stop a worker; its orders and positions stay as they are."""
    shared.desk.stop(caller.user, key)
    return {"answers": {key: ""}}


@router.post("/workers/{key}/start")
def start(key: str, shared: Shared, caller: WhoCalls) -> dict[str, Any]:
    """Start a worker that was stopped; not one that trades real money."""
    shared.desk.start(caller.user, key)
    return {"answers": {key: ""}}
