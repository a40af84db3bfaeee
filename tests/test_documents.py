"""What the documents for developers point to is there: links in all pages, paths and names in the map."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "adr").glob("*.md")])
MAPS = [ROOT / name for name in ("docs/architecture.md", "docs/development.md", "CONTRIBUTING.md")]
TOP = {"app", "docs", "engine", "nodes", "packaging", "resources", "tests", ".ci", ".github"}
_CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def named(page: Path) -> list[tuple[str, str]]:
    """Return the paths that a page names, each with the name in that file, "" for none."""
    found = []
    for code in _CODE.findall(_FENCE.sub("", page.read_text(encoding="utf-8"))):
        path, _, name = code.partition(":")
        is_path = re.fullmatch(r"[\w./-]+", path) and (path.split("/")[0] in TOP and "/" in path)
        if is_path or re.fullmatch(r"[\w-]+\.(py|md|toml|txt)", path):
            found.append((path, name))
    return found


def names_in(path: Path) -> set[str]:
    """Return the functions, classes and constants of a module, methods as `Class.method`."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)}
    return found


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", MAPS, ids=lambda page: page.name)
def test_every_path_on_the_page_exists(page: Path) -> None:
    paths = [path for path, _ in named(page)]
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", MAPS, ids=lambda page: page.name)
def test_every_name_on_the_page_is_in_its_file(page: Path) -> None:
    wanted = [(path, name) for path, name in named(page) if path.endswith(".py") and re.fullmatch(r"\w+", name)]
    assert [f"{path}:{name}" for path, name in wanted if name not in names_in(ROOT / path)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for link in _LINK.findall(_FENCE.sub("", page.read_text(encoding="utf-8"))):
        place, _, anchor = link.partition("#")
        target = page if not place else (page.parent / place)
        if "://" in link:
            continue
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []
