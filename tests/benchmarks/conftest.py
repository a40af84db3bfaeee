"""How much is measured: all of it by `make bench`, once among the other tests."""

from __future__ import annotations

import pytest


@pytest.fixture
def repeats(request: pytest.FixtureRequest) -> int:
    """How often to measure: once among other tests, which need only show that it works."""
    return 5 if request.config.option.markexpr == "benchmark_report" else 1
