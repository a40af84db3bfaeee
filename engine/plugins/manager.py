"""Finds the installed plugins, loads each separately, and adds their contents to one registry.

In order: 1. the entry points of the group `quantcrafter.plugins` are listed; QuantCrafter's own come first, then the
others by name, then the node files of the user's folder; 2. those that the user has disabled, and node files that they
have not allowed, are ignored; 3. each is imported, checked and its hooks are called; an exception excludes only that
plugin; 4. a plugin with a name that is already used in the same role is excluded completely.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from types import MappingProxyType

from quantcrafter.engine.api import ENTRY_POINT_GROUP, PluginError, Problem
from quantcrafter.engine.api.foreign import LOAD_LIMIT_S, claim
from quantcrafter.engine.api.home import home, node_folder
from quantcrafter.engine.api.message import Message, joined
from quantcrafter.engine.api.wording import did_you_mean, shown_path
from quantcrafter.engine.plugins.hooks import Contribution, of_plugin, read_plugin
from quantcrafter.engine.plugins.info import PluginInfo, PluginRefusedError, PluginStatus
from quantcrafter.engine.plugins.node_files import NODE_FILE_LIMIT_S, load_node_file, names_in, node_files
from quantcrafter.engine.plugins.registry import Registry
from quantcrafter.engine.plugins.switched_off import read_allowed, read_disabled, write_allowed, write_disabled

OWN_DISTRIBUTION = "quantcrafter"


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A plugin that is installed and not yet imported."""

    info: PluginInfo
    load: Callable[[], object]


def load_registry(*, extra_plugins: Sequence[tuple[str, object]] = ()) -> Registry:
    """Return the registry of everything installed; the same object for every call in a process.

    Args:
        extra_plugins: further plugins, as name and module or object, which come after the installed ones; with these
            the registry is built again.
    """
    if extra_plugins:
        return _load(tuple(extra_plugins))
    return _cached(home())


def fresh_registry() -> Registry:
    """Load everything again and return it; `load_registry` isn't changed. Can be called in any thread.

    Node files are run again; modules that are imported already are not.
    """
    return _load(())


def forget_registry() -> None:
    """Make the next `load_registry` look again; for tests and after plugins were installed or switched."""
    _cached.cache_clear()


def installed_plugins() -> tuple[PluginInfo, ...]:
    """Return every installed plugin, built-ins first, without importing any; disabled ones say so."""
    disabled, _ = read_disabled()
    return tuple(_marked(candidate.info, disabled) for candidate in (*_discover(), *_discover_files()))


def set_enabled(name: str, *, enabled: bool, forget: bool = True) -> PluginInfo:
    """Switch an installed plugin on or off for this user and return it as it now stands.

    Args:
        name: its name.
        enabled: whether it is to be loaded.
        forget: make the next `load_registry` look again; otherwise it holds from the next start.

    Raises:
        PluginError: there is no such plugin, or it is one of QuantCrafter's own.
    """
    disabled, unreadable = read_disabled()
    if unreadable is not None:
        raise PluginError(joined([unreadable.message, unreadable.remedy]))
    known = {info.name: info for info in reversed(installed_plugins())}
    if name not in known and not (enabled and name in disabled):
        remedy = did_you_mean(name, known) or Message("Installed: {known}.", known=", ".join(sorted(known)))
        raise PluginError(Message("There is no plugin '{name}'. {remedy}", name=name, remedy=remedy))
    info = known.get(name, PluginInfo(name))
    if info.builtin and not enabled:
        raise PluginError(Message("Plugin '{name}' is part of QuantCrafter itself and can't be disabled.", name=name))
    write_disabled(disabled - {name} if enabled else disabled | {name})
    if forget:
        forget_registry()
    return replace(info, status=PluginStatus.LOADED if enabled else PluginStatus.DISABLED)


def allow_file(name: str, *, forget: bool = True) -> PluginInfo:
    """Allow a node file of the user's folder and return it as it now stands.

    Args:
        name: its name, with or without `.py`.
        forget: make the next `load_registry` load it; otherwise the caller does so itself.

    Raises:
        PluginError: there is no such file, or the permission can't be stored.
    """
    known = {candidate.info.name: candidate.info for candidate in _discover_files()}
    wanted = name.removesuffix(".py")
    if wanted not in known:
        there = Message("Available: {names}.", names=", ".join(known)) if known else Message("The folder has none.")
        remedy = did_you_mean(wanted, known) or there
        raise PluginError(
            Message(
                "There is no node file '{name}.py' in '{folder}'. {remedy}",
                name=wanted,
                folder=shown_path(node_folder()),
                remedy=remedy,
            )
        )
    write_allowed(read_allowed() | {wanted})
    if forget:
        forget_registry()
    return replace(known[wanted], status=PluginStatus.LOADED)


@lru_cache(maxsize=4)
def _cached(_home: Path) -> Registry:
    return _load(())


def _load(extra: tuple[tuple[str, object], ...]) -> Registry:
    disabled, unreadable = read_disabled()
    candidates = [
        *_discover(),
        *_discover_files(),
        *(_Candidate(PluginInfo(name), partial(_itself, thing)) for name, thing in extra),
    ]
    total = Contribution()
    owners: dict[tuple[str, str], str] = {}
    plugins: dict[str, PluginInfo] = {}
    refused: list[PluginInfo] = []
    for candidate in candidates:
        info = _marked(candidate.info, disabled)
        if info.name in plugins:
            taken = plugins[info.name].distribution or Message("another plugin")
            refused.append(
                _failed(
                    info,
                    Message("its name is already that of a plugin of {taken}. Rename its entry point.", taken=taken),
                )
            )
            continue
        if info.status is PluginStatus.LOADED:
            info = _admit(candidate, total, owners)
        plugins[info.name] = info
    found = tuple(_with_names(info) for info in (*plugins.values(), *refused))
    problems = [unreadable, *(info.problem() for info in found)]
    return Registry(total.components, total.others, found, tuple(p for p in problems if isinstance(p, Problem)))


def _admit(candidate: _Candidate, total: Contribution, owners: dict[tuple[str, str], str]) -> PluginInfo:
    """Load one plugin and add what it brings to `total`; return how that went."""
    info = candidate.info
    try:
        with of_plugin(info.name, Message("its import"), NODE_FILE_LIMIT_S if info.file else LOAD_LIMIT_S):
            plugin = candidate.load()
        contribution = read_plugin(plugin, info.name)
        _check_free(contribution, owners)
    except PluginRefusedError as error:
        return _failed(info, str(error), error.traceback)
    for thing in (*contribution.components.values(), *contribution.others.values()):
        if isinstance(thing, type):
            claim(thing, info.name, builtin=info.builtin)
    for section, name in (*contribution.components, *contribution.others):
        owners[str(section), name] = info.name
    total.components.update(contribution.components)
    total.others.update(contribution.others)
    return replace(info, provides=MappingProxyType(contribution.provides()))


def _with_names(info: PluginInfo) -> PluginInfo:
    """Add the names that a node file which was left out may define."""
    if not info.file or info.status is PluginStatus.LOADED:
        return info
    return replace(info, may_provide=names_in(Path(info.file)))


def _check_free(contribution: Contribution, owners: dict[tuple[str, str], str]) -> None:
    for section, name in (*contribution.components, *contribution.others):
        owner = owners.get((str(section), name))
        if owner is not None:
            raise PluginRefusedError(
                Message(
                    "it registers '{name}' in {section}, which plugin '{owner}' has already taken. "
                    "Ask the author for another name, or disable one of the two.",
                    name=name,
                    section=section,
                    owner=owner,
                )
            )


def _itself(thing: object) -> object:
    return thing


def _discover() -> list[_Candidate]:
    """Return the installed plugins, QuantCrafter's own first, then by name."""
    known: dict[int, tuple[str, str]] = {}
    candidates = []
    for entry in importlib.metadata.entry_points(group=ENTRY_POINT_GROUP):
        distribution, version = _origin(entry, known)
        builtin = distribution.lower() == OWN_DISTRIBUTION
        info = PluginInfo(entry.name, version, distribution, builtin)
        candidates.append(_Candidate(info, entry.load))
    return sorted(candidates, key=lambda candidate: (not candidate.info.builtin, candidate.info.name))


def _discover_files() -> list[_Candidate]:
    """Return the node files of the user's folder, by name."""
    allowed = read_allowed()
    return [
        _Candidate(
            PluginInfo(
                path.stem,
                distribution="nodes",
                status=PluginStatus.LOADED if path.stem in allowed else PluginStatus.NOT_ALLOWED,
                file=str(path),
            ),
            partial(load_node_file, path),
        )
        for path in node_files()
    ]


def _origin(entry: importlib.metadata.EntryPoint, known: dict[int, tuple[str, str]]) -> tuple[str, str]:
    """Return name and version of the distribution; the entry points of one share the reading of its metadata."""
    distribution = entry.dist
    if distribution is None:
        return "", ""
    if id(distribution) not in known:
        try:
            metadata = distribution.metadata
            known[id(distribution)] = (metadata["Name"] or "", metadata["Version"] or "")
        except Exception:  # noqa: BLE001 - damaged metadata of somebody else's package must not stop us
            known[id(distribution)] = ("", "")
    return known[id(distribution)]


def _marked(info: PluginInfo, disabled: frozenset[str]) -> PluginInfo:
    off = info.name in disabled and not info.builtin
    return replace(info, status=PluginStatus.DISABLED) if off else info


def _failed(info: PluginInfo, error: str, traceback_text: str = "") -> PluginInfo:
    return replace(info, status=PluginStatus.FAILED, error=error, traceback=traceback_text)
