"""The built-in engines, registered as any plugin would register its own."""

from __future__ import annotations

from engine.adapters.native import NativeEngine
from engine.api.engine import EngineAdapter
from engine.api.hookspecs import hookimpl


@hookimpl
def register_engines() -> tuple[type[EngineAdapter], ...]:
    """Return the engine that comes with the program."""
    return (NativeEngine,)
