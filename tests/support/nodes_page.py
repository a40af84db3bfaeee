"""docs/nodes.md: all components of QuantCrafter itself, whatever plugins are installed. `make docs` writes it."""

from __future__ import annotations

import sys

from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.plugins.descriptions import sections
from quantcrafter.engine.plugins.reference import reference_page

if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # as text files are, on Windows too
    sys.stdout.write(reference_page(load_registry(), sections(), builtin=True))
