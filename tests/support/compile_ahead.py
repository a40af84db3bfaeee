"""Compile the simulation before the tests, once: `python -m tests.support.compile_ahead`.

On a fresh machine each worker would else compile all of it inside the first test that needs it, for half a minute or,
where several compile at once on a slow machine, for longer than a test may take.
"""

from __future__ import annotations

import time

import tests.conftest  # noqa: F401 - it says where compiled code is kept
from quantcrafter.engine.simulation.ahead import compile_ahead

LONG_S = 5.0
"""Loading what is compiled already takes less: then there is nothing to tell."""


def main() -> None:
    """Compile both forms of the bar loop: the machine code is then on disk for every worker."""
    begun = time.perf_counter()
    compile_ahead()
    compile_ahead(with_rare=True)
    spent = time.perf_counter() - begun
    if spent > LONG_S:
        print(f"Compiled the simulation for this machine in {spent:.0f} s; the tests find it on disk.")  # noqa: T201


if __name__ == "__main__":
    main()
