"""Turning a wrong name, or pydantic's complaint about a value, into words for the author of a file."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from engine.api import Component, Problem
from engine.spec import InstrumentSpec, NodeSpec


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `Did you mean 'x'?` for the nearest known name, else the list of a few, else nothing."""
    names = list(known)
    lowered = {candidate.lower(): candidate for candidate in names}
    near = difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=0.6)
    if near:
        return f"Did you mean '{lowered[near[0]]}'?"
    if not names:
        return ""
    shown = ", ".join(names[:8])
    return f"There are: {shown}{', ...' if len(names) > len(names[:8]) else ''}."


def parameter_problems(
    error: ValidationError, model: type[BaseModel], owner: NodeSpec | InstrumentSpec, subject: str
) -> list[Problem]:
    """Return one located problem for each of pydantic's findings about a node's values."""
    found: dict[tuple[Any, ...], Problem] = {}
    for detail in error.errors(include_url=False):
        location = detail["loc"]
        name = str(location[0]) if location else ""
        index = location[1] if len(location) > 1 and isinstance(location[1], int) else None
        key = (name, index)
        if key in found:
            continue
        message, remedy = _words(dict(detail), name, model, subject)
        found[key] = _located(owner, str(detail["type"]), message, remedy, name, index)
    return list(found.values())


def _located(
    owner: NodeSpec | InstrumentSpec, code: str, message: str, remedy: str, name: str, index: int | None
) -> Problem:
    wrong_key = code == "extra_forbidden"
    if isinstance(owner, NodeSpec):
        return owner.problem(code, message, remedy, field=name or None, index=index, key=wrong_key)
    place = owner.place(name or None, key=wrong_key)
    path = f"{owner.path}.{name}" if name else owner.path
    return Problem(code, message, remedy, place.file, place.line, place.column, path, field=name)


def _words(detail: Mapping[str, Any], name: str, model: type[BaseModel], subject: str) -> tuple[str, str]:
    kind, value = detail["type"], detail.get("input")
    if kind == "extra_forbidden":
        return f"{subject} has no parameter '{name}'.", did_you_mean(name, model.model_fields)
    if kind == "missing":
        what = model.model_fields[name].description if name in model.model_fields else ""
        return f"{subject} needs '{name}'{f' ({what.rstrip(chr(46))})' if what else ''}.", "Add it."
    field = model.model_fields.get(name)
    ports = {port.name for port in model.inputs()} if issubclass(model, Component) else set()
    if field is not None and name in ports:
        return f"'{name}' of {subject} must name a node, such as bars.close or fast, was {_shown(value)}.", ""
    message = str(detail["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")
    verb = "" if kind == "value_error" else "must be "
    return f"'{name}' of {subject}: {verb}{message}{'' if kind == 'value_error' else f', was {_shown(value)}'}.", ""


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."  # noqa: PLR2004 - room for one line of a terminal
