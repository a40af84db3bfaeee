"""The strategy store: its rows, and their changes."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from quantcrafter.engine.server.services import Services, Shared, WhoCalls, note_audit
from quantcrafter.engine.server.strategy_desk import shown_entry
from quantcrafter.engine.store.rows import StrategyRow

router = APIRouter(tags=["store"])


@router.get("/store")
def store(shared: Shared, caller: WhoCalls) -> dict[str, Any]:
    """Return the rows of the store, with the problems of those that are no strategies."""
    problems, rows = _problems(shared), shared.strategies.visible(caller.user)
    return {
        "place": shared.strategies.store().place,
        "strategies": [shown_entry(each, problems.get(each.key, "")) for each in rows],
    }


@router.get("/store/{key}")
def strategy(key: str, shared: Shared, caller: WhoCalls) -> dict[str, Any]:
    """Return a row."""
    return shown_entry(shared.strategies.get(caller.user, key), _problems(shared).get(key, ""))


def _problems(shared: Services) -> dict[str, str]:
    """Return what the orchestrator says of rows that don't run, by key."""
    return dict((shared.desk.seen().store or {}).get("problems", {}))


@router.put("/store")
def put(body: StrategyRow, request: Request, shared: Shared, caller: WhoCalls) -> dict[str, Any]:
    """Add a row, or replace the one with its symbol, strategy key and user."""
    note_audit(request, strategy=body.key)
    shared.strategies.put(caller.user, body)
    return shown_entry(shared.strategies.get(caller.user, body.key))


@router.post("/store/push")
def push(body: dict[str, Any], request: Request, shared: Shared, caller: WhoCalls) -> dict[str, Any]:
    """Take a strategy with the files that it refers to, as `quantcrafter store push` sends it."""
    received = shared.strategies.push(caller.user, body)
    note_audit(request, strategy=received.key, files=received.files)
    return {"key": received.key, "files": received.files}


@router.post("/store/{key}/enable")
def enable(key: str, shared: Shared, caller: WhoCalls) -> dict[str, Any]:
    """Let a row run."""
    shared.strategies.get(caller.user, key)
    shared.strategies.store().enable(key)
    return shown_entry(shared.strategies.get(caller.user, key))


@router.post("/store/{key}/disable")
def disable(key: str, shared: Shared, caller: WhoCalls) -> dict[str, Any]:
    """Let a row run no more; orders and positions stay as they are."""
    shared.strategies.get(caller.user, key)
    shared.strategies.store().disable(key)
    return shown_entry(shared.strategies.get(caller.user, key))


@router.delete("/store/{key}")
def remove(key: str, request: Request, shared: Shared, caller: WhoCalls, *, flatten: bool = False) -> dict[str, Any]:
    """Remove a row; `flatten` closes its position first."""
    note_audit(request, flatten=flatten)
    shared.strategies.get(caller.user, key)
    shared.strategies.store().remove(key, flatten=flatten)
    return {"removed": key}
