"""Rows of a store: documents of the first generation, and rows with a strategy file."""

from __future__ import annotations

from typing import Any

import pytest

from quantcrafter.engine.store.rows import RowError, StrategyRow, row_of
from quantcrafter.engine.store.store import entries_of


def test_a_document_of_the_first_generation_is_a_row() -> None:
    row = row_of(
        {
            "_id": object(),
            "user_id": "u1",
            "symbol": "002050.SZ",
            "strategy_key": "hidden_dragon",
            "enabled": True,
            "engine": "backtrader",
            "engine_class": "my_strategies.HiddenDragon",
            "params": {"limit_up_rate": 0.1},
        }
    )
    assert (row.key, row.engine, row.engine_class) == (
        "u1_002050.SZ_hidden_dragon",
        "backtrader",
        "my_strategies.HiddenDragon",
    )
    assert row_of({"symbol": "X", "strategy_key": "turtle"}) == StrategyRow(symbol="X", strategy_key="turtle")


def test_whether_a_row_is_enabled_does_not_change_its_digest_and_all_else_does() -> None:
    row = StrategyRow(symbol="X", strategy_key="turtle")
    assert row.model_copy(update={"enabled": False}).digest == row.digest
    for change in ({"params": {"a": 1}}, {"live": True}, {"strategy": "x.yaml"}, {"feed": "csv:x.csv"}):
        assert row.model_copy(update=change).digest != row.digest


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"symbol": "X"}, "The field 'strategy_key' is missing."),
        ({"strategy_key": "t", "enable": False}, "'enable' is unknown. Did you mean 'enabled'?"),
        ({"strategy_key": "t", "enabled": "maybe"}, "The field 'enabled' was 'maybe': input should be a valid boolean"),
        ({"strategy_key": "t", "params": "{"}, "The field 'params' was '{': is not JSON"),
        ({"strategy_key": "t", "params": [1]}, "The field 'params' was [1]"),
        (
            {"strategy_key": "t", "strategy": "a\0b"},
            "'strategy' was 'a\\x00b': has a NUL character. Remove it.",
        ),
        ({"strategy_key": ".."}, "The key '..' can't be the name of a worker's folder"),
        ({"strategy_key": "t" * 199, "symbol": "AAPL"}, "at most 200 characters"),
        ({"strategy_key": "t", "params": "[" * 100_000}, "is not JSON"),
        ({"strategy_key": 5, "symbol": 6}, "The field 'symbol' was 6: input should be a valid string. The field"),
    ],
)
def test_a_row_that_is_no_strategy_says_why(values: dict[str, Any], said: str) -> None:
    with pytest.raises(RowError) as error:
        row_of(values)
    assert said in str(error.value)


def test_a_bad_row_and_a_second_one_with_the_same_key_leave_the_others_alone() -> None:
    rows: list[dict[str, Any]] = [
        {"symbol": "A/B", "strategy_key": "t"},
        {"symbol": "A_B", "strategy_key": "t"},
        {"symbol": "C"},
        {"symbol": "D", "strategy_key": "t", "params": None, "user_id": ""},
    ]
    found = {each.key: each for each in entries_of(rows)}
    nameless = next(key for key in found if key.startswith("row-"))
    second = next(key for key in found if key.startswith("A_B_t#"))
    assert sorted(found) == ["A_B_t", second, "D_t", nameless]
    assert nameless in {each.key for each in entries_of(rows[2:])}  # whichever rows are before it
    assert {key for key, each in found.items() if each.row} == {"A_B_t", "D_t"}
    assert "Another row has the key 'A_B_t'" in found[second].problem
    assert "'strategy_key' is missing" in found[nameless].problem
