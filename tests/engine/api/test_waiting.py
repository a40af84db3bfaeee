"""Who computes columns learns that libraries are imported and that the compiler is at work."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quantcrafter.engine.api.compiled import COLD_STEPS, compiled
from quantcrafter.engine.api.waiting import COMPILE, IMPORT, listen_to_waits, report_wait
from tests.support.counts import is_interpreted


@pytest.mark.skipif(is_interpreted(), reason="it is about the compiler")
def test_the_first_long_column_tells_of_libraries_and_of_the_compiler_and_later_ones_of_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))

    @compiled
    def doubled(values: np.ndarray) -> np.ndarray:
        return values * 2.0

    told: list[str] = []
    end = listen_to_waits(told.append)
    try:
        doubled(np.ones(10))
        assert told == []
        doubled(np.ones(COLD_STEPS + 1))
        assert told == [IMPORT, COMPILE]
        doubled(np.ones(COLD_STEPS + 1))
        assert told == [IMPORT, COMPILE]
    finally:
        end()
    report_wait(IMPORT)
    assert told == [IMPORT, COMPILE]
