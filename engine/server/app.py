"""The application: what the API answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from quantcrafter.engine.api import QuantCrafterError
from quantcrafter.engine.server.access import Access
from quantcrafter.engine.server.gate import ApiGate
from quantcrafter.engine.server.routes import (
    audit_log,
    first_generation,
    log_streams,
    login,
    pages,
    runs,
    status,
    strategies,
    worker_actions,
)
from quantcrafter.engine.server.services import Services
from quantcrafter.engine.server.settings import ApiSettings

_STATUS = {
    "unknown_worker": 404,
    "forbidden": 403,
    "not_running": 409,
    "store": 503,
    "unknown_run": 404,
    "full_queue": 429,
    "spec": 422,
}
_DESCRIPTION = (
    "Control and watch the workers of a data folder. Send the token of `quantcrafter token` as "
    "`Authorization: Bearer TOKEN`."
)


def make_app(settings: ApiSettings) -> ASGIApp:
    """Return the application, behind its gate."""
    services = Services(settings, Access())

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        try:
            services.open()
            yield
        finally:
            services.close()

    app = FastAPI(
        title="QuantCrafter",
        description=_DESCRIPTION,
        version=_version(),
        docs_url=None,
        redoc_url=None,
        lifespan=life,
    )
    app.state.services = services
    for routes in (status, login, worker_actions, runs, strategies, audit_log, first_generation, pages, log_streams):
        app.include_router(routes.router)
    app.add_exception_handler(QuantCrafterError, _refused)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    return ApiGate(app, services.access, settings)


async def _refused(_: Request, error: Exception) -> JSONResponse:
    code = str(getattr(error, "code", "error"))
    return JSONResponse({"error": str(error), "code": code}, _STATUS.get(code, 400))


async def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - as it is registered
    return JSONResponse({"error": str(error.detail)}, error.status_code, headers=error.headers)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - as it is registered
    found = [
        {"where": ".".join(str(part) for part in each["loc"]), "message": each["msg"]} for each in error.errors()[:20]
    ]
    text = "; ".join(f"{each['where']}: {each['message']}" for each in found)
    return JSONResponse({"error": text, "problems": found}, 422)


def _version() -> str:
    from importlib.metadata import version

    return version("quantcrafter")
