"""Logging in with a browser: once, by the token; a session's cookie says who it is from then on."""

from __future__ import annotations

from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from quantcrafter.engine.server.access import COOKIE, SESSION_S
from quantcrafter.engine.server.audit import note_change
from quantcrafter.engine.server.services import Shared, WhoCalls
from quantcrafter.engine.server.templates import page

router = APIRouter(include_in_schema=False)


@router.get("/login", response_model=None)
async def login_page(request: Request, shared: Shared, token: str = "") -> Response:
    """Show the form, or log in with the token of the address."""
    if token:
        return await run_in_threadpool(_log_in, request, shared, token)
    return HTMLResponse(page("login.html", failed=False))


@router.post("/login", response_model=None)
async def login(request: Request, shared: Shared) -> Response:
    """Log in with the token of the form."""
    fields = parse_qs((await request.body()).decode("utf-8", "replace"))
    return await run_in_threadpool(_log_in, request, shared, fields.get("token", [""])[0].strip())


@router.get("/session")
def session(caller: WhoCalls) -> dict[str, str]:
    """Return who calls, and what a page of this session sends with each change in the header `X-CSRF-Token`."""
    named = {"user": caller.user.shown_name, "role": str(caller.user.role)}
    return {**named, "csrf_token": caller.form_token} if caller.by == "session" else named


@router.post("/logout", response_model=None)
def logout(shared: Shared, caller: WhoCalls) -> Response:
    """End the session of this browser."""
    shared.access.end(caller)
    answer = RedirectResponse("/login", status_code=303)
    answer.delete_cookie(COOKIE)
    return answer


def _log_in(request: Request, shared: Shared, token: str) -> Response:
    begun = shared.access.begin(token)
    address = request.client.host if request.client else "-"
    user = None if begun is None else begun[0]
    note_change(
        {
            "user": "-" if user is None else user.shown_name,
            "role": None if user is None else str(user.role),
            "address": address,
            "method": request.method,
            "path": "/login",
            "status": 401 if user is None else 303,
        }
    )
    if begun is None:
        return HTMLResponse(page("login.html", failed=True), 401)
    answer = RedirectResponse("/", status_code=303)
    answer.set_cookie(
        COOKIE, begun[1], max_age=int(SESSION_S), httponly=True, samesite="lax", secure=shared.settings.is_secure
    )
    return answer
