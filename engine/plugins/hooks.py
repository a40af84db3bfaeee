"""Reads one plugin: finds, checks and calls its hooks, and collects their results."""

from __future__ import annotations

import difflib
import inspect
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from types import ModuleType
from typing import Any

import pluggy

from quantcrafter.engine.api import API_VERSION, Component, ComponentFamily, Role, hookspecs
from quantcrafter.engine.api.foreign import LOAD_LIMIT_S, LOAD_SLOW_S, EscapedError, TooLongError, foreign, text_of
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.plugins.checks import (
    COMPONENT_HOOKS,
    OTHER_HOOKS,
    check_component,
    check_family_names,
    check_other,
    is_family,
)
from quantcrafter.engine.plugins.desktop_checks import DESKTOP_HOOKS
from quantcrafter.engine.plugins.info import PluginRefusedError

API_ATTRIBUTE = "QUANTCRAFTER_API"
MOST_ENTRIES = 10_000
"""Maximum number of items from a hook: a generator may be infinite."""


@dataclass
class Contribution:
    """What one plugin adds, checked but not yet compared with the other plugins.

    `components` maps a role and a name to a class, or to the family that builds it; `others` maps a kind
    (`data_providers`, `download_providers`, `markets`, `engines`, `feeds`, `brokers`, `strategies`, `actions`,
    `panes`) and a name to the thing itself.
    """

    components: dict[tuple[Role, str], type[Component] | ComponentFamily] = field(default_factory=dict)
    others: dict[tuple[str, str], Any] = field(default_factory=dict)

    def provides(self) -> dict[str, tuple[str, ...]]:
        """Return the names by section."""
        sections: dict[str, list[str]] = {}
        for section, name in (*self.components, *self.others):
            sections.setdefault(str(section), []).append(name)
        return {section: tuple(names) for section, names in sections.items()}


@cache
def hook_names() -> tuple[str, ...]:
    """Return the names of all hooks."""
    return tuple(name for name in vars(hookspecs) if name.startswith("register_"))


@contextmanager
def of_plugin(name: str, what: str, limit_s: float = LOAD_LIMIT_S) -> Iterator[None]:
    """Call a plugin's code so that its effects are limited to that plugin.

    Raises:
        PluginRefusedError: it raised, or took too long; the message says what did.
    """
    try:
        with foreign(Message("Plugin '{name}'", name=name), Message("loading"), slow_s=LOAD_SLOW_S, limit_s=limit_s):
            yield
    except PluginRefusedError:
        raise
    except TooLongError as error:
        raise PluginRefusedError(Message("{what} {error}.", what=what, error=str(error))) from error
    except EscapedError as error:
        raise PluginRefusedError(
            Message("{what} raised {error}", what=what, error=str(error)), traceback=traceback.format_exc()
        ) from error
    except Exception as error:
        text = Message("{what} raised {type}: {text}", what=what, type=type(error).__name__, text=text_of(error))
        raise PluginRefusedError(text, traceback=traceback.format_exc()) from error


def read_plugin(plugin: object, name: str = "") -> Contribution:
    """Return what the plugin adds, after checking all of it.

    Each plugin gets a pluggy manager of its own and each hook is called by itself, so that whatever one plugin does
    ends with that plugin.

    Raises:
        PluginRefusedError: the plugin breaks the contract, or one of its hooks raised.
    """
    with of_plugin(name, Message("it")):
        _check_api(plugin)
        hooks = _hooks(plugin)
    contribution = Contribution()
    for hook_name in hook_names():
        function = hooks.get(hook_name)
        if function is not None:
            for entry in _entries(hook_name, function, name):
                with of_plugin(name, Message("{hook} returned something that", hook=hook_name)):
                    _add(contribution, hook_name, entry)
    return contribution


def _hooks(plugin: object) -> dict[str, Callable[[], object]]:
    if inspect.isclass(plugin):
        raise PluginRefusedError(
            Message(
                "its entry point names the class {plugin_class}. Name a module or an instance.",
                plugin_class=plugin.__name__,
            )
        )
    return _implementations(plugin)


def _check_api(plugin: object) -> None:
    wanted = getattr(plugin, API_ATTRIBUTE, API_VERSION)
    if wanted == API_VERSION:
        return
    if not isinstance(wanted, int):
        raise PluginRefusedError(
            Message(
                "{api_attribute} must be a whole number, was {wanted}.",
                api_attribute=API_ATTRIBUTE,
                wanted=repr(wanted),
            )
        )
    remedy = Message("Upgrade QuantCrafter.") if wanted > API_VERSION else Message("Upgrade the plugin.")
    raise PluginRefusedError(
        Message(
            "it is written for version {wanted} of the plugin interface and this QuantCrafter has "
            "version {api_version}. "
            "{remedy}",
            wanted=wanted,
            api_version=API_VERSION,
            remedy=remedy,
        )
    )


def _implementations(plugin: object) -> dict[str, Callable[[], object]]:
    """Return the plugin's hook functions by name, refusing misspelt names and wrong arguments."""
    _check_unmarked(plugin)
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    try:
        manager.register(plugin, name="plugin")
    except pluggy.PluginValidationError as error:
        raise PluginRefusedError(_signature_message(plugin) or str(error)) from error
    found: dict[str, Callable[[], object]] = {}
    for caller in manager.get_hookcallers(plugin) or ():
        if not caller.has_spec():
            raise PluginRefusedError(
                Message("{name} is not a hook. {hint}", name=caller.name, hint=_did_you_mean(caller.name))
            )
        for implementation in caller.get_hookimpls():
            if implementation.wrapper or implementation.hookwrapper:
                raise PluginRefusedError(
                    Message("{name} is a wrapper; hooks are called one by one, without wrappers.", name=caller.name)
                )
            found[caller.name] = implementation.function
    if not found:
        raise PluginRefusedError(
            Message(
                "it implements no hook. Mark its functions with @hookimpl: {hook_names}.",
                hook_names=", ".join(hook_names()),
            )
        )
    return found


def _check_unmarked(plugin: object) -> None:
    """Reject functions that look like hooks but lack the mark: pluggy would ignore them without a message."""
    for name, member in vars(plugin).items() if isinstance(plugin, ModuleType) else ():
        if not (name.startswith("register_") and inspect.isfunction(member)) or _is_marked(member):
            continue
        if name in hook_names() or (member.__module__ == vars(plugin)["__name__"] and _closest(name)):
            raise PluginRefusedError(
                Message("{name} lacks the mark @hookimpl. Put it above the function.", name=name)
                if name in hook_names()
                else Message(
                    "{name} lacks the mark @hookimpl and is not a hook. {hint}", name=name, hint=_did_you_mean(name)
                )
            )


def _is_marked(function: Callable[..., object]) -> bool:
    return hasattr(function, f"{hookspecs.PROJECT}_impl")


def _signature_message(plugin: object) -> str:
    for name in hook_names():
        function = getattr(plugin, name, None)
        if function is None or not callable(function):
            continue
        given = list(inspect.signature(function).parameters)
        allowed = list(inspect.signature(getattr(hookspecs, name)).parameters)
        extra = [argument for argument in given if argument not in allowed]
        if extra:
            listed = ", ".join(f"'{argument}'" for argument in extra)
            wanted = ", ".join(f"'{argument}'" for argument in allowed) or Message("no arguments")
            return Message(
                "{name} asks for {listed}, but the hook has {wanted}. Change the function's arguments.",
                name=name,
                listed=listed,
                wanted=wanted,
            )
    return ""


def _entries(hook_name: str, function: Callable[[], object], name: str) -> tuple[object, ...]:
    with of_plugin(name, hook_name):
        result = function()
        if isinstance(result, Iterable) and not isinstance(result, (str, bytes, type)):
            entries = tuple(islice(result, MOST_ENTRIES + 1))
            if len(entries) > MOST_ENTRIES:
                raise PluginRefusedError(
                    Message(
                        "{hook_name} returned more than {most_entries:,} items, or is endless. Return a family "
                        "for more.",
                        hook_name=hook_name,
                        most_entries=MOST_ENTRIES,
                    )
                )
            return entries
    raise PluginRefusedError(
        Message(
            "{hook_name} must return a list, returned {type} instead.", hook_name=hook_name, type=type(result).__name__
        )
    )


def _add(contribution: Contribution, hook_name: str, entry: object) -> None:
    if hook_name in OTHER_HOOKS:
        _put(contribution.others, (OTHER_HOOKS[hook_name], check_other(entry, hook_name)), entry)
        return
    if hook_name in DESKTOP_HOOKS:
        kind, check = DESKTOP_HOOKS[hook_name]
        _put(contribution.others, (kind, check(entry)), entry)
        return
    roles = COMPONENT_HOOKS[hook_name]
    if is_family(entry):
        for name in check_family_names(entry, roles, hook_name):
            _put(contribution.components, (entry.role, name), entry)
    else:
        component = check_component(entry, roles, hook_name)
        _put(contribution.components, (component.role, component.name), component)


def _put(table: dict[Any, Any], key: tuple[Any, str], entry: object) -> None:
    if key in table:
        raise PluginRefusedError(
            Message("it registers '{key}' twice in {key_2}. Give one of them another name.", key=key[1], key_2=key[0])
        )
    table[key] = entry


def _closest(name: str) -> str:
    return next(iter(difflib.get_close_matches(name, hook_names(), n=1, cutoff=0.8)), "")


def _did_you_mean(name: str) -> str:
    match = next(iter(difflib.get_close_matches(name, hook_names(), n=1)), "")
    return (
        Message("Did you mean {match}?", match=match)
        if match
        else Message("The hooks are {hook_names}.", hook_names=", ".join(hook_names()))
    )
