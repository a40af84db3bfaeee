"""What the engine and the components say in English, gathered from where they say it: the registry and the source."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

from pydantic import BaseModel

from quantcrafter.app.inspector.fields import plain_words
from quantcrafter.app.services.phrases import Phrases, sentences
from quantcrafter.engine.api import os_errors, schema_words
from quantcrafter.engine.plugins import PluginInfo, facts, load_registry
from tests.support.engine_fragments import DATA, NO_TRADES, PLUGINS, RUNS

ROOT = Path(__file__).resolve().parents[2]
SPOKEN = (
    *("engine/spec", "engine/graph", "engine/plugins", "engine/api", "nodes"),
    *("engine/data", "engine/runtime", "engine/simulation", "engine/adapters", "engine/stats"),
    "engine/storage",
)
"""Where the sentences stand that the desktop shows: problems, refusals, findings, and what jobs log."""

_AREAS = {f"engine/{name}": f"engine_{name}.json" for name in ("data", "plugins", "runtime", "simulation")} | {
    "engine/adapters": "engine_simulation.json",
    "engine/storage": "engine_data.json",
    "engine/stats": "engine_runtime.json",
}

_UNSEEN = {"schema.py", "talib_text.py", "settings.py"}
"""Descriptions that no window shows, and those that the registry or the forms bring."""

COMMAND_LINE = (
    *("engine/runtime/strategy_classes/class_paths.py", "engine/runtime/strategy_classes/class_run.py"),
    *("engine/adapters/classes", "engine/adapters/vnpy/classes.py", "engine/adapters/backtrader/classes.py"),
)
"""What runs strategy classes of other engines, which only the command line does."""

SCRIPTS = (
    *("engine/runtime/script.py", "engine/runtime/replay", "engine/graph/history.py"),
    *(
        "engine/runtime/sessions/session_data.py",
        "engine/runtime/sessions/strategy_session.py",
        "engine/api/bar_checks.py",
    ),
)
"""What only scripts call: runs in Python, replays, and strategies that are given bar by bar."""

ORDERS = (
    *("engine/api/order_id.py", "engine/api/orders.py", "engine/api/order_state.py"),
    "engine/simulation/late.py",
)
"""What is said about orders between a session and its broker, which no window shows."""

DOCUMENTS = (
    *("engine/runtime/parity/certificate.py", "engine/stats/catalogue.py", "engine/plugins/reference.py"),
    *("engine/stats/report.py", "engine/stats/report_html.py", "engine/stats/report_figures.py"),
)
"""Reports, certificates and the reference of components are English whoever reads them; so are books on formulas."""

_NOT_SHOWN = (*COMMAND_LINE, *SCRIPTS, *ORDERS, *DOCUMENTS)
_SQL = re.compile(r"(SELECT|INSERT|DELETE|CREATE|BEGIN|PRAGMA|WHERE|AND|ORDER BY|LIMIT)\b|\^")

_PLACE = re.compile(r"\{\d*\}")
_SENTENCE = re.compile(r"""[.?]['"]?$""")
_LIST = re.compile(r"\{\}\n")
"""Faults in a message, each on a line of its own."""
_UNIT = re.compile(r"[A-Za-z]{2,}")

FRAGMENTS = (
    *("a number", "a bars", "a series", "a condition", "a signal", "a filter", "a risk", "a money", "a list", "text"),
    *("series", "bars", "condition", "signal", "filter", "risk", "money", "empty", "node", "block"),
    "'{0}' has several outputs",
    "'{0}' has no output",
    "'{0}' of {1}",
    "data provider {0}",
    *schema_words.fixed_words(),
    *("be greater than {0}", "be greater than or equal to {0}", "be less than {0}", "be less than or equal to {0}"),
    *("be a multiple of {0}", "have at least {0} items", "have at most {0} items", "have at most {0} characters"),
    *("have at least {0} characters", "not be empty", "match the pattern {0}", "be {0}"),
    "'{0}' or '{1}'",
    " ({0})",
    *("two numbers", "two numbers above 0", "a mapping", "block output", "block input", "block parameter"),
    *("instrument", "frame", "is inside what it stands for", "stands for nothing: there is no such anchor above"),
    *("mapping values are not allowed in this context", "mapping values are not allowed here"),
    *("did not find expected key", "found unexpected end of stream", "could not find expected ':'"),
    *("did not find expected ',' or ']'", "did not find expected ',' or '}'"),
    "found character that cannot start any token",
    "found unexpected ':'",
    *(" here", "A file", "it is no such list in JSON"),
    *(words.cause for words in os_errors.all_words()),
    *DATA,
    *RUNS,
    *NO_TRADES,
    *PLUGINS,
)
"""Parts that places of a message hold, the wishes of pydantic and the complaints of the YAML parser."""


def component_texts() -> Iterator[tuple[str, str, str]]:
    """Yield every text of every component and data provider, where it stands, and the file for its translation."""
    for place, text, area in _registry_texts():
        for sentence in sentences(text):
            yield sentence, place, area


@cache
def _registry_texts() -> tuple[tuple[str, str, str], ...]:
    registry = load_registry()
    return tuple(
        (f"{section}.{name}: {what}", text, f"{section}.json")
        for section in facts.sections()
        for name in facts.names(registry, section)
        for _, cls in facts.find(registry, name, section)
        if registry.owner("data_providers" if section == facts.SOURCES else section, name) in _builtin(registry.plugins)
        for what, text in _texts_of(cls, facts.describe(registry, section, cls))
        if text
    )


def _builtin(plugins: Iterable[PluginInfo]) -> set[str]:
    return {plugin.name for plugin in plugins if plugin.builtin}


def _texts_of(cls: type[BaseModel], about: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "help", inspect.cleandoc(cls.__doc__ or "")
    yield "category", str(about["category"])
    if not str(about["formula_source"]).startswith("TA-Lib"):
        yield "formula_source", str(about["formula_source"])
    for kind in ("inputs", "parameters", "outputs"):
        for entry in about[kind]:
            if kind != "outputs":
                yield f"name of {entry['name']}", plain_words(entry["name"])
            yield f"description of {entry['name']}", entry["description"]
            if _UNIT.search(entry.get("unit") or ""):
                yield f"unit of {entry['name']}", entry["unit"]


@cache
def problem_templates() -> dict[str, str]:
    """Return every sentence that the engine may say of a problem, with `{0}`, `{1}` for what it puts in, and where."""
    found: dict[str, str] = {}
    for root in SPOKEN:
        base = ROOT / root
        for path in [base] if base.is_file() else sorted(base.rglob("*.py")):
            for line, text in () if _is_unseen(path) else _written(path):
                for sentence in sentences(_LIST.sub("\n\n", text)):
                    if _SENTENCE.search(sentence) and _is_prose(sentence):
                        found.setdefault(_numbered(sentence), f"{path.relative_to(ROOT)}:{line}")
    return found


def _is_unseen(path: Path) -> bool:
    place = path.relative_to(ROOT).as_posix()
    return path.name in _UNSEEN or place.startswith(_NOT_SHOWN)


def _area(place: str) -> str:
    return next((area for package, area in _AREAS.items() if place.startswith(package)), "engine.json")


def _written(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the texts of a source file that are no docstrings, with their places as `{}`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped: set[int] = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        for child in body if isinstance(body, list) else ():
            if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
                skipped.add(id(child.value))
        if isinstance(node, ast.JoinedStr):
            skipped.update(id(value) for value in node.values)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Message" and node.keywords:
            skipped.add(id(node.args[0]))
            yield node.lineno, _places(node.args[0])
    for node in ast.walk(tree):
        if id(node) not in skipped:
            yield from _text_of(node)


def _text_of(node: ast.AST) -> Iterator[tuple[int, str]]:
    if isinstance(node, ast.JoinedStr):
        pieces = [value.value if isinstance(value, ast.Constant) else "{}" for value in node.values]
        yield node.lineno, "".join(str(piece) for piece in pieces)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip():
        yield node.lineno, node.value


def _places(template: ast.expr) -> str:
    """Return a template with `{}` for each of its places."""
    assert isinstance(template, ast.Constant)
    parts = Formatter().parse(str(template.value))
    return "".join(text + ("{}" if name is not None else "") for text, name, _, _ in parts)


def _is_prose(text: str) -> bool:
    return re.search(r"[a-z]{2,}", _PLACE.sub("", text)) is not None and _SQL.match(text) is None


def _numbered(text: str) -> str:
    """Return a sentence with its places numbered from 0, in order."""
    number = iter(range(100))
    text = re.sub(r"^\{\} (?=[A-Z])", "", text)  # a suggestion that comes before is a sentence of its own
    return _PLACE.sub(lambda _place: f"{{{next(number)}}}", text)


def untranslated(table: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield each sentence that a language's table does not translate, where it is said, and the file for it."""
    phrases = Phrases(table)
    done: set[str] = set()
    for sentence, place, area in component_texts():
        if sentence not in done and phrases.sentence(sentence) in {None, sentence}:
            done.add(sentence)
            yield sentence, place, area
    for sentence, place in problem_templates().items():
        if sentence not in table and sentence.removesuffix(".") not in table and sentence not in done:
            yield sentence, place, _area(place)


def engine_keys(table: Mapping[str, str]) -> set[str]:
    """Return the keys of a language's table that translate what the engine says."""
    phrases = Phrases(table)
    for sentence, _, _ in component_texts():
        phrases.translate(sentence)
    return phrases.used | set(problem_templates()) | set(FRAGMENTS) | {text.rstrip(".") for text in problem_templates()}
