"""Strategies drawn at random over everything that is installed: every port is wired to an output of its type."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from quantcrafter.engine.api import Component, InputPort, PortType, Role
from quantcrafter.engine.plugins import Registry
from quantcrafter.engine.plugins.example import example_values
from tests.support.random_values import accepted, parameters

Values = dict[str, Any]
BAR_COLUMNS = ("open", "high", "low", "close", "volume")
_ATTEMPTS = 8
_MAKERS: dict[PortType, tuple[Role, str]] = {
    PortType.SERIES: (Role.INDICATOR, "ta.SMA"),
    PortType.CONDITION: (Role.LOGIC, "compare"),
    PortType.SIGNAL: (Role.ADVISOR, "crossover"),
    PortType.FILTER: (Role.FILTER, "condition"),
    PortType.RISK: (Role.RISK, "percent_stop"),
    PortType.MONEY: (Role.MONEY, "percent_of_equity"),
}


def components(registry: Registry) -> list[tuple[Role, str]]:
    """Return every component that is installed, by section and name."""
    return [(role, name) for role in Role for name in registry.component_names(role)]


def strategies(registry: Registry, rng: random.Random) -> Iterator[Values]:
    """Yield strategies without end; every component appears in turn, in an order of chance."""
    while True:
        turn = components(registry)
        rng.shuffle(turn)
        while turn:
            size = rng.choice((1, 1, 2, 3, 6))
            yield strategy(registry, rng, turn[:size])
            del turn[:size]


def strategy(registry: Registry, rng: random.Random, wanted: list[tuple[Role, str]]) -> Values:
    """Return a strategy with these components, and with whatever they need to trade."""
    growing = GrowingGraph(registry, rng)
    execution = next((name for role, name in wanted if role is Role.EXECUTION), "market")
    for role, name in wanted:
        if name == "risk_percent":
            growing.add(Role.RISK, "percent_stop")  # which it sizes by
        if role is not Role.EXECUTION:
            growing.add(role, name)
    growing.connect()
    growing.add(Role.EXECUTION, execution)
    return growing.strategy()


class GrowingGraph:
    """A strategy in the making: a node is added with whatever its ports need."""

    def __init__(self, registry: Registry, rng: random.Random) -> None:
        self.registry = registry
        self.rng = rng
        self.sections: dict[Role, dict[str, Values]] = {role: {} for role in Role}
        self.made: dict[PortType, list[str]] = {kind: [] for kind in PortType}
        self.clocks = ["bars"]

    def add(self, role: Role, name: str) -> str:
        """Add a component with its wires, and return the node's name."""
        cls = self.registry.component(role, name)
        assert cls is not None
        node = f"{name.rpartition('.')[2].lower()}_{sum(map(len, self.sections.values()))}"
        self.sections[role][node] = {}  # takes the name before the nodes that it reads take theirs
        self.sections[role][node] = {"use": name, **self._values(cls, self._wires(cls))}
        for output in cls.outputs:
            if role is Role.DATA:
                self.clocks.append(node)
            else:
                self.made[output.type].append(node if len(cls.outputs) == 1 else f"{node}.{output.name}")
        return node

    def connect(self) -> None:
        """Let everything made so far have an effect: lines are compared, conditions make a signal."""
        lines = [f"{clock}.close" for clock in self.clocks[1:]] + self.made[PortType.SERIES][-4:]
        for line in lines:
            test = f"test_{len(self.sections[Role.LOGIC])}"
            right = self.rng.choice((self._wire(PortType.SERIES), 0, 50))
            operator = self.rng.choice((">", "<", ">=", "<=", "==", "!="))
            self.sections[Role.LOGIC][test] = {"use": "compare", "left": line, "op": operator, "right": right}
            self.made[PortType.CONDITION].append(test)
        tests = self.made[PortType.CONDITION]
        if tests:
            rule = {"use": "rule", "enter_long": tests[:3], "combine": self.rng.choice(("any", "all"))}
            if self.rng.random() < 0.7:
                rule["exit_long"] = [self.rng.choice(tests)]
            self.sections[Role.ADVISOR]["go"] = rule
            self.made[PortType.SIGNAL].append("go")

    def strategy(self) -> Values:
        sections = {str(role): nodes for role, nodes in self.sections.items() if nodes}
        run = {"cash": self.rng.choice((1000, 100_000, 1e7)), "commission": {"percent": self.rng.choice((0, 0.1))}}
        symbols = self.rng.choice((["AAPL"], ["AAPL"], ["IBM", "MSFT"]))
        return {
            "quantcrafter": 1,
            "instruments": [self._instrument(symbol) for symbol in symbols],
            **sections,
            "run": run,
        }

    def _instrument(self, symbol: str) -> Values:
        data = self.rng.choice(("sample", "synthetic", "synthetic", "csv"))
        more: dict[str, Values] = {
            "synthetic": {"bars": self.rng.randint(20, 900), "seed": self.rng.randint(0, 99)},
            "csv": {"path": "prices.csv"},
        }
        timeframe = self.rng.choice(("1d", "1h", "5m")) if data == "synthetic" else "1d"
        return {"symbol": symbol, "data": data, "timeframe": timeframe, **more.get(data, {})}

    def _values(self, cls: type[Component], wires: Values) -> Values:
        for _ in range(_ATTEMPTS):
            values = {**wires, **_sensible(cls, parameters(cls, self.rng))}
            if accepted(cls, values):
                return values
        example = example_values(cls)
        ports = {port.name: port for port in cls.inputs()}
        for name in example:
            if name in ports and name not in wires:
                wires[name] = self._port(ports[name])
        return {**example, **wires}

    def _wires(self, cls: type[Component]) -> Values:
        always = cls.role is Role.EXECUTION
        return {
            port.name: self._port(port) for port in cls.inputs() if port.required or always or self.rng.random() < 0.5
        }

    def _port(self, port: InputPort) -> Any:
        if not port.many:
            return self._wire(port.type)
        if port.type in {PortType.FILTER, PortType.RISK, PortType.SIGNAL} and self.made[port.type]:
            return list(self.made[port.type])
        return [self._wire(port.type) for _ in range(self.rng.randint(1, 3))]

    def _wire(self, kind: PortType) -> Any:
        if kind is PortType.BARS:
            return self.rng.choice(self.clocks)
        if kind is PortType.SERIES and self.rng.random() < 0.6:
            return f"{self.rng.choice(self.clocks)}.{self.rng.choice(BAR_COLUMNS)}"
        if self.made[kind] and self.rng.random() < 0.8:
            return self.rng.choice(self.made[kind])
        return self.add(*_MAKERS[kind])


def _sensible(cls: type[Component], values: Values) -> Values:
    """Return values with what a schema can't say: files and symbols that are there."""
    if cls.name == "feed":
        return {"symbol": "GOOG", "data": "sample"}
    if cls.name == "event_calendar":
        return {**values, "path": "events.csv", "time_column": "time", "end_column": None, "timezone": "UTC"}
    if cls.name in ("signal_file", "series_file"):
        return {"path": "signals.csv", "timezone": "UTC"}
    if cls.name == "resample":
        return {"timeframe": "1mo"}
    return values
