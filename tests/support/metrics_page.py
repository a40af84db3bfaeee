"""docs/metrics.md: what is written by hand, with the tables made anew. `make docs` writes it."""

from __future__ import annotations

import sys
from pathlib import Path

from quantcrafter.engine.stats.metric_catalog import metrics_markdown

DOCUMENT = Path(__file__).parents[2] / "docs" / "metrics.md"
MARK = "<!-- The rest is written by `make docs` from engine/stats/metric_catalog.py. -->"


def metrics_page() -> str:
    """Return the page as it should be."""
    written, mark, _ = DOCUMENT.read_text(encoding="utf-8").partition(MARK)
    if not mark:
        raise ValueError(f"{DOCUMENT} has lost the line {MARK}")
    return f"{written}{MARK}\n\n{metrics_markdown()}"


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # as text files are, on Windows too
    sys.stdout.write(metrics_page())
