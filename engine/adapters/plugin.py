"""The built-in engines, registered as any plugin would register its own."""

from __future__ import annotations

from quantcrafter.engine.adapters.backtrader.adapter import BacktraderEngine
from quantcrafter.engine.adapters.native import NativeEngine
from quantcrafter.engine.adapters.vnpy.adapter import VnpyEngine
from quantcrafter.engine.api.engine import EngineAdapter
from quantcrafter.engine.api.hookspecs import hookimpl


@hookimpl
def register_engines() -> tuple[type[EngineAdapter], ...]:
    """Return the engine that comes with the program, and those for which it has an adapter."""
    return (NativeEngine, BacktraderEngine, VnpyEngine)
