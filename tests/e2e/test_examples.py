"""The example strategies: each is valid, commented, runs, trades, and knows no future."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import quantcrafter
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.research.lookahead import find_lookahead
from quantcrafter.engine.runtime.running.load_graph import validate_file
from quantcrafter.engine.spec.document import StrategyFile

EXAMPLES = sorted((Path(__file__).parents[2] / "resources" / "examples").glob("*.yaml"))


def test_there_are_six_of_them() -> None:
    assert len(EXAMPLES) >= 6


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_valid_and_explained(path: Path) -> None:
    assert validate_file(path, load_registry()) == []
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert "description:" in text
    assert StrategyFile.load(path).dumps().encode("utf-8") == path.read_bytes()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_trades_and_keeps_its_books(path: Path, tmp_path: Path) -> None:
    result = quantcrafter.run(path)
    assert len(result.trades) >= 5
    assert not result.warnings
    assert np.isfinite(result.ledger.equity).all()
    opened = sum(position.unrealised_pnl for position in result.ledger.open_positions)
    gained = result.ledger.equity[-1] - result.settings.cash
    assert float(result.parts["pnl"].sum()) + opened == pytest.approx(gained, rel=1e-9, abs=1e-6)
    assert result.write_report(tmp_path / "report.html").stat().st_size > 1_000_000


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_no_node_of_an_example_looks_ahead(path: Path) -> None:
    assert find_lookahead(path, registry=load_registry(), cuts=12) == []
