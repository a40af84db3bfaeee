"""Assignment of validation findings to the nodes of a level. No Qt."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from quantcrafter.app.document.view import Scope
from quantcrafter.app.services.problems import problem_text
from quantcrafter.engine.api import Problem, Severity

Kind = Literal["error", "warning"]


def badges(problems: Iterable[Problem], scope: Scope) -> dict[str, tuple[Kind, str]]:
    """Return kind and reasons by node id: a node of the strategy answers for what is inside the block that it uses."""
    texts: dict[str, list[str]] = {}
    errors: set[str] = set()
    for problem in problems:
        node = _node(problem, scope)
        if not node:
            continue
        text = problem_text(problem)
        if text not in texts.setdefault(node, []):
            texts[node].append(text)
        if problem.severity is Severity.ERROR:
            errors.add(node)
    return {node: ("error" if node in errors else "warning", "\n".join(said)) for node, said in texts.items()}


def _node(problem: Problem, scope: Scope) -> str:
    """Return the node at this level that a finding is about, '' for none."""
    if not scope:
        return problem.node.partition("/")[0]
    parts = problem.path.split(".")
    inside = parts[: len(scope)] == list(scope) and len(parts) > len(scope) + 1
    return parts[len(scope) + 1] if inside else ""
