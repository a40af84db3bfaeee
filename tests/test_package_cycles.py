"""Packages side by side import one another in one direction only; imports for types count."""

from __future__ import annotations

import grimp
import pytest

GRAPH = grimp.build_graph("quantcrafter", include_external_packages=False)
PACKAGES = sorted(module for module in GRAPH.modules if GRAPH.find_children(module))


def _reached(start: str, imports: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        new = imports.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found


@pytest.mark.parametrize("parent", PACKAGES)
def test_no_package_is_part_of_a_circle(parent: str) -> None:
    owner: dict[str, str] = {}
    for child in GRAPH.find_children(parent):
        owner |= dict.fromkeys((child, *GRAPH.find_descendants(child)), child)
    imports: dict[str, set[str]] = {}
    for module, child in owner.items():
        others = {owner.get(other, child) for other in GRAPH.find_modules_directly_imported_by(module)}
        imports.setdefault(child, set()).update(others - {child})
    reached = {child: _reached(child, imports) for child in imports}
    circles = {
        child: sorted(other for other in found if child in reached.get(other, ()))
        for child, found in reached.items()
        if child in PACKAGES
    }
    assert {child: circle for child, circle in circles.items() if circle} == {}
