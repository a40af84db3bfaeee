"""Several downloads one after another: what a user asks for by name, or everything that was downloaded before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from quantcrafter.engine.api import DataError, DownloadProvider, Market, Timeframe
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.wording import did_you_mean
from quantcrafter.engine.data.download.download import Conduct, Downloaded, Wish, download, not_downloaded
from quantcrafter.engine.data.download.network import UnreachableError
from quantcrafter.engine.data.store import BarStore, Series
from quantcrafter.engine.data.store.sources import made_of


class DownloadProviders(Protocol):
    """What knows the installed download providers and markets, such as the plugin registry."""

    def download_provider(self, name: str) -> type[DownloadProvider] | None:
        """Return the provider of that name, or None."""
        ...

    def download_provider_names(self) -> tuple[str, ...]:
        """Return the names of all."""
        ...

    @property
    def markets(self) -> tuple[Market, ...]:
        """The markets that are installed."""
        ...


class Task(NamedTuple):
    """One symbol to download, or why it can't be."""

    provider: DownloadProvider | None
    wish: Wish
    error: str = ""


class Outcome(NamedTuple):
    """What came of a task: the download, or why there is none."""

    symbol: str
    timeframe: Timeframe
    done: Downloaded | None = None
    error: str = ""


def provider_of(providers: DownloadProviders, source: str, options: Mapping[str, Any]) -> DownloadProvider:
    """Return the provider that `--from NAME` or `--from NAME:PLACE` names.

    Raises:
        DataError: there is none of that name, or an option is wrong.
    """
    name, _, place = source.partition(":")
    cls = providers.download_provider(name)
    if cls is None:
        names = providers.download_provider_names()
        hint = did_you_mean(name, names) or Message("Available: {names}.", names=", ".join(names))
        raise DataError(
            Message("There is no download provider '{name}'. {hint}", name=name, hint=hint), field="provider"
        )
    if place and not cls.place:
        raise DataError(
            Message("'{name}' takes nothing after a colon, was '{source}'. Leave it out.", name=name, source=source),
            field="provider",
        )
    if cls.place and not place and cls.place not in options:
        raise DataError(
            Message("'{name}' needs the {place}: write '{name}:NAME'.", name=name, place=cls.place), field="provider"
        )
    return made_of(cls, {**options, **({cls.place: place} if place else {})})


def updates(providers: DownloadProviders, series: Iterable[Series]) -> Iterator[Task]:
    """Yield the tasks that bring series up to date; those that weren't downloaded are errors."""
    for each in series:
        origin = each.origin
        if origin is None:
            yield Task(None, Wish(each.symbol, each.timeframe), str(not_downloaded(each)))
            continue
        wish = Wish(origin.symbol, each.timeframe, None, origin.adjustment, each.symbol)
        cls = providers.download_provider(origin.provider)
        if cls is None:
            text = Message(
                "{symbol} {timeframe} was downloaded by '{provider}', which isn't installed. Install its plugin again.",
                symbol=each.symbol,
                timeframe=each.timeframe,
                provider=origin.provider,
            )
            yield Task(None, wish, text)
            continue
        try:
            yield Task(made_of(cls, origin.options), wish)
        except DataError as error:
            yield Task(None, wish, str(error))


def download_tasks(
    store: BarStore, tasks: Iterable[Task], markets: Sequence[Market], conduct: Conduct
) -> Iterator[Outcome]:
    """Carry out tasks and yield what came of each; one that fails doesn't stop the others.

    A server that didn't answer isn't asked again for the symbols after it.

    Raises:
        RunCancelledError: it was stopped; what was downloaded is stored.
    """
    silent: dict[str, str] = {}
    for task in tasks:
        wish, provider = task.wish, task.provider
        error = task.error or (silent.get(repr(provider), "") if provider is not None else "")
        done = None
        if provider is not None and not error:
            try:
                done = download(store, provider, wish, markets, conduct)
            except UnreachableError as failure:
                silent[repr(provider)] = error = str(failure)
            except DataError as failure:
                error = str(failure)
        yield Outcome(wish.stored_as, wish.timeframe, done, error)
