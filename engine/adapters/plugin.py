"""The built-in engines, registered in the same way as those of plugins."""

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
