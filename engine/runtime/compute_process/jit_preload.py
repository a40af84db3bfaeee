"""Preparation for the first run: a generated strategy is run, and the simulator's machine code is loaded.

On a new machine, another process compiles that code first. Runs that start meanwhile don't use it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)

_STRATEGY = """\
quantcrafter: 1
name: Warm-up
instruments:
  - {symbol: WARM, data: synthetic, timeframe: 1d, bars: 64}
indicators:
  fast: {use: ta.SMA, input: bars.close, timeperiod: 2}
  slow: {use: ta.SMA, input: bars.close, timeperiod: 5}
advisors:
  cross: {use: crossover, fast: fast, slow: slow}
money:
  size: {use: fixed_quantity, quantity: 1}
execution:
  entry: {use: market, signals: [cross], money: size}
run: {cash: 100000}
"""


class JitPreload(threading.Thread):
    """Works in a separate thread; `done` is called at its end."""

    def __init__(self, done: Callable[[], None]) -> None:
        super().__init__(name="warm-up", daemon=True)
        self._done = done

    def run(self) -> None:
        """Run the strategy and load the code; errors are left for the first real run to report."""
        from quantcrafter.engine.plugins import load_registry
        from quantcrafter.engine.runtime.running.load_graph import load_text
        from quantcrafter.engine.runtime.running.run import run
        from quantcrafter.engine.simulation.ahead import compile_ahead, compile_elsewhere, is_kept

        try:
            registry = load_registry()
            run(load_text(_STRATEGY, registry), registry=registry)
            compiling = None if is_kept() else compile_elsewhere()
            if compiling is not None:
                compiling.wait()
            compile_ahead()
            if is_kept(with_rare=True):
                compile_ahead(with_rare=True)
        except Exception:
            log.exception("The warm-up failed")
        self._done()
