"""Help as HTML: what a component, a block or the bars are for, made from what they say of themselves. No Qt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from pydantic import BaseModel

from quantcrafter.app.document.view import BARS, NodeView
from quantcrafter.app.inspector import typed_values
from quantcrafter.app.services.i18n import tr, translated
from quantcrafter.app.services.type_names import family_member, port_type_name
from quantcrafter.app.theme.colors import Theme
from quantcrafter.engine.api import Component, PortType, Role
from quantcrafter.engine.plugins import descriptions
from quantcrafter.engine.plugins.example import example_lines

_CODE = re.compile(r"`([^`]+)`")


def component_html(cls: type[Component], theme: Theme, plugin: str = "") -> str:
    """Return everything about a component: help, ports, parameters, outputs, warm-up, formula source, example."""
    warmup, lookback = descriptions.memory(cls)
    parts = [
        _title(cls.name, family_member(cls.role), theme.family(cls.role.value), translated(cls.category), plugin),
        paragraphs(translated(cls.help())),
        _table(tr("Inputs"), _input_rows(descriptions.inputs(cls)), theme),
        _table(tr("Parameters"), _parameter_rows(descriptions.parameters(cls)), theme),
        _table(tr("Outputs"), _output_rows((o.name, o.type, o.description) for o in cls.outputs), theme),
    ]
    if warmup is not None:
        memory = tr("the whole history") if lookback is None else tr("{count} bars", count=lookback)
        parts.append(_line(tr("Warm-up"), tr("{count} bars, as in the example", count=warmup)))
        parts.append(_line(tr("Lookback"), memory))
    if cls.formula_source:
        parts.append(_line(tr("Formula"), translated(cls.formula_source)))
    parts.append(_example(cls.role, cls, theme))
    return "".join(parts)


def node_html(node: NodeView, theme: Theme, description: str = "") -> str:
    """Return what there is to say about bars, a block, a block's input or a placeholder."""
    if node.id == BARS and node.role is None:
        title = _title(tr("Bars"), tr("The instrument's own bars"), theme.family("bars"))
        text = tr(
            "Open, high, low, close and volume of the instrument, one row per bar. Available "
            "at every level of the graph."
        )
    elif node.role is None:
        title = _title(node.id, tr("Input of the block"), theme.family("inputs"))
        text = tr("It receives what is wired to the block from outside.")
    elif node.block:
        title = _title(node.use, tr("Block"), theme.family(node.role.value))
        text = description or tr("A subgraph that is used like a node.")
    else:
        title = _title(node.use or "?", tr("Not installed"), theme.unknown)
        text = tr("No installed plugin provides this component. The file keeps its values and wires.")
    inputs = _output_rows((port.name, port.type, port.description) for port in node.inputs)
    outputs = _output_rows((port.name, port.type, port.description) for port in node.outputs)
    return title + paragraphs(text) + _table(tr("Inputs"), inputs, theme) + _table(tr("Outputs"), outputs, theme)


def paragraphs(text: str) -> str:
    """Return a docstring as HTML: blank lines part paragraphs, backticks mark code, dashes begin list items."""
    made = []
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = block.splitlines()
        if lines and all(line.lstrip().startswith(("- ", "* ")) or line.startswith("  ") for line in lines):
            items = re.split(r"\n\s*[-*] ", "\n" + block)[1:]
            made.append("<ul>" + "".join(f"<li>{_inline(item)}</li>" for item in items) + "</ul>")
        else:
            made.append(f"<p>{_inline(block)}</p>")
    return "".join(made)


def _inline(text: str) -> str:
    return _CODE.sub(r"<code>\1</code>", escape(" ".join(text.split()), quote=False))


def _title(name: str, family: str, color: str, category: str = "", plugin: str = "") -> str:
    shown = name.removeprefix("ta.")
    small = " · ".join(escape(part) for part in (family, category, name if name != shown else "", plugin) if part)
    return f'<h2 style="color:{color}; margin-bottom:0">{escape(shown)}</h2><p class="dim">{small}</p>'


def _line(name: str, text: str) -> str:
    return f"<p><b>{escape(name)}:</b> {_inline(text)}</p>"


def _table(title: str, rows: Sequence[tuple[str, str, str]], theme: Theme) -> str:
    if not rows:
        return ""
    body = "".join(
        f'<tr><td style="padding:2px 8px 2px 0"><b>{escape(name)}</b></td>'
        f'<td style="padding:2px 0"><span class="dim">{escape(about)}</span>{"<br>" if about and text else ""}'
        f"{_inline(translated(text))}</td></tr>"
        for name, about, text in rows
    )
    return f'<h4 style="color:{theme.text_dim}">{escape(title)}</h4><table cellspacing="0">{body}</table>'


def _input_rows(inputs: Iterable[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    rows = []
    for entry in inputs:
        about = [port_type_name(PortType(entry["type"]))]
        if entry["many"]:
            about.append(tr("several wires"))
        if entry["required"]:
            about.append(tr("required"))
        elif entry["default"]:
            about.append(tr("default {value}", value=typed_values.show(entry["default"])))
        rows.append((entry["name"], " · ".join(about), entry["description"]))
    return rows


def _parameter_rows(parameters: Iterable[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    rows = []
    for entry in parameters:
        about = [entry["type"], entry["range"], translated(entry["unit"])]
        if entry["required"]:
            about.append(tr("required"))
        elif entry["default"] not in (None, "", [], {}):
            about.append(tr("default {value}", value=typed_values.show(entry["default"])))
        if entry["advanced"]:
            about.append(tr("advanced"))
        rows.append((entry["name"], " · ".join(part for part in about if part), entry["description"]))
    return rows


def _output_rows(outputs: Iterable[tuple[str, PortType | None, str]]) -> list[tuple[str, str, str]]:
    return [(name, port_type_name(kind), text) for name, kind, text in outputs]


def _example(role: Role, cls: type[BaseModel], theme: Theme) -> str:
    text = escape("\n".join(example_lines(role.value, cls)), quote=False)
    return (
        f'<h4 style="color:{theme.text_dim}">{escape(tr("Example"))}</h4>'
        f'<pre style="background:{theme.field}; color:{theme.code_string}; white-space:pre-wrap">{text}</pre>'
    )
