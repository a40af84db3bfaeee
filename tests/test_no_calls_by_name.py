"""No function of the engine or the nodes is reached by a name in a string: mypy and a reader see every call.

Data are read by names where tables of fields are (`getattr(bars, column)`); what comes out of that is never called.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LOADS = {"import_module", "__import__", "methodcaller"}
ALLOWED = {
    "engine/adapters/classes/loading.py": "imports a user's strategy class, which the strategy file names",
    "engine/orchestrator/own_classes/adapters.py": "starts and stops a user's own engine, whose methods are theirs",
    "engine/adapters/vnpy/gateway_session.py": "imports a gateway of vnpy, which the user names",
    "engine/brokers/ccxt.py": "imports an exchange of ccxt, which the user names",
    "engine/data/download/ccxt_provider.py": "imports an exchange of ccxt, which the user names",
    "engine/feeds/ccxt_stream.py": "the same",
    "engine/orchestrator/class_host.py": "imports a worker's class, which a program of the user names",
    "engine/plugins/hooks.py": "calls the hooks of a plugin: the door through which plugins come",
    "nodes/indicators/talib_family.py": "calls a function of TA-Lib; a strategy file names it",
    "nodes/indicators/talib_stream.py": "the same, bar by bar",
}


def by_name(text: str) -> Iterator[ast.Call]:
    """Yield every call that imports a module by its name, or calls what `getattr` gave, at once or by a variable."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (name_of(node.func) in LOADS or holds_getattr(node.func)):
            yield node
    for scope in ast.walk(tree):
        if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module):
            held = {name for node in ast.walk(scope) for name in names_given(node)}
            calls = (node for node in ast.walk(scope) if isinstance(node, ast.Call))
            yield from (node for node in calls if ast.unparse(node.func) in held)


def names_given(node: ast.AST) -> Iterator[str]:
    """Yield the variables, attributes too, to which a statement assigns what `getattr` gave."""
    if isinstance(node, ast.Assign) and holds_getattr(node.value):
        yield from map(ast.unparse, node.targets)
    elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None and holds_getattr(node.value):
        yield ast.unparse(node.target)


def holds_getattr(node: ast.expr) -> bool:
    """Return whether an expression is a call of `getattr`, or a choice among such."""
    if isinstance(node, ast.BoolOp):
        return any(map(holds_getattr, node.values))
    if isinstance(node, ast.IfExp):
        return holds_getattr(node.body) or holds_getattr(node.orelse)
    return isinstance(node, ast.Call) and name_of(node.func) == "getattr"


def name_of(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def found_in(folder: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("*.py")):
        calls = {f"{node.lineno}: {ast.unparse(node)}" for node in by_name(path.read_text(encoding="utf-8"))}
        if calls:
            found[path.relative_to(ROOT).as_posix()] = sorted(calls)
    return found


@pytest.mark.parametrize("folder", ["engine", "nodes", "quantcrafter/testing"])
def test_no_function_is_reached_by_its_name(folder: str) -> None:
    assert {place: calls for place, calls in found_in(ROOT / folder).items() if place not in ALLOWED} == {}


def test_every_exception_is_still_needed() -> None:
    assert set(ALLOWED) <= found_in(ROOT / "engine").keys() | found_in(ROOT / "nodes").keys()


@pytest.mark.parametrize(
    "text",
    [
        "getattr(desk, name)()",
        "import importlib\nimportlib.import_module(name).run",
        "def f(desk, name):\n    act = getattr(desk, name, None) or print\n    return act(1)",
        "def f(desk, name):\n    if (act := getattr(desk, name)):\n        act()",
        "class A:\n    def f(self):\n        self.act: int = getattr(self, name)\n    def g(self):\n        self.act()",
        "from operator import methodcaller\nmethodcaller('run')(desk)",
    ],
)
def test_a_call_by_name_is_found(text: str) -> None:
    assert list(by_name(text))


def test_data_read_by_name_are_none() -> None:
    assert not list(by_name("rows = [getattr(bars, name)[0] for name in names]\nprint(getattr(bars, 'close').sum())"))
