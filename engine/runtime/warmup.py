"""Machine code ahead of the first run: a made-up strategy is run, so that the simulator is loaded or compiled."""

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


class WarmUp(threading.Thread):
    """Compiles in a thread of its own; `done` is called at its end.

    numba compiles one function at a time, whichever thread asks: a run that begins meanwhile goes on when it can.
    """

    def __init__(self, done: Callable[[], None]) -> None:
        super().__init__(name="warm-up", daemon=True)
        self._done = done

    def run(self) -> None:
        """Run the strategy; an error is for the first real run to tell."""
        from engine.plugins import load_registry
        from engine.runtime.run import run
        from engine.runtime.source import load_text

        try:
            registry = load_registry()
            run(load_text(_STRATEGY, registry), registry=registry)
        except Exception:
            log.exception("The warm-up failed")
        self._done()
