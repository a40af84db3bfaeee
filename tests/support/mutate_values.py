"""Changes to what a strategy says, of the kinds that people make: most results are valid, and many are extreme."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from typing import Any

from quantcrafter.engine.api import Component, PortType, Role, RunSettings
from quantcrafter.engine.plugins import Registry
from quantcrafter.engine.plugins.example import example_values
from tests.support.random_strategy import BAR_COLUMNS, Values
from tests.support.random_values import CLOCKS, DATES, EDGES, TIMEFRAMES, number, parameters, value

Change = Callable[[Values, random.Random, Registry], None]
_SECTIONS = tuple(str(role) for role in Role)


def changed(values: Values, rng: random.Random, registry: Registry, count: int) -> Values:
    """Return the strategy with `count` changes."""
    result = copy.deepcopy(values)
    for _ in range(count):
        rng.choice(CHANGES)(result, rng, registry)
    return result


def nodes(values: Values) -> Iterator[tuple[str, str, Values]]:
    """Yield section, name and body of every node."""
    for section in _SECTIONS:
        part = values.get(section)
        for name, body in part.items() if isinstance(part, dict) else ():
            if isinstance(body, dict):
                yield section, name, body


def component_of(section: str, body: Values, registry: Registry) -> type[Component] | None:
    """Return the component of a node, if it is one that is installed."""
    use = body.get("use")
    return registry.component(Role(section), use) if isinstance(use, str) else None


def references(values: Values, registry: Registry, wanted: PortType) -> list[str]:
    """Return what may be written for a port of that type."""
    clocks = ["bars", *(name for section, name, _ in nodes(values) if section == Role.DATA)]
    found = [f"{clock}.{column}" for clock in clocks for column in BAR_COLUMNS] if wanted is PortType.SERIES else []
    found += clocks if wanted is PortType.BARS else []
    for section, name, body in nodes(values):
        cls = component_of(section, body, registry)
        outputs = cls.outputs if cls is not None and section != Role.DATA else ()
        found += [name if len(outputs) == 1 else f"{name}.{out.name}" for out in outputs if out.type is wanted]
    return found


def _parameter(values: Values, rng: random.Random, registry: Registry) -> None:
    """Give a parameter another value of its own schema."""
    picked = _pick(values, rng, registry)
    if picked is None:
        return
    _, _, body, cls = picked
    names = cls.parameters()
    if names:
        name = rng.choice(names)
        schema = cls.model_json_schema()
        body[name] = value(name, schema["properties"].get(name, {}), schema.get("$defs", {}), rng)


def _number_at_an_edge(values: Values, rng: random.Random, _registry: Registry) -> None:
    """Put an extreme number in the place of one, wherever it stands."""
    places = list(_numbers(values))
    if places:
        holder, key = rng.choice(places)
        old = holder[key]
        holder[key] = rng.choice((*EDGES, old + 1, old - 1, -old, old * 10, old / 3, float(old), int(old)))


def _numbers(holder: Any) -> Iterator[tuple[Any, Any]]:
    entries = holder.items() if isinstance(holder, dict) else enumerate(holder)
    for key, item in entries:
        if isinstance(item, dict | list) and key not in {"layout", "frames"}:
            yield from _numbers(item)
        elif isinstance(item, int | float) and not isinstance(item, bool) and key != "quantcrafter":
            yield holder, key


def _dates(values: Values, rng: random.Random, _registry: Registry) -> None:
    run = values.setdefault("run", {})
    if isinstance(run, dict):
        first, last = sorted((rng.choice(DATES), rng.choice(DATES)))
        run.update(
            rng.choice(({"start": first}, {"end": last}, {"start": first, "end": last}, {"start": "2010-02-01"}))
        )


def _another_name(values: Values, rng: random.Random, _registry: Registry) -> None:
    """Exchange the names of two nodes: what read one now reads the other."""
    found = list(nodes(values))
    if len(found) > 1:
        (one, first, body), (other, second, replacement) = rng.sample(found, 2)
        values[one][first], values[other][second] = replacement, body


def _rewire(values: Values, rng: random.Random, registry: Registry) -> None:
    picked = _pick(values, rng, registry)
    if picked is None:
        return
    _, _, body, cls = picked
    ports = cls.inputs()
    if not ports:
        return
    port = rng.choice(ports)
    kind = port.type if rng.random() < 0.9 else rng.choice(list(PortType))
    fits = references(values, registry, kind)
    if fits:
        body[port.name] = rng.sample(fits, rng.randint(1, min(3, len(fits)))) if port.many else rng.choice(fits)


def _another_component(values: Values, rng: random.Random, registry: Registry) -> None:
    """Put another component of the section in the place of one, with default parameters and wires that fit."""
    picked = _pick(values, rng, registry)
    if picked is None:
        return
    section, _, body, old = picked
    names = registry.component_names(Role(section))
    same = [name for name in rng.sample(names, min(40, len(names))) if _outputs(registry, section, name) == _kinds(old)]
    name = rng.choice(same or names)
    cls = registry.component(Role(section), name)
    assert cls is not None
    example = example_values(cls)
    for port in cls.inputs():
        if port.name in example:
            kept = body.get(port.name)
            fits = references(values, registry, port.type) or ["bars.close"]
            example[port.name] = kept if kept is not None else [rng.choice(fits)] if port.many else rng.choice(fits)
    body.clear()
    body.update({"use": name, **example})


def _outputs(registry: Registry, section: str, name: str) -> tuple[PortType, ...]:
    cls = registry.component(Role(section), name)
    return _kinds(cls) if cls is not None else ()


def _kinds(cls: type[Component]) -> tuple[PortType, ...]:
    return tuple(output.type for output in cls.outputs)


def _drop(values: Values, rng: random.Random, _registry: Registry) -> None:
    """Take a section, a node or a key away."""
    found = list(nodes(values))
    kind = rng.random()
    if kind < 0.2:
        values.pop(rng.choice([key for key in values if key != "quantcrafter"] or [""]), None)
    elif found and kind < 0.5:
        section, name, _ = rng.choice(found)
        del values[section][name]
    elif found:
        _, _, body = rng.choice(found)
        if body:
            del body[rng.choice(list(body))]


def _double(values: Values, rng: random.Random, _registry: Registry) -> None:
    """Add a node's twin, or a section's nodes under other names."""
    found = list(nodes(values))
    if not found:
        return
    chosen, _, _ = rng.choice(found)
    share = 1.0 if rng.random() < 0.3 else 0.3
    for section, name, body in found:
        if section == chosen and rng.random() < share:
            values[section][f"{name}_again"] = copy.deepcopy(body)


def _settings(values: Values, rng: random.Random, _registry: Registry) -> None:
    schema = RunSettings.model_json_schema()
    name = rng.choice([key for key in schema["properties"] if key not in {"mode", "rates", "engine"}])
    run = values.setdefault("run", {})
    if isinstance(run, dict):
        run[name] = value(name, schema["properties"][name], schema["$defs"], rng, edge=0.1)


def _more_instruments(values: Values, rng: random.Random, registry: Registry) -> None:
    listed = values.get("instruments")
    if not isinstance(listed, list):
        return
    for symbol in rng.sample(("AAPL", "FB", "GOOG", "IBM", "MSFT", "SYN", "名", "BRK.B", "=1+1"), rng.randint(1, 3)):
        data = rng.choice(("sample", "synthetic", "csv"))
        provider = registry.provider(data)
        assert provider is not None
        options = {
            key: item for key, item in parameters(provider, rng, often=0.2).items() if key in {"seed", "session"}
        }
        more = {"bars": rng.randint(1, 500)} if data == "synthetic" else {"path": "prices.csv"} if data == "csv" else {}
        listed.append({"symbol": symbol, "data": data, **({} if data == "csv" else options), **more})


def _instrument(values: Values, rng: random.Random, _registry: Registry) -> None:
    """Change the facts of an instrument: its timeframe, steps, currency, provider's parameters."""
    listed = values.get("instruments")
    picked = rng.choice(listed) if isinstance(listed, list) and listed else None
    if not isinstance(picked, dict):
        return
    key = rng.choice(("timeframe", "timeframe", "tick_size", "lot_size", "min_quantity", "borrow_percent", "symbol"))
    picked[key] = {
        "timeframe": rng.choice(TIMEFRAMES),
        "symbol": rng.choice(("AAPL", "IBM", "GOOG", "FB", "NOPE")),
    }.get(key, number({"type": "number", "maximum": 100}, rng, edge=0.4))
    if picked.get("data") == "synthetic" and rng.random() < 0.5:
        picked.update(
            rng.choice(({"start_date": rng.choice(DATES)}, {"price": rng.choice((1e-9, 1, 1e9))}, {"volatility": 500}))
        )


def _clock(values: Values, rng: random.Random, _registry: Registry) -> None:
    """Let entries pass in a window of time only."""
    filters = values.setdefault("filters", {})
    executions = values.get("execution")
    if isinstance(filters, dict) and isinstance(executions, dict):
        filters["window"] = {"use": "time_window", "start": rng.choice(CLOCKS), "end": rng.choice(CLOCKS)}
        for body in executions.values():
            if isinstance(body, dict) and isinstance(body.get("filters", []), list):
                body["filters"] = [*body.get("filters", []), "window"]


def _flags(values: Values, rng: random.Random, _registry: Registry) -> None:
    found = list(nodes(values))
    if found:
        rng.choice(found)[2][rng.choice(("bypass", "mute"))] = rng.random() < 0.8


def _order(values: Values, rng: random.Random, _registry: Registry) -> None:
    """Write the sections, and the nodes of one of them, in another order."""
    keys = list(values)
    rng.shuffle(keys)
    for key in keys:
        values[key] = values.pop(key)
    section = values.get(rng.choice(keys))
    if isinstance(section, dict):
        for key in sorted(section, key=lambda _: rng.random()):
            section[key] = section.pop(key)


def _pick(values: Values, rng: random.Random, registry: Registry) -> tuple[str, str, Values, type[Component]] | None:
    known = [
        (section, name, body, cls)
        for section, name, body in nodes(values)
        if (cls := component_of(section, body, registry)) is not None
    ]
    return rng.choice(known) if known else None


CHANGES: tuple[Change, ...] = (
    *(_parameter, _parameter, _parameter, _number_at_an_edge, _dates, _another_name, _rewire, _rewire),
    *(_another_component, _another_component, _drop, _double, _settings, _settings, _more_instruments),
    *(_instrument, _instrument, _clock, _flags, _order),
)
