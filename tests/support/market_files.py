"""Strategies on files of bars as traders have them, to see what an instrument's market, its symbol and its data say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.results.result import RunResult
from quantcrafter.engine.runtime.running.run import run

ENTER, EXIT = 1, 2
Row = tuple[str, float, float, float, float, float]


def strategy(
    folder: Path, rows: Sequence[Row], instrument: str, *, risk: str = "", quantity: float = 1, settings: str = ""
) -> Path:
    """Write a file of bars, and a strategy that enters where the volume is 1 and leaves where it is 2."""
    lines = ["time,open,high,low,close,volume", *(",".join(map(str, row)) for row in rows)]
    (folder / "d.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    risk_section = f"risk:\n  guard: {risk}\n" if risk else ""
    wired = ", risk: [guard]" if risk else ""
    file = folder / "strategy.yaml"
    file.write_text(
        f"""quantcrafter: 1
name: case
instruments:
  - {{data: csv, path: d.csv, {instrument}}}
logic:
  el: {{use: compare, left: bars.volume, op: "==", right: {ENTER}}}
  xl: {{use: compare, left: bars.volume, op: "==", right: {EXIT}}}
advisors:
  go: {{use: rule, enter_long: [el], exit_long: [xl]}}
{risk_section}money:
  size: {{use: fixed_quantity, quantity: {quantity}}}
execution:
  entry: {{use: market, signals: [go], money: size{wired}}}
run: {{cash: 100000{settings}}}
""",
        encoding="utf-8",
    )
    return file


def held(folder: Path, rows: Sequence[Row], instrument: str, quantity: float) -> RunResult:
    """Return a run that buys on the first bar and holds."""
    rows = [(*row[:5], ENTER if number == 0 else 0) for number, row in enumerate(rows)]
    return run(strategy(folder, rows, instrument, quantity=quantity), registry=load_registry())


def from_of(result: RunResult, name: str) -> tuple[Any, str]:
    term = result.instruments[0].terms[name]
    return term.value, term.source


def flat(days: Sequence[str], price: float = 100.0, volumes: Sequence[float] = ()) -> list[Row]:
    volumes = volumes or [0] * len(days)
    return [(day, price, price, price, price, volume) for day, volume in zip(days, volumes, strict=True)]
