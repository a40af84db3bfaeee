"""What a registered thing must be: one check for each hook, each naming what is wrong and how to fix it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from itertools import islice
from types import MappingProxyType
from typing import Any, TypeGuard

from quantcrafter.engine.api import (
    Broker,
    Capability,
    Component,
    ComponentFamily,
    DataProvider,
    DownloadProvider,
    EngineAdapter,
    Feed,
    FeedNode,
    Market,
    PositionNode,
    ResampleNode,
    Role,
    StrategyTemplate,
)
from quantcrafter.engine.api.component import NODE_KEYS
from quantcrafter.engine.api.message import Message, word
from quantcrafter.engine.api.universe import UNIVERSE_INPUTS, UniverseNode
from quantcrafter.engine.api.wording import alternatives
from quantcrafter.engine.plugins.info import PluginRefusedError

NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$")

COMPONENT_HOOKS = MappingProxyType(
    {
        "register_indicators": (Role.INDICATOR, Role.DATA),
        "register_logic": (Role.LOGIC,),
        "register_advisors": (Role.ADVISOR,),
        "register_filters": (Role.FILTER,),
        "register_executors": (Role.EXECUTION,),
        "register_risk_managers": (Role.RISK,),
        "register_money_managers": (Role.MONEY,),
    }
)
OTHER_HOOKS = MappingProxyType(
    {
        "register_data_providers": "data_providers",
        "register_download_providers": "download_providers",
        "register_markets": "markets",
        "register_engines": "engines",
        "register_feeds": "feeds",
        "register_brokers": "brokers",
        "register_strategies": "strategies",
    }
)
MOST_NAMES = 10_000
"""How many components a family may have."""
_COLUMN_ROLES = (Role.INDICATOR, Role.LOGIC, Role.ADVISOR, Role.FILTER)


def is_family(entry: object) -> TypeGuard[ComponentFamily]:
    """Return whether the entry builds component classes on demand."""
    return not inspect.isclass(entry) and all(hasattr(entry, part) for part in ("role", "names", "build"))


def check_component(entry: object, roles: Iterable[Role], hook: str) -> type[Component]:
    """Return the entry if it is a complete component class of one of the roles.

    Raises:
        PluginRefusedError: it is not; the message says what is missing.
    """
    if not (inspect.isclass(entry) and issubclass(entry, Component)):
        raise PluginRefusedError(
            Message("{hook} returned {entry}, which is not a subclass of Component.", hook=hook, entry=shown(entry))
        )
    _check_role(
        getattr(entry, "role", None), tuple(roles), Message("{hook} returned {entry}", hook=hook, entry=entry.__name__)
    )
    _check_named(entry, hook)
    kind = _KIND.get(entry.role) or Message("component")
    subject = Message("{kind} '{name}' ({entry})", kind=kind, name=entry.name, entry=entry.__name__)
    if not getattr(entry, "__pydantic_fields_complete__", True):
        raise PluginRefusedError(
            Message(
                "{subject} has a field annotation that names an unknown type. Import the type at the "
                "top of the module.",
                subject=subject,
            )
        )
    for key in NODE_KEYS:
        if key in entry.model_fields:
            raise PluginRefusedError(
                Message(
                    "{subject} has a field '{key}', which is reserved in the strategy file. Rename it.",
                    subject=subject,
                    key=key,
                )
            )
    _check_behaviour(entry, subject)
    return entry


def check_family_names(family: ComponentFamily, roles: Iterable[Role], hook: str) -> tuple[str, ...]:
    """Return the family's names, without building any of its classes.

    Raises:
        PluginRefusedError: its role does not fit the hook, or a name cannot stand in a strategy file.
    """
    label = type(family).__name__
    _check_role(family.role, tuple(roles), Message("{hook} returned the family {family}", hook=hook, family=label))
    names = tuple(islice(family.names(), MOST_NAMES + 1))
    if len(names) > MOST_NAMES:
        raise PluginRefusedError(
            Message(
                "{hook} returned the family {label} of more than {most_names:,} names.",
                hook=hook,
                label=label,
                most_names=MOST_NAMES,
            )
        )
    for name in names:
        check_name(name, Message("family {family}", family=label))
    return names


def check_built(entry: object, name: str, role: Role) -> type[Component]:
    """Return a class that a family built, if it is what its name promised.

    Raises:
        PluginRefusedError: it is not.
    """
    component = check_component(entry, (role,), Message("the family's build('{name}')", name=name))
    if component.name != name:
        raise PluginRefusedError(
            Message("build('{name}') returned a component named '{name_2}'.", name=name, name_2=component.name)
        )
    return component


def check_other(entry: object, hook: str) -> str:
    """Return the name of a provider, engine, feed, broker or template that is what its hook asks for.

    Raises:
        PluginRefusedError: it is not.
    """
    if hook == "register_strategies":
        return _check_template(entry)
    if hook == "register_markets":
        if not isinstance(entry, Market):
            raise PluginRefusedError(
                Message("{hook} returned {entry}, which is not a Market.", hook=hook, entry=shown(entry))
            )
        return entry.name
    base: type = {
        "register_data_providers": DataProvider,
        "register_download_providers": DownloadProvider,
        "register_engines": EngineAdapter,
        "register_feeds": Feed,
        "register_brokers": Broker,
    }[hook]
    if not (inspect.isclass(entry) and issubclass(entry, base)):
        raise PluginRefusedError(
            Message(
                "{hook} returned {entry}, which is not a subclass of {base_class}.",
                hook=hook,
                entry=shown(entry),
                base_class=base.__name__,
            )
        )
    _check_named(entry, hook)
    missing = sorted(getattr(entry, "__abstractmethods__", ()))
    if missing:
        raise PluginRefusedError(
            Message(
                "{base_class} '{name}' ({entry_class}) lacks {missing}.",
                base_class=base.__name__,
                name=entry.name,  # type: ignore[attr-defined]
                entry_class=entry.__name__,
                missing=", ".join(m + "()" for m in missing),
            )
        )
    if issubclass(entry, EngineAdapter):
        _check_capabilities(entry)
    return str(entry.name)  # type: ignore[attr-defined]


def _check_capabilities(entry: type[EngineAdapter]) -> None:
    for field, kind in (("capabilities", Capability), ("modes", str), ("packages", str)):
        values = getattr(entry, field)
        wrong = isinstance(values, str) or not all(isinstance(value, kind) for value in values)
        if wrong:
            raise PluginRefusedError(
                Message(
                    "EngineAdapter '{name}' ({entry_class}) must list {kind_class} values in `{field}`, was {values}.",
                    name=entry.name,
                    entry_class=entry.__name__,
                    kind_class=kind.__name__,
                    field=field,
                    values=repr(values),
                )
            )


_KIND = MappingProxyType(
    {
        Role.DATA: Message("data node"),
        Role.INDICATOR: Message("indicator"),
        Role.LOGIC: Message("logic"),
        Role.ADVISOR: Message("advisor"),
        Role.FILTER: Message("filter"),
        Role.RISK: Message("risk manager"),
        Role.MONEY: Message("money manager"),
        Role.EXECUTION: Message("execution logic"),
    }
)


def _check_template(entry: object) -> str:
    if not isinstance(entry, StrategyTemplate):
        raise PluginRefusedError(
            Message("register_strategies returned {entry}, which is not a StrategyTemplate.", entry=shown(entry))
        )
    if not entry.name.strip():
        raise PluginRefusedError(Message("register_strategies returned a StrategyTemplate without a name."))
    if not entry.path.is_file():
        raise PluginRefusedError(
            Message(
                "strategy template '{name}' must be a file, but '{path}' is not one.", name=entry.name, path=entry.path
            )
        )
    return entry.name


def _check_role(role: object, roles: tuple[Role, ...], subject: str) -> None:
    if role not in roles:
        hooks = [hook for hook, accepted in COMPONENT_HOOKS.items() if role in accepted]
        remedy = (
            Message("Return it from {hooks}.", hooks=hooks[0])
            if hooks
            else Message("Derive it from Indicator, Advisor, Filter, ...")
        )
        raise PluginRefusedError(
            Message(
                "{subject}, whose role is {role}, but only {roles} are allowed. {remedy}",
                subject=subject,
                role=f"'{role}'" if isinstance(role, str) else Message("missing"),
                roles=_either(roles),
                remedy=remedy,
            )
        )


def _check_named(entry: Any, hook: str) -> None:
    label = Message("{entry} (from {hook})", entry=entry.__name__, hook=hook)
    check_name(getattr(entry, "name", ""), label)
    if not (entry.__doc__ or "").strip():
        raise PluginRefusedError(
            Message("{label} has no docstring, which is the help that users see. Write one.", label=label)
        )


def check_name(name: object, label: str) -> None:
    """Check that a name can stand in files.

    Raises:
        PluginRefusedError: it cannot.
    """
    if not isinstance(name, str) or not name:
        raise PluginRefusedError(
            Message("{label} has no name. Set `name`, which is what the strategy file says.", label=label)
        )
    if NAME.match(name) is None:
        raise PluginRefusedError(
            Message(
                "{label} has the name {name}; a name is letters, digits and underscores, with dots between its parts.",
                label=label,
                name=repr(name),
            )
        )


def _check_behaviour(entry: type[Component], subject: str) -> None:
    if entry.role is Role.DATA:
        if not issubclass(entry, (ResampleNode, FeedNode)):
            raise PluginRefusedError(
                Message(
                    "{subject} derives from neither ResampleNode nor FeedNode, the two that the engine can carry out. "
                    "Add a source of bars as a DataProvider.",
                    subject=subject,
                )
            )
        return
    if issubclass(entry, PositionNode):
        if not _overridden(entry, "steps"):
            raise PluginRefusedError(
                Message("{subject} reads the position and has no steps(). Write it.", subject=subject)
            )
        return
    if issubclass(entry, UniverseNode):
        _check_universe_node(entry, subject)
    wanted = ("compute", "on_bar") if entry.role in _COLUMN_ROLES else ("rule", "on_bar")
    if not issubclass(entry, UniverseNode) and not any(_overridden(entry, method) for method in wanted):
        raise PluginRefusedError(
            Message(
                "{subject} has neither {wanted}() nor {wanted_2}(). Write one of them.",
                subject=subject,
                wanted=wanted[0],
                wanted_2=wanted[1],
            )
        )
    if entry.role is not Role.EXECUTION and not entry.outputs:
        raise PluginRefusedError(Message("{subject} has no outputs. List them in `outputs`.", subject=subject))
    entry.inputs()


def _check_universe_node(entry: type[UniverseNode], subject: str) -> None:
    """Refuse a node that sees the universe and can't be one."""
    if entry.role not in _COLUMN_ROLES:
        raise PluginRefusedError(
            Message(
                "{subject} sees the universe, which only indicators, logic, advisors and filters can.", subject=subject
            )
        )
    if not _overridden(entry, "across"):
        raise PluginRefusedError(Message("{subject} sees the universe and has no across(). Write it.", subject=subject))
    other = next((each for each in ("compute", "on_bar", "steps") if _overridden(entry, each)), None)
    if other is not None:
        raise PluginRefusedError(
            Message(
                "{subject} sees the universe, so {method}() would never be called. Remove it.",
                subject=subject,
                method=other,
            )
        )
    wrong = next((port for port in entry.inputs() if port.type not in UNIVERSE_INPUTS), None)
    if wrong is not None:
        raise PluginRefusedError(
            Message(
                "{subject} sees the universe, so its port '{port}' must take a series or a condition, not {type}.",
                subject=subject,
                port=wrong.name,
                type=word(wrong.type),
            )
        )


def _overridden(entry: type[Component], method: str) -> bool:
    own: Callable[..., Any] | None = getattr(entry, method, None)
    return own is not None and not str(getattr(own, "__module__", "")).startswith("quantcrafter.engine.api.")


def _either(roles: tuple[Role, ...]) -> str:
    return alternatives([str(role) for role in roles])


def shown(entry: object) -> str:
    """Return what a hook returned, for a message."""
    if inspect.isclass(entry):
        return Message("the class {name}", name=entry.__name__)
    text = repr(entry)
    return f"{type(entry).__name__} {text if len(text) <= 60 else text[:57] + '...'}"  # noqa: PLR2004 - one line of a message
