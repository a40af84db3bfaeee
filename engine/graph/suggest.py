"""Turning pydantic's complaint about a node's values into words for the author of a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from quantcrafter.engine.api import Component, Problem
from quantcrafter.engine.api.schema_words import must, own_words
from quantcrafter.engine.spec import InstrumentSpec, NodeSpec, Suggester
from quantcrafter.engine.spec.source import shown

Owner = NodeSpec | InstrumentSpec


def parameter_problems(
    error: ValidationError, model: type[BaseModel], owner: Owner, subject: str, suggest: Suggester
) -> list[Problem]:
    """Return one located problem for each of pydantic's findings about the values of a node or an instrument."""
    found: dict[tuple[Any, ...], Problem] = {}
    for detail in error.errors(include_url=False):
        location = detail["loc"]
        name = str(location[0]) if location else ""
        index = location[1] if len(location) > 1 and isinstance(location[1], int) else None
        if (name, index) not in found:
            message, remedy = _words(dict(detail), name, model, subject, suggest)
            found[name, index] = owner_problem(owner, str(detail["type"]), message, remedy, name, index)
    return list(found.values())


def owner_problem(owner: Owner, code: str, message: str, remedy: str, name: str, index: int | None = None) -> Problem:
    """Return a problem at a field of a node or an instrument."""
    wrong_key = code == "extra_forbidden"
    if isinstance(owner, NodeSpec):
        return owner.problem(code, message, remedy, field=name or None, index=index, key=wrong_key)
    place = owner.place(name or None, key=wrong_key)
    path = f"{owner.path}.{name}" if name else owner.path
    return Problem(code, message, remedy, place.file, place.line, place.column, path, field=name)


def _words(
    detail: Mapping[str, Any], name: str, model: type[BaseModel], subject: str, suggest: Suggester
) -> tuple[str, str]:
    kind, value = detail["type"], detail.get("input")
    known = model.model_fields
    if kind == "extra_forbidden":
        return f"{subject} has no parameter '{name}'.", suggest(name, known) or _some_of(known)
    if kind == "missing":
        what = (known[name].description or "").rstrip(".") if name in known else ""
        return f"{subject} needs '{name}'{f' ({what})' if what else ''}.", "Add it."
    whose = f"'{name}' of {subject}" if name else subject
    if kind == "too_short":
        return f"{whose} needs at least {detail['ctx']['min_length']}, was {shown(value)}.", ""
    ports = {port.name for port in model.inputs()} if issubclass(model, Component) else set()
    if name in ports:
        return f"{whose} must name a node, such as bars.close or fast, was {shown(value)}.", ""
    wish = must(detail)
    if not wish:
        return f"{whose}: {own_words(detail)}.", ""
    return f"{whose} must {wish}, was {shown(value)}.", _remedy(detail)


def _remedy(detail: Mapping[str, Any]) -> str:
    limits = detail.get("ctx") or {}
    for key, words in (("ge", "Use {0} or more."), ("le", "Use {0} or less."), ("gt", "Use more than {0}.")):
        if key in limits:
            return words.format(f"{limits[key]:g}")
    return f"Use less than {limits['lt']:g}." if "lt" in limits else ""


def _some_of(names: Mapping[str, Any]) -> str:
    shown_names = ", ".join(list(names)[:8])
    return f"It has: {shown_names}{', ...' if len(names) > len(shown_names.split(', ')) else ''}." if names else ""
