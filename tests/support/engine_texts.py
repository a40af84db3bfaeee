"""What the engine and the components say in English, gathered from where they say it: the registry and the source."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

from pydantic import BaseModel

from quantcrafter.app.inspector.fields import plain_words
from quantcrafter.app.services.phrases import Phrases, has_words, sentences
from quantcrafter.engine.api import PortType
from quantcrafter.engine.api.capability import Capability
from quantcrafter.engine.api.ledger import BlockReason, OrderKind, OrderStatus, StatusReason
from quantcrafter.engine.plugins import PluginInfo, descriptions, load_registry

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("engine", "nodes", "app")
ERRORS = re.compile(r"Problem|Failure|LogLine|(?!Value|Type|Key|Index|Attribute|Lookup|OS|Runtime|Module)\w+Error")
"""What shows its text to the user; errors of Python's own are met by programmers, or are put into others."""

_AREAS = {f"engine/{name}": f"engine_{name}.json" for name in ("data", "plugins", "runtime", "simulation")} | {
    "engine/adapters": "engine_simulation.json",
    "engine/storage": "engine_data.json",
    "engine/stats": "engine_runtime.json",
    "app": "interface.json",
}

COMMAND_LINE = (
    *("engine/cli", "engine/runtime/strategy_classes"),
    *("engine/adapters/classes", "engine/adapters/vnpy/classes.py", "engine/adapters/backtrader/classes.py"),
)
"""What only the command line says: of its own, and of strategy classes of other engines, which only it runs."""

SCRIPTS = (
    *("engine/runtime/script.py", "engine/runtime/replay", "engine/graph/history.py"),
    *("engine/graph/history_costs.py", "engine/graph/history_rolls.py", "engine/data/continuous/growing.py"),
    *("engine/runtime/sessions", "engine/api/bar_checks.py"),
)
"""What only scripts call: runs in Python, replays, and strategies that are given bar by bar."""

ORDERS = (
    *("engine/api/order_id.py", "engine/api/orders.py", "engine/api/order_state.py"),
    *("engine/simulation/late.py", "engine/simulation/outside.py"),
)
"""What is said about orders between a session and its broker, which no window shows."""

SERVER = (
    *("engine/store", "engine/config", "engine/live/swap.py"),
    *(f"engine/orchestrator/{name}.py" for name in ("reload", "missing_rows", "replacing", "row_config", "pushing")),
)
"""What is said about strategies from a database and the configuration of a server, which operators read."""

SESSIONS = ("engine/interchange",)
"""What is said of sessions of NodeGraphQt, which the command line and programs that embed that library read."""

_NOT_SHOWN = (*COMMAND_LINE, *SCRIPTS, *ORDERS, *SERVER, *SESSIONS)
_UNIT = re.compile(r"[A-Za-z]{2,}")

WORDS = (
    *(str(each) for each in (*Capability, *PortType)),
    *(each.name.lower().replace("_", " ") for kind in (OrderStatus, StatusReason, BlockReason) for each in kind),
    *(each.name.lower().replace("_", sign) for each in OrderKind for sign in " -"),
    *("split", "dividend", "adjusted_close", "tick size", "lot size"),
    *("mapping values are not allowed in this context", "mapping values are not allowed here"),
    *("did not find expected key", "found unexpected end of stream", "could not find expected ':'"),
    *("did not find expected ',' or ']'", "did not find expected ',' or '}'"),
    *("found character that cannot start any token", "found unexpected ':'"),
)
"""What `word` is called with: members of enumerations, names of columns, and the complaints of the YAML parser."""


@dataclass(frozen=True)
class Call:
    """A `Message(...)` in the source: its place, its template (None where it's no literal) and its parameters."""

    place: str
    template: str | None
    parameters: frozenset[str]

    @property
    def fits(self) -> bool:
        """Whether its template is a literal whose places are its parameters; `**` may give others."""
        if self.template is None or not self.parameters:
            return self.template is not None
        places, named = places_in(self.template), self.parameters - {"None"}
        return named <= places if "None" in self.parameters else named == places

    @property
    def area(self) -> str:
        """The file for its translation."""
        return next((area for package, area in _AREAS.items() if self.place.startswith(package)), "engine.json")

    @property
    def is_shown(self) -> bool:
        """Whether the desktop can show it."""
        return not self.place.startswith(_NOT_SHOWN)


def places_in(template: str) -> frozenset[str]:
    """Return the names of a template's places."""
    return frozenset(name for _, name, _, _ in Formatter().parse(template) if name is not None)


@cache
def message_calls() -> tuple[Call, ...]:
    """Return every `Message(...)` in the source."""
    return tuple(_called(place, node) for place, node in _calls() if ast.unparse(node.func) == "Message")


def bare_texts() -> Iterator[str]:
    """Yield where an error, a problem or a line of a log is made of a text that is not a message."""
    for place, node in _calls():
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if not place.startswith("app") and ERRORS.fullmatch(name):
            texts = [*node.args, *(each.value for each in node.keywords if each.arg in ("message", "remedy"))]
            yield from (f"{place}: {ast.unparse(text)}" for text in texts if _is_bare(text))


def _is_bare(text: ast.expr) -> bool:
    if isinstance(text, ast.Constant):
        return isinstance(text.value, str) and " " in text.value
    if not isinstance(text, ast.JoinedStr):
        return False
    return any(isinstance(part, ast.Constant) and " " in str(part.value).strip() for part in text.values)


def _called(place: str, node: ast.Call) -> Call:
    first = node.args[0] if len(node.args) == 1 else None
    literal = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None
    return Call(place, literal, frozenset(str(each.arg) for each in node.keywords))


@cache
def _calls() -> tuple[tuple[str, ast.Call], ...]:
    return tuple(
        (f"{path.relative_to(ROOT).as_posix()}:{node.lineno}", node)
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    )


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
        for section in descriptions.sections()
        for name in descriptions.names(registry, section)
        for _, cls in descriptions.find(registry, name, section)
        if registry.owner("data_providers" if section == descriptions.SOURCES else section, name)
        in _builtin(registry.plugins)
        for what, text in _texts_of(cls, descriptions.describe(registry, section, cls))
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


def untranslated(table: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield each text that a language's table does not translate, where it is said, and the file for it."""
    phrases = Phrases(table)
    done: set[str] = set()
    for text, place, area in _wanted():
        if text not in done and phrases.sentence(text) is None:
            done.add(text)
            yield text, place, area


def _wanted() -> Iterator[tuple[str, str, str]]:
    yield from component_texts()
    yield from ((text, "WORDS", "engine.json") for text in WORDS)
    for call in message_calls():
        if call.template is not None and call.is_shown and has_words(call.template):
            yield call.template, call.place, call.area


def engine_keys() -> set[str]:
    """Return what the keys of a language's table can be that translate what the engine says, with and without stop."""
    texts = {*WORDS, *(text for text, _, _ in component_texts())}
    texts |= {call.template for call in message_calls() if call.template is not None}
    return texts | {text.removesuffix(".") for text in texts} | {f"{text}." for text in texts}
