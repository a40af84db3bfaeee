"""Writes what `make bench` measured into docs/performance.md, if `QUANTCRAFTER_BENCH_PAGE` is set."""

from __future__ import annotations

import os
from pathlib import Path

from tests.support.reliability import put

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
VARIABLE = "QUANTCRAFTER_BENCH_PAGE"


def publish(section: str, lines: list[str], page: Path = PAGE) -> None:
    """Write a table between the markers of its section; without the variable only check that the page has them.

    Raises:
        LookupError: the page has no such markers.
    """
    put(section, "".join(f"{line}\n" for line in lines), page, write=os.environ.get(VARIABLE, "") not in {"", "0"})
