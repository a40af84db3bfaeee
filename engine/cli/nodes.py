"""`quantcrafter nodes`: what may stand in a strategy file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from quantcrafter.engine.api.wording import nearest
from quantcrafter.engine.cli.console import complain, console, print_json, table
from quantcrafter.engine.cli.installed import registry_with_warnings
from quantcrafter.engine.cli.main import DONE, WRONG_INPUT
from quantcrafter.engine.cli.streams import results
from quantcrafter.engine.plugins import Registry
from quantcrafter.engine.plugins.descriptions import describe, find, headline, names, sections
from quantcrafter.engine.plugins.reference import TITLES, reference_page

if TYPE_CHECKING:
    from rich.console import Console


def nodes(
    name: Annotated[str | None, typer.Argument(help="Show this node in full.", metavar="[NAME]")] = None,
    *,
    role: Annotated[
        str | None, typer.Option("--role", "-r", metavar="ROLE", help=f"Only this section: {', '.join(sections())}.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print all in full, as a Markdown page.")] = False,
) -> int:
    """List the installed nodes, or show one with its ports, parameters, outputs and an example."""
    if role is not None and role not in sections():
        raise typer.BadParameter(f"there is no section '{role}'; there are {', '.join(sections())}.")
    registry = registry_with_warnings(quiet=json or markdown)
    if markdown:
        results().write(reference_page(registry, (role,) if role else sections()))
        return DONE
    if name is None:
        _list(registry, [role] if role else list(sections()), json=json)
        return DONE
    found = find(registry, name, role)
    if not found:
        return _unknown(registry, name, role)
    facts = [describe(registry, section, cls) for section, cls in found]
    if json:
        print_json(facts if len(facts) > 1 else facts[0])
        return DONE
    out = console()
    for index, each in enumerate(facts):
        if index:
            out.print()
        _card(out, each)
    return DONE


def _list(registry: Registry, shown: list[str], *, json: bool) -> None:
    if json:
        print_json(
            [
                describe(registry, section, cls)
                for section in shown
                for name in names(registry, section)
                for found_section, cls in find(registry, name, section)
                if found_section == section
            ]
        )
        return
    out = console()
    width = max((len(name) for section in shown for name in names(registry, section)), default=0)
    blank = ""
    for section in shown:
        listed = names(registry, section)
        if listed:
            out.print(f"{blank}{TITLES.get(section, section)} ({len(listed)})", style="bold")
            _section(out, registry, section, width)
            blank = "\n"


def _section(out: Console, registry: Registry, section: str, width: int) -> None:
    from rich.text import Text

    groups: dict[str, list[tuple[str, str]]] = {}
    for name in names(registry, section):
        for _, cls in find(registry, name, section):
            groups.setdefault(getattr(cls, "category", ""), []).append((name, headline(cls)))
    room = max(out.width - width - 4, 20)
    for category, rows in groups.items():
        if category:
            out.print(f"  {category}", style="italic")
        for name, text in rows:
            shown = text if len(text) <= room or not out.is_terminal else f"{text[: room - 1]}…"
            out.print(Text.assemble((f"  {name:<{width}}", "cyan"), f"  {shown}"), soft_wrap=True)


def _unknown(registry: Registry, name: str, role: str | None) -> int:
    shown = [role] if role else sections()
    known = {each for section in shown for each in names(registry, section)}
    lowered = {each.lower(): each for each in known} | {each.rpartition(".")[2].lower(): each for each in known}
    close = dict.fromkeys(lowered[match] for match in nearest(name, lowered, 3))
    remedy = f"Did you mean {' or '.join(repr(each) for each in close)}?" if close else ""
    complain(f"There is no node '{name}'{f' in {role}' if role else ''}. {remedy or 'See quantcrafter nodes.'}")
    return WRONG_INPUT


def _card(out: Console, facts: dict[str, Any]) -> None:
    from rich.text import Text

    kind = TITLES.get(facts["role"], facts["role"]) + (f" · {facts['category']}" if facts["category"] else "")
    out.print(Text.assemble((facts["name"], "bold cyan"), f"  {kind}  ", (f"from {facts['plugin']}", "dim")))
    out.print(f"\n{reflowed(facts['help'])}")
    if facts["inputs"]:
        made = table("Inputs", "Type", "Default", "")
        for each in facts["inputs"]:
            kind = f"list of {each['type']}" if each["many"] else each["type"]
            made.add_row(each["name"], kind, _default(each), each["description"])
        out.print()
        out.print(made)
    if facts["parameters"]:
        made = table("Parameters", "Type", "Default", "Range", "")
        for each in facts["parameters"]:
            limits = f"{each['range']} {each['unit']}".strip()
            made.add_row(each["name"], each["type"], _default(each), limits, each["description"])
        out.print()
        out.print(made)
    if facts["outputs"]:
        made = table("Outputs", "Type", "")
        for each in facts["outputs"]:
            made.add_row(each["name"], each["type"], each["description"])
        out.print()
        out.print(made)
    _card_end(out, facts)


def _card_end(out: Console, facts: dict[str, Any]) -> None:
    if facts["warmup"] is not None:
        lookback = "the whole history" if facts["lookback"] is None else f"{facts['lookback']:,} bars"
        out.print(f"\nWarm-up {facts['warmup']:,} bars, lookback {lookback} (with the values of the example)")
    if facts["formula_source"]:
        out.print(f"Formula: {facts['formula_source']}")
    out.print("\nExample", style="bold")
    out.print(facts["example"], soft_wrap=True)


def _default(each: dict[str, Any]) -> str:
    if each["required"]:
        return "required"
    value = each["default"]
    if value is None or value in ([], {}):
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def reflowed(text: str) -> str:
    """Return the text with each paragraph as one line, for the terminal to wrap; indented lines and lists stay."""
    paragraphs = []
    for paragraph in text.split("\n\n"):
        lines = paragraph.split("\n")
        keep = any(line.startswith((" ", "- ", "* ")) for line in lines)
        paragraphs.append(paragraph if keep else " ".join(lines))
    return "\n\n".join(paragraphs)
