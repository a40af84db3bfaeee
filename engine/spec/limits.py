"""Limits that protect against malicious strategy files; docs/strategy-file.md lists them for users."""

from __future__ import annotations

MAX_FILE_BYTES = 1 << 20
"""Size of a strategy file or block file, in bytes of UTF-8."""

MAX_DEPTH = 32
"""Lists and mappings inside one another, aliases expanded."""

MAX_YAML_NODES = 50_000
"""Scalars (keys included), lists and mappings of a file, aliases expanded."""

MAX_SCALAR_CHARS = 65_536
"""Length of one text or number."""

MAX_INTEGER_DIGITS = 18
"""Digits of a whole number: more would not fit into 64 bits."""

MAX_NAME_CHARS = 100
"""Length of a symbol, and of the name of a node, block input or block output."""

MAX_INSTRUMENTS = 1_000
"""Instruments of a strategy."""

MAX_STRATEGY_NODES = 2_000
"""Nodes and block uses of a strategy, blocks expanded."""

MAX_BLOCK_DEPTH = 8
"""Blocks used inside one another."""

MAX_BLOCK_FILES = 64
"""Block files that one strategy uses."""

MAX_REFERENCE_HOPS = 64
"""Block inputs and outputs that one reference passes through."""

MAX_PROBLEMS = 100
"""Problems reported, and misspelt names looked up, for one file; more are only counted."""
