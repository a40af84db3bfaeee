"""The reference page of every component: one Markdown document made from the classes themselves."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from quantcrafter.engine.api import Role
from quantcrafter.engine.plugins.descriptions import SOURCES, describe, find, names
from quantcrafter.engine.plugins.example import example_lines
from quantcrafter.engine.plugins.registry import Registry

TITLES = {
    Role.DATA: "Data nodes",
    Role.INDICATOR: "Indicators",
    Role.LOGIC: "Logic",
    Role.ADVISOR: "Advisors",
    Role.FILTER: "Filters",
    Role.RISK: "Risk managers",
    Role.MONEY: "Money managers",
    Role.EXECUTION: "Execution",
    SOURCES: "Data providers",
}
"""What a section of the strategy file is called in lists."""

_ANY_WIDTH = 1_000
_INTRODUCTION = """\
# Components

Everything that may stand in a strategy file, made by `quantcrafter nodes --markdown` from the classes themselves: this
is what the palette, the inspector and the validation go by. Plugins add theirs; `quantcrafter nodes NAME` shows one
with the same facts.

Inputs are wired to nodes of the named type; a series takes a number in place of a wire. Parameters without a default
must be given.
"""


def reference_page(registry: Registry, sections: tuple[str, ...], *, plugin: str = "", builtin: bool = False) -> str:
    """Return the page of all components of these sections.

    `plugin` leaves only those of one plugin, `builtin` only those of QuantCrafter itself.
    """
    wanted = {info.name for info in registry.plugins if (info.builtin or not builtin) and plugin in ("", info.name)}
    facts = {section: list(_facts(registry, section, wanted)) for section in sections}
    shown = {TITLES.get(section, section): each for section, each in facts.items() if each}
    parts = [_INTRODUCTION]
    for title, components in shown.items():
        links = ", ".join(f"[{each['name']}](#{_anchor(each['name'])})" for each in components)
        parts.append(f"**{title}**: {links}\n")
    for title, components in shown.items():
        parts += [f"## {title}\n", *map(_entry, components)]
    return "\n".join(parts)


def _facts(registry: Registry, section: str, plugins: Collection[str]) -> Iterator[dict[str, Any]]:
    for name in names(registry, section):
        for found, cls in find(registry, name, section):
            about = describe(registry, found, cls)
            if found == section and about["plugin"] in plugins:
                yield {**about, "example": "\n".join(example_lines(section, cls, _ANY_WIDTH))}


def _anchor(name: str) -> str:
    return re.sub(r"[^a-z0-9_-]", "", name.lower())


def _entry(facts: Mapping[str, Any]) -> str:
    lines = [f"### {facts['name']}", "", facts["help"], ""]
    for title, rows in (("Input", facts["inputs"]), ("Parameter", facts["parameters"])):
        if rows:
            lines += [f"| {title} | Type | Default | |", "|---|---|---|---|", *(_row(row) for row in rows), ""]
    if facts["outputs"]:
        lines += ["| Output | Type | |", "|---|---|---|"]
        lines += [f"| `{row['name']}` | {row['type']} | {_cell(row['description'])} |" for row in facts["outputs"]]
        lines += [""]
    if facts["warmup"] is not None:
        lookback = "the whole history" if facts["lookback"] is None else f"{facts['lookback']:,} bars"
        lines += [f"Warm-up {facts['warmup']:,} bars, lookback {lookback}, with the values of the example.", ""]
    if facts["formula_source"]:
        lines += [f"Source: {facts['formula_source']}", ""]
    elif "Source:" not in facts["help"]:
        lines += ["Source: the definition above.", ""]
    return "\n".join([*lines, "```yaml", facts["example"], "```", ""])


def _row(row: Mapping[str, Any]) -> str:
    kind = f"list of {row['type']}" if row.get("many") else str(row["type"])
    unit, limits = row.get("unit", ""), row.get("range", "")
    about = "; ".join(part for part in (limits, unit) if part)
    default = "required" if row["required"] else _cell("" if row["default"] is None else row["default"])
    text = f"{_cell(row['description'])}{f' ({about})' if about else ''}"
    return f"| `{row['name']}` | {_cell(kind)} | {default} | {text} |"


def _cell(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    return text.replace("|", "\\|").replace("\n", " ")
