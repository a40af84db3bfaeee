"""What `pyproject.toml` promises is what the product imports: no library too many in an extra, and none missing."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions

import pytest

from tests.support.command_line import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CORE = "the core"
PRODUCT = ("app", "engine", "nodes", "resources", "quantcrafter", "strategy_manager")

NOT_IMPORTED = {
    "tzdata": "the standard library's zoneinfo reads it where the system has no time zones",
    "ruamel-yaml-clib": "makes ruamel.yaml fast",
    "setuptools": "brings distutils to NodeGraphQt",
}
PART_OF = {"pydantic-core": "pydantic", "annotated-types": "pydantic", "llvmlite": "numba", "shiboken6": "pyside6"}
"""Libraries that come with another and are versioned with it."""


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def distributions(group: str) -> set[str]:
    """Return what the core or an extra lists, our own extras followed."""
    listed = PROJECT["dependencies"] if group == CORE else PROJECT["optional-dependencies"][group]
    found = set()
    for line in listed:
        name, extras = re.match(r"([\w.-]+)(?:\[([\w,]+)\])?", line).groups()  # type: ignore[union-attr]
        if name == PROJECT["name"]:
            found |= {each for extra in extras.split(",") for each in distributions(extra)}
        else:
            found.add(_family(plain(name)))
    return found


def _family(name: str) -> str:
    return "pyside6" if name.startswith("pyside6") else PART_OF.get(name, name)


def _modules() -> Iterator[tuple[str, str]]:
    """Yield the top-level modules that the product imports or names for a look-up, and where."""
    files = [file for name in PRODUCT for file in (ROOT / name).rglob("*.py")]
    for file in filter(lambda each: "resources/plugins/" not in each.as_posix(), files):
        place = file.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((alias.name.partition(".")[0], place) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0], place
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
                yield f"?{node.value}", place


@cache
def promised_names() -> frozenset[str]:
    """Return the names of all libraries that are promised: one that is not installed is known by its module's."""
    return frozenset(name for group in (CORE, *PROJECT["optional-dependencies"]) for name in distributions(group))


@cache
def imported() -> tuple[dict[str, str], set[str]]:
    """Return the distributions whose modules are imported, each with a place, and those whose modules are named."""
    names = packages_distributions()
    sure: dict[str, str] = {}
    named: set[str] = set()
    for module, place in _modules():
        plain_name = plain(module.removeprefix("?"))
        there = names.get(module.removeprefix("?"), [plain_name] if plain_name in promised_names() else [])
        for distribution in there:
            if module.startswith("?"):
                named.add(_family(plain(distribution)))
            elif module not in sys.stdlib_module_names and module not in PRODUCT:
                sure.setdefault(_family(plain(distribution)), place)
    return sure, named


@pytest.mark.parametrize("group", [CORE, *(extra for extra in PROJECT["optional-dependencies"] if extra != "dev")])
def test_each_library_that_is_promised_is_used(group: str) -> None:
    sure, named = imported()
    assert distributions(group) - set(sure) - named - set(NOT_IMPORTED) == set()


def test_each_library_that_is_imported_is_promised() -> None:
    sure, _ = imported()
    promised = distributions("all") | distributions(CORE)
    for_authors = distributions("dev")  # what tests of plugins use, their authors install
    missing = {
        name: place
        for name, place in sure.items()
        if name not in (for_authors if place.startswith("quantcrafter/testing/") else promised)
    }
    assert missing == {}


def test_developers_have_every_extra() -> None:
    assert distributions("all") <= distributions("dev")
    assert set(PROJECT["optional-dependencies"]) - {"all", "dev"} == {
        extra
        for line in PROJECT["optional-dependencies"]["all"]
        for extra in re.findall(r"\[([\w,]+)\]", line)[0].split(",")
    }


def test_constraints_are_names_and_versions_only() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if re.fullmatch(r"[\w.-]+==[\w.]+", line) is None] == []
