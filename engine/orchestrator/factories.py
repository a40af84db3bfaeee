"""The call of a user's worker class or function, which may take its parameters in one of three ways."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any


def takes_config(factory: Callable[..., Any]) -> bool:
    """Return whether a function takes everything in one mapping, its argument `config`."""
    taken = list(inspect.signature(factory).parameters.values())
    plain = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return len(taken) == 1 and taken[0].name == "config" and taken[0].kind in plain


def made_by(
    factory: Callable[..., Any], symbol: str, strategy_key: str, user_id: str | None, params: Mapping[str, Any]
) -> Any:
    """Return what a worker's class or function makes.

    1. A function of one argument `config` gets a mapping with all.
    2. One with an argument `params` gets the parameters in it, and the others by their names.
    3. Any other one gets symbol, strategy key and user in this order, and the parameters by their names. What takes
       fewer arguments in order, such as `**kwargs` alone, gets all of it by name, and the parameters in `params` too.
    """
    taken = inspect.signature(factory).parameters
    named = {"symbol": symbol, "strategy_key": strategy_key, "params": dict(params), "user_id": user_id}
    if takes_config(factory):
        return factory(named)
    takes_all = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in taken.values())
    if "params" not in taken and takes_all and not _takes_in_order(taken.values(), 3):
        return factory(**{**params, **named})
    if "params" not in taken:
        return factory(symbol, strategy_key, user_id, **params)
    return factory(**{name: value for name, value in named.items() if takes_all or name in taken})


def _takes_in_order(taken: Iterable[inspect.Parameter], count: int) -> bool:
    """Return whether a function takes so many arguments without their names."""
    kinds = [each.kind for each in taken]
    in_order = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return inspect.Parameter.VAR_POSITIONAL in kinds or sum(kind in in_order for kind in kinds) >= count
