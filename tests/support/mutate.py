"""Mutants of strategy files: of the examples and of strategies drawn at random, in their values or in their syntax."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from quantcrafter.engine.plugins import Registry
from quantcrafter.engine.spec.compose import compose
from quantcrafter.engine.spec.source import ProblemLog
from quantcrafter.engine.spec.tree import plain
from tests.support.mutate_text import mutants as damaged
from tests.support.mutate_values import changed
from tests.support.random_strategy import Values, strategies
from tests.support.written import written

EXAMPLES = sorted((Path(__file__).parents[2] / "resources" / "examples").glob("*.yaml"))
KINDS = ("values of an example", "values of a random graph", "damaged example", "damaged random graph")
_SHARES = (0.3, 0.4, 0.2, 0.1)
_SIGNALS = "time,signal,value\n2007-01-05 21:00,buy,1\n2008-03-03 21:00,sell,-2.5\n2009-01-05 21:00,0,\n"
_EVENTS = "time,name\n2010-02-01 14:00,rates\n2010-06-30,holiday\n2012-01-01 00:00+00:00,new year\n"


@dataclass(frozen=True, slots=True)
class Mutant:
    """A strategy's text, and of which kind it is (one of KINDS)."""

    kind: str
    text: str


def strategy_mutants(registry: Registry, count: int, seed: int) -> Iterator[Mutant]:
    """Yield `count` mutants, the same for the same seed; of those that change values more than half are valid."""
    rng = random.Random(seed)  # noqa: S311 - cases of a test, no secrets
    examples = [path.read_text(encoding="utf-8") for path in EXAMPLES]
    drawn = strategies(registry, rng)
    for _ in range(count):
        kind = rng.choices(KINDS, _SHARES)[0]
        if kind == KINDS[0]:
            values, text = read(rng.choice(examples)), ""
        elif kind == KINDS[1]:
            values, text = next(drawn), ""
        else:
            values, text = {}, rng.choice(examples) if kind == KINDS[2] else written(next(drawn), rng)
        if text:
            yield Mutant(kind, damaged(text, 1, rng.randrange(2**32))[0])
        else:
            yield Mutant(kind, written(changed(values, rng, registry, rng.choice((0, 1, 1, 1, 2, 2, 4))), rng))


def write_mutants(folder: Path, registry: Registry, count: int, seed: int) -> list[tuple[Path, Mutant]]:
    """Write mutants as files, beside the blocks, prices and events that they read; return each path and mutant."""
    shutil.copytree(EXAMPLES[0].parent / "blocks", folder / "blocks", dirs_exist_ok=True)
    (folder / "prices.csv").write_text(_prices(), encoding="utf-8")
    (folder / "events.csv").write_text(_EVENTS, encoding="utf-8")
    (folder / "signals.csv").write_text(_SIGNALS, encoding="utf-8")
    found = []
    for number, mutant in enumerate(strategy_mutants(registry, count, seed)):
        path = folder / f"{number:04}.yaml"
        path.write_text(mutant.text, encoding="utf-8", newline="", errors="surrogatepass")
        found.append((path, mutant))
    return found


def read(text: str) -> Values:
    """Return a strategy's text as plain values."""
    root = compose(text, "", ProblemLog())
    assert root is not None
    values: Values = plain(root)
    return values


def _prices() -> str:
    rng = np.random.default_rng(7)
    closes = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, 500)))
    days = np.datetime64("2010-01-04") + np.arange(500)
    rows = [f"{day},{c:.2f},{c * 1.01:.2f},{c * 0.99:.2f},{c:.2f},1000" for day, c in zip(days, closes, strict=True)]
    return "date,open,high,low,close,volume\n" + "\n".join(rows) + "\n"
