"""Every test checks something: a test without a check can't fail.

Benchmarks report figures and are no tests of right or wrong. A check is an `assert`, `pytest.raises` or `pytest.warns`,
a wait for a condition that fails when it is not met, or a call of a helper whose name says that it checks.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parent
CHECKS = re.compile(r"_?(assert|check|compare|expect)\w*|raises|warns|fail|until|waitUntil|waitSignals?")


def checks(function: ast.AST) -> bool:
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if CHECKS.fullmatch(called):
                return True
    return False


def test_each_test_has_a_check() -> None:
    tests, without = 0, []
    for path in sorted(TESTS.rglob("test_*.py")):
        if "benchmarks" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                tests += 1
                if not checks(node):
                    without.append(f"{path.relative_to(TESTS)}:{node.lineno} {node.name}")
    assert tests > 2_000
    assert without == []
