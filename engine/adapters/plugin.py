"""The built-in engines, registered as any plugin would register its own."""

from __future__ import annotations

from engine.adapters.backtrader.adapter import BacktraderEngine
from engine.adapters.native import NativeEngine
from engine.adapters.vnpy.adapter import VnpyEngine
from engine.api.engine import EngineAdapter
from engine.api.hookspecs import hookimpl


@hookimpl
def register_engines() -> tuple[type[EngineAdapter], ...]:
    """Return the engine that comes with the program, and those for which it has an adapter."""
    return (NativeEngine, BacktraderEngine, VnpyEngine)
