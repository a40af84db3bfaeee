"""What a strategy key means: a strategy file or a class, from a row, the configuration, a hook, a folder, or ours.

The first that knows the key wins:

1. a class that is named beside it (`engine_class` of a row),
2. the configuration's `strategies`: a file, or a class as `package.module.Class`,
3. the strategies of plugins (`register_strategies`), by name or by the name of their file,
4. the folder `strategies` of the user's data folder: `KEY.yaml`,
5. the strategies that come with the program: `turtle`, `dragon` and `hidden_dragon`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.home import home
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.wording import did_you_mean, shown_path
from quantcrafter.engine.data.markets import market_for
from quantcrafter.engine.spec import check_strategy_file

if TYPE_CHECKING:
    from quantcrafter.engine.plugins import Registry
    from quantcrafter.engine.spec import StrategySpec

SHIPPED = {
    "turtle": "examples/turtle.yaml",
    "dragon": "strategies/dragon.yaml",
    "hidden_dragon": "strategies/hidden_dragon.yaml",
}
"""The strategies that come with the program, with their files below `resources`."""

ALIASES: Mapping[str, Mapping[str, tuple[str, float]]] = {
    "hidden_dragon": {
        "limit_up_rate": ("logic.boom.right", 100.0),
        "max_callback_days": ("logic.booms.bars", 1.0),
        "stop_loss_pct": ("risk.stop.percent", 100.0),
        "take_profit_pct": ("risk.target.percent", 100.0),
    },
    "dragon": {
        "limit_up_rate": ("logic.boom.right", 100.0),
        "stop_loss_pct": ("risk.stop.percent", 100.0),
    },
}
"""Parameters as rows of the first generation call them: where they stand in the file, and by what to multiply them."""

_CLASS = re.compile(r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$")
_KEY = re.compile(r"^[\w.-]+$")
_ENDINGS = (".yaml", ".yml")
_SECTIONS = ("data", "indicators", "logic", "advisors", "filters", "risk", "money", "execution")


@dataclass(frozen=True, slots=True)
class FoundStrategy:
    """What a strategy key means.

    Of a file: its `path`, and the `overrides` that give it the symbol and the parameters. Of a class: its path as
    `engine_class`, and the `engine` it is written for, '' if that isn't said.
    """

    key: str
    path: Path | None = None
    overrides: tuple[str, ...] = ()
    engine_class: str = ""
    engine: str = ""

    @property
    def is_class(self) -> bool:
        """Whether it is a class."""
        return bool(self.engine_class)


def strategies_folder() -> Path:
    """Return the folder for strategy files by key; it need not exist."""
    return home() / "strategies"


def find_strategy(
    key: str,
    registry: Registry,
    *,
    symbol: str = "",
    params: Mapping[str, Any] | None = None,
    engine: str = "",
    engine_class: str = "",
    known: Mapping[str, Any] | None = None,
    folder: Path | None = None,
) -> FoundStrategy:
    """Return what a strategy key means.

    Args:
        key: the strategy key, or the path of a file.
        registry: the installed components.
        symbol: the symbol to trade in place of that of the file; '' for the file's own.
        params: parameters by name: `node.field`, the path of a value, or a name that only one node has.
        engine: the engine that a class is written for.
        engine_class: the class, where a row names it.
        known: the configuration's `strategies`: by key a file, a class, or a mapping with `engine` and `engine_class`.
        folder: the folder for strategy files by key; that of the user's data folder if left out.

    Raises:
        RunError: nothing knows the key, or a parameter is unknown.
        SpecError: the file can't be read.
    """
    if engine_class:
        return FoundStrategy(key, engine_class=engine_class, engine=engine)
    configured = (known or {}).get(key)
    if isinstance(configured, Mapping):
        path = str(configured.get("engine_class", ""))
        return FoundStrategy(key, engine_class=path, engine=engine or str(configured.get("engine", "")))
    if isinstance(configured, str) and _CLASS.match(configured) and not configured.endswith(_ENDINGS):
        return FoundStrategy(key, engine_class=configured, engine=engine)
    place = folder or strategies_folder()
    path_found = Path(configured).expanduser() if isinstance(configured, str) else _file_of(key, registry, place)
    if path_found is None:
        raise _unknown(key, registry, known or {}, place)
    return FoundStrategy(key, path_found, tuple(_overrides(key, path_found, registry, symbol, params or {})))


def strategy_keys(
    registry: Registry, known: Mapping[str, Any] | None = None, folder: Path | None = None
) -> tuple[str, ...]:
    """Return all strategy keys that are known, sorted."""
    names = [each.path.stem for each in registry.strategies]
    try:
        own = [each.stem for each in (folder or strategies_folder()).iterdir() if each.suffix in _ENDINGS]
    except OSError:
        own = []
    return tuple(sorted({*SHIPPED, *names, *own, *(known or {})}))


def _file_of(key: str, registry: Registry, folder: Path) -> Path | None:
    if key.endswith(_ENDINGS) and Path(key).is_file():
        return Path(key)
    if not _KEY.match(key):
        return None
    for template in registry.strategies:
        if key in (template.name, template.path.stem):
            return template.path
    for ending in _ENDINGS:
        own = folder / f"{key}{ending}"
        if own.is_file():
            return own
    if key not in SHIPPED:
        return None
    return _shipped(key)


def _shipped(key: str) -> Path:
    return Path(str(resources.files("quantcrafter.resources").joinpath(SHIPPED[key])))


def _unknown(key: str, registry: Registry, known: Mapping[str, Any], folder: Path) -> RunError:
    names = strategy_keys(registry, known, folder)
    remedy = did_you_mean(key, names) or Message("There are {names}.", names=", ".join(names))
    return RunError(
        Message(
            "There is no strategy '{key}'. {remedy} A file of yours goes to '{folder}'.",
            key=key,
            remedy=remedy,
            folder=shown_path(folder),
        )
    )


def _overrides(key: str, path: Path, registry: Registry, symbol: str, params: Mapping[str, Any]) -> Iterator[str]:
    if not symbol and not params:
        return
    spec, _ = check_strategy_file(path)
    if spec is not None:
        is_shipped = key in SHIPPED and path == _shipped(key)
        yield from overrides_of(key, spec, registry, symbol, params, is_shipped=is_shipped)


def overrides_of(
    key: str,
    spec: StrategySpec,
    registry: Registry,
    symbol: str,
    params: Mapping[str, Any],
    *,
    is_shipped: bool = False,
) -> Iterator[str]:
    """Yield the overrides that give a strategy a symbol and parameters.

    Args:
        key: its strategy key.
        spec: the strategy.
        registry: the installed components.
        symbol: the symbol; '' for the strategy's own.
        params: parameters by name.
        is_shipped: whether its instrument is only an example.

    Raises:
        RunError: a parameter is unknown.
    """
    if symbol and is_shipped:
        # The instrument of the file is an example, with terms of its own.
        entry = {"symbol": symbol, "data": _data_of(symbol, registry), "timeframe": str(spec.instruments[0].timeframe)}
        yield f"instruments.0={json.dumps(entry, ensure_ascii=False)}"
    elif symbol:
        yield f"instruments.0.symbol={json.dumps(symbol, ensure_ascii=False)}"
    if symbol:
        market = market_for(symbol, registry.markets)
        venue = None if market is None else market.venue(symbol)
        currency = None if market is None else (venue.currency if venue is not None else None) or market.currency
        if currency and currency != spec.run.currency and not spec.run.rates:
            yield f"run.currency={currency}"
    for name, value in params.items():
        target, factor = ALIASES.get(key, {}).get(name, (name, 1.0))
        if factor != 1.0 and isinstance(value, (int, float)):
            value = round(value * factor, 10)  # noqa: PLW2901 - in the file's unit
        yield f"{_place_of(target, spec, key)}={json.dumps(value, ensure_ascii=False)}"


def _data_of(symbol: str, registry: Registry) -> str:
    """Return where the bars of a symbol come from: the samples if they have it, else the store."""
    samples = registry.provider("sample")
    return "sample" if samples is not None and symbol in samples().known_symbols() else "store"


def _place_of(name: str, spec: StrategySpec, key: str) -> str:
    """Return where a parameter stands in a strategy file."""
    head, _, rest = name.partition(".")
    if rest and (head in _SECTIONS or head in ("run", "instruments")):
        return name
    if rest and head in spec.nodes:
        return f"{spec.nodes[head].path}.{rest}"
    owners = [node for node in spec.nodes.values() if name in node.values and "/" not in node.id]
    if len(owners) == 1:
        return f"{owners[0].path}.{name}"
    names = [
        *(f"{node.id}.{field}" for node in spec.nodes.values() for field in node.values),
        *ALIASES.get(key, {}),
    ]
    if owners:
        several = ", ".join(f"{node.id}.{name}" for node in owners)
        raise RunError(
            Message(
                "The parameter '{name}' of '{key}' could be {several}. Name one.", name=name, key=key, several=several
            )
        )
    raise RunError(
        Message(
            "The strategy '{key}' has no parameter '{name}'. {remedy}",
            key=key,
            name=name,
            remedy=did_you_mean(name, names) or Message("There are {names}.", names=", ".join(names)),
        )
    )
