"""Pydantic's findings in the words of the house: subject, constraint, actual value."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.schema_words import must, own_words
from quantcrafter.engine.spec.source import Suggester, shown


def explain(error: ErrorDetails, subject: str) -> str:
    """Return one sentence for one finding of pydantic; `subject` names the field."""
    actual = error["input"]
    if error["type"] == "missing":
        return Message("'{subject}' is missing.", subject=subject)
    if error["type"] == "extra_forbidden":
        return Message("There is no setting '{subject}' here.", subject=subject)
    wish = must(dict(error))
    if not wish:
        return Message(
            "'{subject}' is refused: {own_words}, was {actual}.",
            subject=subject,
            own_words=own_words(dict(error)),
            actual=shown(actual),
        )
    return Message("'{subject}' must {wish}, was {actual}.", subject=subject, wish=wish, actual=shown(actual))


def findings(
    error: ValidationError, model: type[BaseModel], suggest: Suggester
) -> Iterable[tuple[tuple[str, ...], str, str]]:
    """Yield (keys down to the field, message, remedy) for each finding, one a field."""
    done: set[tuple[str, ...]] = set()
    for details in error.errors(include_url=False):
        names, owner = _split(details["loc"], model)
        if names in done:
            continue
        done.add(names)
        remedy = suggest(names[-1], owner.model_fields) if names and details["type"] == "extra_forbidden" else ""
        yield names, explain(details, ".".join(names)), remedy


def _split(loc: tuple[int | str, ...], model: type[BaseModel]) -> tuple[tuple[str, ...], type[BaseModel]]:
    """Return the field names in `loc`, without pydantic's union members, and the model that has the last one."""
    names: list[str] = []
    for step in loc:
        names.append(str(step))
        inner: Any = model.model_fields[str(step)].annotation if str(step) in model.model_fields else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            break
        if len(names) < len(loc):
            model = inner
    return tuple(names), model
