"""The call of a user's worker class or function, which may take its parameters in one of three ways."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
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
    3. Any other one gets symbol, strategy key and user in this order, and the parameters by their names.
    """
    taken = inspect.signature(factory).parameters
    named = {"symbol": symbol, "strategy_key": strategy_key, "params": dict(params), "user_id": user_id}
    if takes_config(factory):
        return factory(named)
    if "params" not in taken:
        return factory(symbol, strategy_key, user_id, **params)
    takes_all = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in taken.values())
    return factory(**{name: value for name, value in named.items() if takes_all or name in taken})
