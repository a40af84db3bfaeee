"""What the routes share."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import HTTPConnection

from quantcrafter.engine.live.places import workers_folder
from quantcrafter.engine.orchestrator.orchestrator import OWN_LOG
from quantcrafter.engine.orchestrator.supervisor import orchestrator_folder
from quantcrafter.engine.orchestrator.worker_log import LOG_FILE
from quantcrafter.engine.server.access import Access, Caller
from quantcrafter.engine.server.backtests.queue import RunQueue
from quantcrafter.engine.server.line_sources import EventLines, LogLines
from quantcrafter.engine.server.metrics import serve_figures
from quantcrafter.engine.server.settings import ApiSettings
from quantcrafter.engine.server.strategy_desk import StrategyDesk
from quantcrafter.engine.server.streams import LineHub, LineSource
from quantcrafter.engine.server.views.view_process import ViewProcess
from quantcrafter.engine.server.workers import WorkerDesk


class Services:
    """One of each thing that the routes share."""

    def __init__(self, settings: ApiSettings, access: Access) -> None:
        self.settings, self.access = settings, access
        self.desk = WorkerDesk()
        self.logs = LineHub(_log_of)
        self.events = LineHub(_events_of)
        self.runs = RunQueue()
        self.strategies = StrategyDesk()
        self.views = ViewProcess()
        self._end_figures: Callable[[], object] = bool

    def open(self) -> None:
        """Begin what runs beside the requests.

        Raises:
            OSError: the port for figures is taken.
        """
        if self.settings.figures and self.settings.figures_port is not None:
            self._end_figures = serve_figures(self._figures, self.settings.figures_port)

    def _figures(self) -> tuple[dict[str, dict[str, Any]], bool]:
        seen = self.desk.seen()
        return seen.workers, seen.pid is not None

    def close(self) -> None:
        """End what runs."""
        self._end_figures()
        self.logs.close()
        self.events.close()
        self.runs.close()
        self.strategies.close()
        self.views.close()


def _log_of(key: Hashable) -> LineSource:
    return LogLines(workers_folder() / str(key) / LOG_FILE if key else orchestrator_folder() / OWN_LOG)


def _events_of(key: Hashable) -> LineSource:
    return EventLines(workers_folder() / str(key))


def services_of(connection: HTTPConnection) -> Services:
    """Return what the routes share."""
    found = connection.app.state.services
    assert isinstance(found, Services)  # noqa: S101 - as `make_app` sets it
    return found


def caller_of(connection: HTTPConnection) -> Caller:
    """Return who calls; the gate lets nobody else pass."""
    found = connection.state.caller
    assert isinstance(found, Caller)  # noqa: S101 - as the gate sets it
    return found


def base_of(connection: HTTPConnection) -> str:
    """Return the address of the API as the caller knows it."""
    host = connection.headers["host"]
    services = services_of(connection)
    by_proxy = any(host.lower().startswith(name) for name in services.settings.proxies)
    scheme = "https" if by_proxy or services.settings.certificate is not None else "http"
    return f"{scheme}://{host}"


def note_audit(connection: HTTPConnection, **values: object) -> None:
    """Add to what the audit log says of this request."""
    connection.scope["state"].setdefault("audit", {}).update(values)


Shared = Annotated[Services, Depends(services_of)]
WhoCalls = Annotated[Caller, Depends(caller_of)]
Base = Annotated[str, Depends(base_of)]
