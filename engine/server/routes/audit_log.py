"""Who changed what."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from quantcrafter.engine.server.audit import changes
from quantcrafter.engine.server.services import WhoCalls
from quantcrafter.engine.server.workers import ForbiddenError

router = APIRouter(tags=["status"])


@router.get("/audit")
def audit(caller: WhoCalls, count: Annotated[int, Query(ge=0, le=10_000)] = 100) -> dict[str, Any]:
    """Return the last changes and logins, oldest first; only the owner of the data folder may read them."""
    if not caller.user.is_owner:
        raise ForbiddenError("Only the owner of the data folder may read the audit log.")
    return {"changes": changes(count)}
