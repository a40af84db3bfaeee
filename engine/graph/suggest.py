"""Turning pydantic's complaint about a node's values into words for the author of a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from quantcrafter.engine.api import Component, Problem
from quantcrafter.engine.api.message import Message, word
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
        message = Message("{subject} has no parameter '{name}'.", subject=subject, name=name)
        return message, suggest(name, known) or _some_of(known)
    if kind == "missing":
        what = (known[name].description or "").rstrip(".") if name in known else ""
        message = (
            Message("{subject} needs '{name}' ({what}).", subject=subject, name=name, what=word(what))
            if what
            else Message("{subject} needs '{name}'.", subject=subject, name=name)
        )
        return message, Message("Add it.")
    whose = Message("'{name}' of {subject}", name=name, subject=subject) if name else subject
    if kind == "too_short":
        least = detail["ctx"]["min_length"]
        return Message("{whose} needs at least {least}, was {value}.", whose=whose, least=least, value=shown(value)), ""
    ports = {port.name for port in model.inputs()} if issubclass(model, Component) else set()
    if name in ports:
        node = Message("name a node, such as bars.close or fast")
        return Message("{whose} must {wish}, was {value}.", whose=whose, wish=node, value=shown(value)), ""
    wish = must(detail)
    if not wish:
        return Message("{whose}: {words}.", whose=whose, words=own_words(detail)), ""
    return Message("{whose} must {wish}, was {value}.", whose=whose, wish=wish, value=shown(value)), _remedy(detail)


def _remedy(detail: Mapping[str, Any]) -> str:
    limits = detail.get("ctx") or {}
    if "ge" in limits:
        return Message("Use {ge:g} or more.", ge=limits["ge"])
    if "le" in limits:
        return Message("Use {le:g} or less.", le=limits["le"])
    if "gt" in limits:
        return Message("Use more than {gt:g}.", gt=limits["gt"])
    return Message("Use less than {lt:g}.", lt=limits["lt"]) if "lt" in limits else ""


def _some_of(names: Mapping[str, Any]) -> str:
    if not names:
        return ""
    listed = ", ".join([*list(names)[:8], *(["..."] if len(names) > 8 else [])])  # noqa: PLR2004 - as many as fit
    return Message("It has: {listed}.", listed=listed)
