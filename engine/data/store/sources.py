"""Sources of bars by the user's text: a provider's name, or a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

from pydantic import ValidationError

from quantcrafter.engine.api import DataError, DataProvider, DownloadProvider
from quantcrafter.engine.api.message import Message, joined
from quantcrafter.engine.api.schema_words import must, own_words
from quantcrafter.engine.api.wording import did_you_mean
from quantcrafter.engine.data.store.bar_files import SUFFIXES, file_provider

Provider = TypeVar("Provider", DataProvider, DownloadProvider)


class Providers(Protocol):
    """What knows the installed providers, such as the plugin registry."""

    def provider(self, name: str) -> type[DataProvider] | None:
        """Return the provider of that name, or None."""
        ...

    def provider_names(self) -> tuple[str, ...]:
        """Return the names of all."""
        ...


def source_of(providers: Providers, source: str, options: Mapping[str, Any]) -> DataProvider:
    """Return the provider that `source` names, or the one that reads the file it names.

    Raises:
        DataError: there is neither, or an option is wrong.
    """
    if source.lower().endswith(SUFFIXES):
        return file_provider(source, options)
    cls = providers.provider(source)
    if cls is None:
        names = providers.provider_names()
        hint = did_you_mean(source, names) or Message(
            "Available: {names}, and files in .csv or .parquet.", names=", ".join(names)
        )
        raise DataError(Message("There is no source '{source}'. {hint}", source=source, hint=hint))
    return make_provider(cls, options)


def make_provider(cls: type[DataProvider], options: Mapping[str, Any]) -> DataProvider:
    """Return a provider with these options.

    Raises:
        DataError: some are wrong; the message names every one.
    """
    return made_of(cls, options)


def made_of(cls: type[Provider], options: Mapping[str, Any]) -> Provider:
    """Return a provider, of bars or of downloads, with these options.

    Raises:
        DataError: some are wrong; the message names every one.
    """
    try:
        return cls.model_validate(dict(options))
    except ValidationError as error:
        faults: list[str] = []
        for details in error.errors(include_url=False, include_context=True):
            where = ".".join(str(part) for part in details["loc"])
            wish = must(dict(details))
            if details["type"] == "missing":
                faults.append(Message("'{where}' is needed", where=where))
            elif details["type"] == "extra_forbidden":
                faults.append(Message("there is no option '{where}'", where=where))
            elif wish:
                faults.append(Message("'{where}' must {wish}", where=where, wish=wish))
            else:
                words = own_words(dict(details))
                faults.append(Message("'{where}': {words}", where=where, words=words) if where else words)
        field = str(error.errors(include_url=False)[0]["loc"][:1] or "").strip("(),'")
        raise DataError(
            Message("Data provider '{name}': {faults}.", name=cls.name, faults=joined(faults, "; ")), field=field
        ) from error
