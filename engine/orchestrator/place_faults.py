"""What is wrong with the text after a feed's or broker's name, in the words of the house."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from pydantic import ValidationError

from quantcrafter.engine.api import Broker, Feed
from quantcrafter.engine.api.message import Message, joined, without_stop
from quantcrafter.engine.api.schema_words import must, own_words
from quantcrafter.engine.spec.field_messages import explain

_Place = TypeVar("_Place", Feed, Broker)


def made_from(cls: type[_Place], subject: str, text: str) -> _Place:
    """Return a feed or broker of the text after its name.

    Args:
        cls: its class.
        subject: what it is called in messages.
        text: the text, such as `60x,begin=2024-01-01`.

    Raises:
        ValueError: the text is wrong; the message says so in our words.
    """
    try:
        return cls.from_place(text)
    except ValidationError as error:
        raise ValueError(joined(_faults(error, cls, subject), "; ")) from error


def _faults(error: ValidationError, cls: type[Feed | Broker], subject: str) -> Iterator[str]:
    place, options = cls.place, [name for name in cls.model_fields if name != cls.place]
    for details in error.errors(include_url=False):
        name = ".".join(map(str, details["loc"]))
        said = without_stop(explain(details, name) if name and must(dict(details)) else own_words(dict(details)))
        if details["type"] == "extra_forbidden":
            known = ", ".join(options)
            yield (
                Message("{subject} has no option '{name}'; there are {known}", subject=subject, name=name, known=known)
                if options
                else Message("{subject} has no options, was given '{name}'", subject=subject, name=name)
            )
        elif place and name == place and details["type"] in ("missing", "string_too_short"):
            example = f"{cls.name}:{place.upper()}"
            yield Message("{subject} needs '{name}': write {example}", subject=subject, name=name, example=example)
        elif details["type"] == "missing":
            yield Message("{subject} needs the option '{name}': add ,{name}=VALUE", subject=subject, name=name)
        elif name and not must(dict(details)):
            yield Message("{name}: {said}", name=name, said=said)
        else:
            yield said
