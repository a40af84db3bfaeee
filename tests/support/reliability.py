"""Writes the figures of the long tests into docs/reliability.md, each test into a section of its own."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.counts import choose_seed, is_long

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
PATIENCE_SECONDS = 30.0


def record(
    section: str,
    headings: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    page: Path = PAGE,
    with_seed: bool = False,
) -> None:
    """Write a table between `<!-- figures: SECTION -->` and `<!-- end -->`, in `make test-long` alone.

    Elsewhere a sample was tried, which says less than what the page has; then it is only checked that the page has the
    section. Whole numbers get thousands separators. Put no dates and no names of machines into the rows.
    `with_seed` adds the seed of the test run, with which the cases are drawn again.

    Raises:
        LookupError: the page has no such markers.
    """
    told = f"\nSeed: {choose_seed()}.\n" if with_seed else ""
    put(section, table(headings, rows) + told, page, write=is_long())


def put(section: str, content: str, page: Path, *, write: bool) -> None:
    """Write the content of a section between its markers; without `write` only check that the page has them.

    Raises:
        LookupError: the page has no such markers.
    """
    with _alone(page) if write else _nothing():
        text = page.read_text(encoding="utf-8")
        begin = f"<!-- figures: {section} -->\n"
        start, found, rest = text.partition(begin)
        _old, ended, after = rest.partition("<!-- end -->")
        if not found or not ended:
            raise LookupError(f"{page.name} has no '{begin.strip()}' with '<!-- end -->' after it.")
        if write:
            new = page.with_suffix(".new")
            new.write_text(f"{start}{begin}{content}<!-- end -->{after}", encoding="utf-8", newline="\n")
            new.replace(page)


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table; columns of numbers stand to the right."""
    texts = [[_cell(value) for value in row] for row in rows]
    right = [all(isinstance(row[i], int | float) for row in rows) for i in range(len(headings))]
    lines = [list(headings), ["---:" if side else "---" for side in right], *texts]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


@contextmanager
def _nothing() -> Iterator[None]:
    yield


@contextmanager
def _alone(page: Path) -> Iterator[None]:
    """Keep the workers of one test run from writing the page at once."""
    lock = page.with_suffix(".lock")
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
            break
        except FileExistsError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
    try:
        yield
    finally:
        lock.unlink()
