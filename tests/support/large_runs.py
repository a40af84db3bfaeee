"""A run of a million bars with thirty columns and some forty thousand trades, made in a separate process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BARS = 1_000_000
_AVERAGES = (8, 21, 34, 55, 89, 144, 233, 377)
_BANDS = (20, 40, 60, 80, 100, 120)
_OSCILLATORS = (14, 28)
COLUMNS = 30
"""Two averages that are traded, eight averages, six bands of three lines each, two oscillators."""


def large_strategy() -> str:
    """Return the strategy's text."""
    lines = [
        "  fast: {use: ta.SMA, input: bars.close, timeperiod: 5}",
        "  slow: {use: ta.SMA, input: bars.close, timeperiod: 13}",
        *(f"  average_{n}: {{use: ta.SMA, input: bars.close, timeperiod: {n}}}" for n in _AVERAGES),
        *(f"  bands_{n}: {{use: ta.BBANDS, input: bars.close, timeperiod: {n}}}" for n in _BANDS),
        *(f"  rsi_{n}: {{use: ta.RSI, input: bars.close, timeperiod: {n}}}" for n in _OSCILLATORS),
    ]
    return "\n".join(
        [
            "quantcrafter: 1",
            "name: Large",
            "instruments:",
            f"  - {{symbol: BIG, data: synthetic, bars: {BARS}, seed: 3, timeframe: 1m, tick_size: 0.01, lot_size: 1}}",
            "indicators:",
            *lines,
            "advisors:",
            "  cross: {use: crossover, fast: fast, slow: slow, direction: long}",
            "risk:",
            "  stop: {use: percent_stop, percent: 2}",
            "money:",
            "  size: {use: percent_of_equity, percent: 50}",
            "execution:",
            "  entry: {use: market, signals: [cross], risk: [stop], money: size}",
            "",
        ]
    )


def large_run(folder: Path) -> Path:
    """Return the folder of the run, kept there by a process that is gone when this returns."""
    strategy = folder / "large.yaml"
    strategy.write_text(large_strategy(), encoding="utf-8")
    kept = folder / "run"
    script = (
        "import sys; from pathlib import Path; from quantcrafter.engine.plugins import load_registry;"
        "from quantcrafter.engine.runtime.running.run import run;"
        "from quantcrafter.engine.runtime.run_store.run_writer import save_run;"
        "save_run(run(Path(sys.argv[1]), registry=load_registry()), Path(sys.argv[2]))"
    )
    subprocess.run([sys.executable, "-c", script, str(strategy), str(kept)], check=True, cwd=Path(__file__).parents[2])
    return kept
