"""Figures of the workers for Prometheus. Money of paper and of live workers is never in one figure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest, start_http_server
from prometheus_client.core import GaugeMetricFamily

from quantcrafter.engine.live.worker import WorkerState
from quantcrafter.engine.orchestrator.worker_listing import is_alive

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_LABELS = ("worker", "symbol", "mode")
_FIGURES = (
    ("position", "position", "Quantity held of the first instrument"),
    (
        "pnl_today",
        "pnl_today",
        "Change of equity since the latest UTC day of the feed began",
    ),
    ("feed_age_s", "feed_age_seconds", "Seconds since the feed was heard"),
)


Look = Callable[[], tuple[dict[str, dict[str, Any]], bool]]
"""Returns the workers by key, and whether the orchestrator runs."""


class _Figures:
    """Collects the figures of workers at the moment of the question."""

    def __init__(self, look: Look) -> None:
        self._look = look

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield each figure with all workers."""
        workers, is_running = self._look()
        yield GaugeMetricFamily(
            "quantcrafter_orchestrator_up", "Whether the orchestrator runs", value=float(is_running)
        )
        up = GaugeMetricFamily("quantcrafter_worker_up", "Whether the worker runs", labels=_LABELS)
        states = GaugeMetricFamily("quantcrafter_workers", "Workers by state and mode", labels=("state", "mode"))
        for key, each in workers.items():
            up.add_metric(_labels(key, each), float(is_alive(each["state"])))
        for mode in sorted({str(each["mode"]) for each in workers.values()}):
            for state in WorkerState:
                count = sum(each["state"] == state and str(each["mode"]) == mode for each in workers.values())
                states.add_metric((str(state), mode), float(count))
        yield up
        yield states
        for name, shown, text in _FIGURES:
            figure = GaugeMetricFamily(f"quantcrafter_worker_{shown}", text, labels=_LABELS)
            for key, each in workers.items():
                if each[name] is not None:
                    figure.add_metric(_labels(key, each), float(each[name]))
            yield figure


def _labels(key: str, worker: dict[str, Any]) -> tuple[str, str, str]:
    return key, worker["symbol"] or "", worker["mode"] or ""


def figures_text(look: Look) -> bytes:
    """Return the figures as text for Prometheus."""
    return generate_latest(_registry_of(look))


def serve_figures(look: Look, port: int) -> Callable[[], object]:
    """Serve the figures at a port of this computer without a token, and return what ends that.

    Raises:
        OSError: the port is taken.
    """
    server, thread = start_http_server(port, addr="127.0.0.1", registry=_registry_of(look))

    def end() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return end


def _registry_of(look: Look) -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(look))
    return registry
