"""Rows that a store lost without a command go on, until a command removes them."""

from __future__ import annotations

import pytest

from quantcrafter.engine.api import QuantCrafterError
from quantcrafter.engine.orchestrator.missing_rows import MissingRows
from quantcrafter.engine.orchestrator.row_config import RowRules, config_of_row
from quantcrafter.engine.orchestrator.supervisor import orchestrator_folder
from quantcrafter.engine.orchestrator.worker_config import reason_of_error
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.store.rows import StrategyRow


def test_only_rows_that_were_lost_in_doubt_are_kept_until_they_are_back_or_removed() -> None:
    orchestrator_folder().mkdir(parents=True)
    missing = MissingRows()
    missing.seen(1)
    assert missing.of({"a"}) == {}
    missing.doubt()
    assert missing.of({"b", "c"}).keys() == {"b", "c"}
    assert "quantcrafter store remove b" in missing.of({"b", "c", "d"})["b"]
    assert MissingRows().of({"b", "c", "d"}).keys() == {"b", "c"}  # also after a restart
    assert missing.of({"c", "d"}).keys() == {"c"}  # 'b' is back, or was removed by a command
    assert missing.of(set()) == {}
    assert MissingRows().of({"c"}) == {}


def test_another_database_in_the_place_of_the_store_is_in_doubt() -> None:
    orchestrator_folder().mkdir(parents=True)
    missing = MissingRows()
    missing.seen(1)
    assert missing.of({"a"}) == {}
    missing.seen(2)
    assert missing.of({"a"}).keys() == {"a"}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"symbol": "AAPL", "strategy": "quantcrafter: 1"}, "'instruments' must list at least one instrument"),
        ({"symbol": "AAPL", "strategy": "quantcrafter: 1\ninstruments: []\n"}, "was an empty list"),
        ({"symbol": "AAPL", "strategy": "quantcrafter: 1\ninstruments: 5\n"}, "was a number"),
    ],
)
def test_a_text_without_instruments_is_refused_where_a_row_has_a_symbol(values: dict[str, str], said: str) -> None:
    with pytest.raises(QuantCrafterError) as error:
        config_of_row(StrategyRow(strategy_key="bad", **values), load_registry(), RowRules())
    assert said in reason_of_error(error.value)
