"""Compile every function of the simulation again and print what is wrong: `python -m tests.support.compile_all`.

Run it with an empty `NUMBA_CACHE_DIR`: what is loaded from disk is not compiled.
"""

from __future__ import annotations

import time
from typing import Any

from quantcrafter.engine.simulation.ahead import compile_ahead
from quantcrafter.engine.simulation.jit import twins


def problems() -> list[str]:
    """Compile the whole bar loop; return what was not compiled, and what counts references although it should not."""
    compile_ahead(with_rare=True)
    made = twins(with_rare=True)
    found = [f"{function.__name__} was not compiled" for function, twin in made.items() if not twin.overloads]
    for function, twin in made.items():
        libraries = [overload.library for overload in twin.overloads.values()]
        if any("NRT_incref" in library.get_llvm_str() for library in libraries):
            found.append(f"{function.__name__} counts references")
        if twin.targetoptions.get("forceinline", False) != any(map(_is_inlined, twin.overloads.values())):
            found.append(f"{function.__name__} is compiled into its callers, or not, other than it is marked")
    return found


def _is_inlined(compiled: Any) -> bool:
    """Return whether a compiled function has the attribute to become a part of every caller."""
    name = compiled.fndesc.llvm_func_name
    module = compiled.library._final_module
    return b"alwaysinline" in set(module.get_function(name).attributes)


def main() -> None:
    """Print the problems, one per line, and the CPU time on the last one."""
    print("\n".join(problems()))  # noqa: T201 - a test reads it
    print(f"{time.process_time():.1f} s")  # noqa: T201 - the same


if __name__ == "__main__":
    main()
