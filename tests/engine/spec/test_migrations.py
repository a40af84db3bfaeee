from __future__ import annotations

from typing import Any

import pytest

from engine.spec import migrate


def rename_use(data: dict[str, Any]) -> dict[str, Any]:
    return {"kind" if key == "use" else key: value for key, value in data.items()}


def test_a_current_file_stays_as_it_is() -> None:
    data = {"quantcrafter": 1, "name": "x"}
    assert migrate(data) == data


def test_migrations_run_in_order_and_leave_the_original_alone() -> None:
    data = {"quantcrafter": 1, "use": "x"}
    table = {1: rename_use, 2: lambda old: {**old, "seen": list(old)}}
    assert migrate(data, migrations=table, current=3) == {
        "quantcrafter": 3,
        "kind": "x",
        "seen": ["quantcrafter", "kind"],
    }
    assert data == {"quantcrafter": 1, "use": "x"}


@pytest.mark.parametrize(
    ("version", "message"),
    [(2, "needs a newer QuantCrafter"), (0, "the format 0 is unknown"), ("1", "whole number"), (True, "whole number")],
)
def test_a_version_that_cannot_be_read_is_refused(version: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        migrate({"quantcrafter": version})
