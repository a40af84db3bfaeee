"""Messages: English text that is made from a template and named parameters, and keeps both.

The template identifies a message: to show it in another language, the template is looked up and the parameters are
inserted into the translation. English text is never parsed. A message can be used as a string, its English text.
Operations that create another string, such as an f-string, `+` or `strip`, lose the template and the parameters: pass
messages to others as parameters, and combine them with `joined`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

import numpy as np

Json = str | dict[str, Any]


class Message(str):
    """A text for the user, with its template and parameters.

    `Message("'{name}' must be above 0, was {value:g}.", name=name, value=value)`: the template is a literal with named
    fields, which are filled as by `str.format`. Without parameters, the template is the text, including braces.

    An empty field leaves no space at either end of the text.

    A parameter that is a message is translated too. Any other text is not changed: the name of a node, a path, the
    message of another program. Other values are converted to text.

    Raises:
        KeyError: a field of the template has no parameter.
    """

    __slots__ = ("parameters", "template")
    template: str
    parameters: Mapping[str, Any]

    def __new__(cls, template: str, /, **parameters: object) -> Self:
        """Fill the places of a template."""
        kept = {name: _parameter(value) for name, value in parameters.items()}
        return cls.rebuilt(template, kept, filled(template, kept))

    @classmethod
    def rebuilt(cls, template: str, parameters: Mapping[str, Any], text: str) -> Self:
        """Return a message with a given text, which may be shortened."""
        made = super().__new__(cls, text)
        made.template, made.parameters = str.__str__(template), parameters
        return made

    def __str__(self) -> str:
        """Return the message itself, so that `str(error)` keeps the template and the parameters."""
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel between processes with template and parameters."""
        return Message.rebuilt, (self.template, dict(self.parameters), str.__str__(self))


def filled(template: str, parameters: Mapping[str, object]) -> str:
    """Return a template, or its translation, with its places filled."""
    return template.format(**parameters).strip() if parameters else template


def word(text: str) -> Message:
    """Return a text from a fixed list, such as a member of an enumeration, as a message, so that it is translated."""
    plain = str.__str__(text)
    return Message.rebuilt(plain, {}, plain)


def joined(parts: Iterable[str], sign: str = " ") -> Message:
    """Return texts joined with a separator, without empty ones; messages remain messages."""
    kept = [part for part in parts if part]
    if len(kept) == 1 and isinstance(kept[0], Message):
        return kept[0]
    places = {f"part{number}": part for number, part in enumerate(kept, 1)}
    return Message.rebuilt(sign.join(f"{{{name}}}" for name in places), places, sign.join(kept))


def without_stop(text: str) -> str:
    """Return a text without the full stop at its end, for use within another text."""
    if not isinstance(text, Message) or not text.endswith("."):
        return text.rstrip(".")
    template, parameters = text.template, dict(text.parameters)
    place = template.rpartition("{")[2].removesuffix("}")
    if template.endswith("}") and isinstance(parameters.get(place), str):
        parameters[place] = without_stop(parameters[place])
    return Message.rebuilt(template.rstrip("."), parameters, str.__str__(text).rstrip("."))


def to_json(text: str) -> Json:
    """Return a text for JSON: a message as its text, template and parameters, any other text unchanged."""
    if not isinstance(text, Message):
        return text
    parameters = {name: to_json(value) if isinstance(value, str) else value for name, value in text.parameters.items()}
    return {"text": str.__str__(text), "template": text.template, "parameters": parameters}


def from_json(kept: Json) -> str:
    """Return the text that `to_json` converted.

    Raises:
        KeyError, TypeError, AttributeError: it is nothing that `to_json` gives.
    """
    if isinstance(kept, str):
        return kept
    parameters = {
        name: from_json(value) if isinstance(value, (str, dict)) else value
        for name, value in kept["parameters"].items()
    }
    return Message.rebuilt(kept["template"], parameters, kept["text"])


def _parameter(value: object) -> str | int | float:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (Message, int, float)):
        return value
    return f"{value}"
