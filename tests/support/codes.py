"""The codes of problems in the source: what `--json` identifies a finding by."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
_MAKERS = {"Problem": 1, "add": 1, "problem": 1, "_problem": 3, "_report": 2, "_refuse": 3, "owner_problem": 2}
"""Functions that make a problem: `code` is the last literal without blanks among so many of their first arguments."""
_ELSEWHERE = (
    "engine/api",
    "engine/runtime/run_store",
    "engine/runtime/compute_process",
    "engine/simulation",
    "engine/data",
)


def codes() -> dict[str, list[str]]:
    """Return each code of a problem with the places that use it."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "engine").rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith(_ELSEWHERE):
            for line, code in _codes_in(ast.parse(path.read_text(encoding="utf-8"))):
                found.setdefault(code, []).append(f"{name}:{line}")
    return found


def _codes_in(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        first = [_code(each) for each in node.args[: _MAKERS.get(called, 0)]]
        keywords = [_code(each.value) for each in node.keywords if each.arg == "code"]
        yield from ((node.lineno, code) for code in [*[*filter(None, first)][-1:], *filter(None, keywords)])


def _code(node: ast.expr) -> str:
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str) and " " not in node.value
    return str(node.value) if is_text and isinstance(node, ast.Constant) else ""
