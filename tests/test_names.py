"""Names: a word means one thing, so no two classes of the program share a name."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]


def classes() -> dict[str, list[str]]:
    found = defaultdict(list)
    for folder in ("app", "engine", "nodes"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    found[node.name].append(path.relative_to(ROOT).as_posix())
    return found


def test_no_two_classes_share_a_name() -> None:
    found = classes()
    assert len(found) > 500
    assert {name: paths for name, paths in found.items() if len(paths) > 1} == {}
