"""Compile every function of the simulation again and print what is wrong: `python -m tests.support.compile_all`.

Run it with an empty `NUMBA_CACHE_DIR`: what is loaded from disk is not compiled.
"""

from __future__ import annotations

import time

from quantcrafter.engine.simulation.ahead import compile_ahead
from quantcrafter.engine.simulation.jit import twins


def problems() -> list[str]:
    """Compile the bar loop; return what was not compiled, and what counts references although it should not."""
    compile_ahead()
    found = [f"{function.__name__} was not compiled" for function, twin in twins().items() if not twin.overloads]
    for function, twin in twins().items():
        libraries = [overload.library for overload in twin.overloads.values()]
        if any("NRT_incref" in library.get_llvm_str() for library in libraries):
            found.append(f"{function.__name__} counts references")
    return found


def main() -> None:
    """Print the problems, one per line, and the CPU time on the last one."""
    print("\n".join(problems()))  # noqa: T201 - a test reads it
    print(f"{time.process_time():.1f} s")  # noqa: T201 - the same


if __name__ == "__main__":
    main()
