"""Every example strategy has the same fills and the same equity on the native engine, on backtrader and on vnpy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from quantcrafter.engine.adapters.vnpy.client import end_shared_process
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.parity.run import run_parity
from quantcrafter.engine.runtime.running.load_graph import load_graph
from quantcrafter.engine.runtime.running.run import run

EXAMPLES = sorted((Path(__file__).parents[2] / "resources" / "examples").glob("*.yaml"))
PLACE = ("bar", "instrument", "side", "lots", "kind", "reason", "order_id")


@pytest.fixture(autouse=True)
def _one_vnpy() -> Iterator[None]:
    yield
    end_shared_process()


@pytest.mark.slow
def test_every_example_trades_alike_on_the_three_engines() -> None:
    registry = load_registry()
    assert len(EXAMPLES) >= 6
    for example in EXAMPLES:
        graph = load_graph(example, registry)
        native, *others = (run(graph, registry=registry, engine=name) for name in ("native", "backtrader", "vnpy"))
        assert len(native.ledger.fills) >= 10
        for other in others:
            assert len(other.ledger.fills) == len(native.ledger.fills)
            for name in PLACE:
                assert (other.ledger.fills[name] == native.ledger.fills[name]).all(), (example.name, other.engine, name)
            assert np.abs(other.ledger.fills["price"] - native.ledger.fills["price"]).max() <= 1e-9
            assert other.ledger.equity[-1] == pytest.approx(native.ledger.equity[-1], rel=1e-12)
    report = run_parity(load_graph(EXAMPLES[0], registry), registry=registry)
    assert [outcome.name for outcome in report.outcomes] == ["native", "backtrader", "vnpy"]
    assert report.same
