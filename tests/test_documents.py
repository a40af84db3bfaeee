"""The pages name only what exists (links, paths, commands, targets of make), and their lists and tables are whole."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path
from typing import Any

import pytest
import typer
from markdown_it import MarkdownIt

from quantcrafter.engine.cli.commands import build_app

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "adr").glob("*.md")])
MARKDOWN = sorted([*PAGES, *(ROOT / "resources").rglob("*.md"), *(ROOT / "packaging").rglob("*.md")])
MAPS = [ROOT / name for name in ("docs/architecture.md", "docs/development.md", "CONTRIBUTING.md")]
TOP = {"app", "docs", "engine", "nodes", "packaging", "resources", "tests", ".ci", ".github"}
_CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
_SPAN_COMMAND = re.compile(r"(?<!`)`quantcrafter\s+([^`]+)`")
_LINE_COMMAND = re.compile(r"^ *(?:\.venv/bin/)?quantcrafter (\S+(?: \S+)*)", re.MULTILINE)
_MAKE = re.compile(r"(?:`|^ *)make ([a-z][a-z-]*)", re.MULTILINE)
_OPTION = re.compile(r"(?<!\S)\[?(--?[a-z][a-z-]*)")
_ITEM_INSIDE = re.compile(r"[.:;!?)](?:\*\*|`)?\s+(?:[-*+]|\d+\.)\s+(?=\*\*|[A-Z`\[])")
_BAR = re.compile(r"(?<!\\)\|")  # a bar inside of code divides cells too, unless it is escaped
_PLANNED = re.compile(r"^\*\*Planned.*?(?=\n\n|\Z)", re.DOTALL | re.MULTILINE)
_CLASS = re.compile(r"([A-Z][A-Z]*[a-z]\w*)(?:\.(\w+))?(?:\(.*\))?")  # also with a member, or as a call
_NO_CLASSES_OF_OURS = {
    "False",
    "None",
    "True",
    "PlotItem",
    "ScatterPlotItem",
    "PrimitiveArray",
    "Shiboken",
    "NaN",
    "Any",
}
_TEMPLATE = {"nodes.py", "my_plugin.py", "engine/..."}  # names that a page gives to files of the reader


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


@functools.cache
def classes() -> dict[str, set[str]]:
    """Return the members of each class of the program, in the bodies of the class and its methods."""
    found: dict[str, set[str]] = {}
    for path in [each for top in ("app", "engine", "nodes") for each in (ROOT / top).rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                parts = list(ast.walk(node))
                members = {each.name for each in parts if isinstance(each, ast.FunctionDef)}
                members |= {each.id for each in parts if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
                found.setdefault(node.name, set()).update(members)
    return found


def unknown_classes(text: str) -> list[str]:
    """Return the classes in code on a page, alone, with a member or as a call, that the program does not have.

    Paragraphs that begin with **Planned** are left out.
    """
    found = []
    for code in _CODE.findall(_PLANNED.sub("", _FENCE.sub("", text))):
        match = _CLASS.fullmatch(code)
        if not match or match[1] in _NO_CLASSES_OF_OURS or re.match(r"Q[A-Z]", match[1]):
            continue
        name, member = match.groups()
        if name not in classes() or (member and member not in classes()[name]):
            found.append(code)
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


@pytest.mark.parametrize("page", [*MAPS, *sorted((ROOT / "docs" / "adr").glob("*.md"))], ids=lambda page: page.name)
def test_every_class_on_the_page_exists_with_its_member(page: Path) -> None:
    assert unknown_classes(page.read_text(encoding="utf-8")) == []


def test_a_class_or_member_that_does_not_exist_is_found() -> None:
    text = "`ActionCal(target, function)`, `ActionSpec`, `EngineJob.executions`, `EngineJob.execution`, `Markets.flags`"
    text += "\n\n**Planned.** A `Worker`.\n\nA `Worker`."
    assert unknown_classes(text) == ["ActionCal(target, function)", "EngineJob.execution", "Markets.flags", "Worker"]


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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    names = {path for path, _ in named(page)} - _TEMPLATE
    sources = {file.name for top in TOP for file in (ROOT / top).rglob("*.py")}
    assert {path for path in names if not (ROOT / path).exists() and path not in sources} == set()


def commands_on(text: str) -> list[str]:
    """Return the commands in a text, without the program's name: `run FILE --json -`."""
    found = [*_SPAN_COMMAND.findall(text), *_LINE_COMMAND.findall(text)]
    return [" ".join(each.split()) for each in found if re.match(r"[a-z]", each)]


def is_command(written: str) -> bool:
    """Return whether a command, its subcommand and all its options exist."""
    command: Any = typer.main.get_command(build_app())
    options = {name for parameter in command.params for name in parameter.opts} | {"--help"}
    for word in written.split():
        if not hasattr(command, "commands") or not re.fullmatch(r"[a-z-]+", word) or word.startswith("-"):
            break
        if word not in command.commands:
            return False
        command = command.commands[word]
        options |= {name for parameter in command.params for name in parameter.opts}
    return set(_OPTION.findall(written)) <= options


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_on_a_page_exists_with_its_options(page: Path) -> None:
    assert [each for each in commands_on(page.read_text(encoding="utf-8")) if not is_command(each)] == []


@pytest.mark.parametrize(
    "written", ["runn FILE", "runs shwo last", "run FILE --jsn -", "data import a.csv --repair --nothing", "nodes -z"]
)
def test_a_misspelt_command_or_option_is_found(written: str) -> None:
    assert (
        commands_on(f"`quantcrafter {written}`") == commands_on(f"    quantcrafter {written}   a comment") == [written]
    )
    assert not is_command(written)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_target_of_make_on_a_page_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(_MAKE.findall(page.read_text(encoding="utf-8"))) - targets == set()


def broken_blocks(text: str) -> list[str]:
    """Return the lines on which a list or table of a page is broken, each as `line 7: what is wrong`.

    Found are a list item inside a paragraph, a line that joins the item above only because it has no indentation, a
    table row with another number of cells than its header, and a line of a paragraph that begins or ends like a row.
    """
    lines = text.splitlines()
    found = []
    depth = cells = 0
    previous = ""
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        depth += {"list_item_open": 1, "list_item_close": -1}.get(token.type, 0)
        if token.type == "tr_open" and token.map:
            line = lines[token.map[0]].strip()
            count = len(_BAR.findall(line)) - 1
            cells = count if previous == "thead_open" else cells
            if count != cells or not line.startswith("|") or not line.endswith("|"):
                found.append(f"line {token.map[0] + 1}: not a row of {cells} cells")
        if token.type == "inline" and token.map and previous == "paragraph_open":
            first, end = token.map
            inside = _ITEM_INSIDE.search("\n".join(lines[first:end]))
            if inside:
                number = first + 1 + "\n".join(lines[first:end])[: inside.end()].count("\n")
                found.append(f"line {number}: a list item inside a paragraph")
            for number, line in enumerate(lines[first:end], first + 1):
                if line.strip().startswith("|") or line.rstrip().endswith("|"):
                    found.append(f"line {number}: a part of a table row")
                if depth and number > first + 1 and not line.startswith(" "):
                    found.append(f"line {number}: joins the list item above")
        previous = token.type
    return found


@pytest.mark.parametrize("page", MARKDOWN, ids=lambda page: str(page.relative_to(ROOT)))
def test_lists_and_tables_of_a_page_are_whole(page: Path) -> None:
    assert broken_blocks(page.read_text(encoding="utf-8")) == []


_TABLE = "| a | b |\n| --- | --- |\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- One ends. - `two`: begins\n  here.", "line 1: a list item inside a paragraph"),
        ("- One (see 3). -\n  **Two.** begins here.", "line 2: a list item inside a paragraph"),
        ("- One:\n  - inner ends. - Two begins.", "line 2: a list item inside a paragraph"),
        ("1. One `ends.` 2. Two begins.", "line 1: a list item inside a paragraph"),
        ("- One ends.\nFixed:\n\n- Two.", "line 2: joins the list item above"),
        (_TABLE + "| 1 | two\n", "line 3: not a row of 2 cells"),
        (_TABLE + "| 1 | 2 |\nwords |\n", "line 4: not a row of 2 cells"),
        (_TABLE + "| 1 | 2 | | 3 | 4 |\n", "line 3: not a row of 2 cells"),
        (_TABLE + "| 1 | `x|y` |\n", "line 3: not a row of 2 cells"),
        (_TABLE + "| 1 | 2 |\n\n| 3 | 4 |\n", "line 5: a part of a table row"),
        ("| a | b\n|\n| --- | --- |\n| 1 | 2 |", "line 1: a part of a table row"),
    ],
)
def test_a_broken_list_or_table_is_found(text: str, problem: str) -> None:
    assert problem in broken_blocks(text)


@pytest.mark.parametrize(
    "text",
    [
        "- One, `a` - `b`.\n- The exit code is 1. With `--json`, more.\n  - Inner.",
        "The first bars - 1 bars have no value. The size is 2. The rest follows.",
        _TABLE + "| 1 | `x\\|y` |\n",
        "    command [--a | --b]\n    | c |\n",
        "```\nEnds. - Begins |\n```",
    ],
)
def test_whole_lists_tables_and_code_are_accepted(text: str) -> None:
    assert broken_blocks(text) == []
