"""Nothing in the app is reached by a name in a string: mypy and a reader see every call."""

from __future__ import annotations

import ast
from pathlib import Path

APP = Path(__file__).resolve().parents[2] / "app"
BY_NAME = {"getattr", "attrgetter", "methodcaller", "import_module", "__import__"}
ALLOWED = {
    "guard.py": "wraps whatever a class overrides of Qt's, and falls back to what it overrides",
    "inspector/fields.py": "reads the limit that a mark of pydantic carries",
    "theme/style.py": "puts every colour of a theme into the style sheet",
}


def test_nothing_is_looked_up_by_its_name() -> None:
    found = {}
    for path in sorted(APP.rglob("*.py")):
        place = path.relative_to(APP).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _name(node.func) in BY_NAME and place not in ALLOWED:
                found[f"{place}:{node.lineno}"] = ast.unparse(node)
    assert not found


def test_every_exception_is_still_needed() -> None:
    assert [place for place in ALLOWED if "getattr(" not in (APP / place).read_text(encoding="utf-8")] == []


def _name(function: ast.expr) -> str:
    return (
        function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else ""
    )
