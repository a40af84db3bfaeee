"""Valid strategies from a seed, over every component and setting of a run, with data of their own.

Components, their parameters and the settings of the run come from the registry and their schemas: a new one is drawn
without a new line here. Seeds that follow one another go through all components in turn.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from quantcrafter.engine.api import (
    Component,
    GuardRule,
    InputPort,
    MoneyManager,
    PortType,
    PositionNode,
    RiskManager,
    Role,
    RunSettings,
)
from quantcrafter.engine.api.universe import UniverseNode
from quantcrafter.engine.plugins import Registry
from quantcrafter.engine.runtime.running.load_graph import validate_file
from quantcrafter.engine.spec.instruments import OWN_FIELDS
from tests.support.random_data import FEEDS, Calendar, write_data
from tests.support.random_strategy import BAR_COLUMNS, GrowingGraph, Values, components
from tests.support.random_values import accepted, parameters, value
from tests.support.written import written

EACH = 5
"""How many components a strategy is made around, beside its execution, money and risk managers."""

ATTEMPTS = 60
LONGEST = 25
"""The most bars that an indicator is drawn to look back at: the data have some hundred."""

USUAL = (0.3, 0.5, 1, 2, 3, 5, 10, 40)
SIMPLE = 0.75
"""How often an execution acts on the signals by chance alone: others often contradict them."""

_UNIVERSES = 0.25
"""How often the instruments of a strategy are a universe."""

_COMPARED = 0.2
"""How often a strategy has a benchmark."""
_WITHDRAWN = 0.4
"""How often profit is withdrawn."""

_DIFFERENT = 0.15
"""How often a node has a parameter that differs for one instrument."""
_DIFFERING = frozenset({Role.INDICATOR, Role.LOGIC, Role.ADVISOR, Role.FILTER})
_DECIDING = frozenset({Role.EXECUTION, Role.RISK, Role.MONEY, Role.FILTER})
_GIVEN_SETTINGS = frozenset({"mode", "engine", "cash", "currency", "rates", "start", "end", "benchmark", "withdrawal"})
_SMALL_SETTINGS = ("commission", "slippage")
_FIXED_FIELDS = frozenset({"symbol", "data", "timeframe", "on_bad_bars", "market", "universe", "continuous"})
"""Fields that no choice is drawn for."""

INSTRUMENT_FIELDS: dict[str, tuple[Any, ...]] = {
    "tick_size": (0.01, 0.05, 0.25, None),
    "tick_table": (None, None, "mifid_3", "hkex"),
    "lot_size": (None, 1, 0.1, 0.25, 5),
    "min_quantity": (None, None, 2),
    "currency": (None, None, "EUR"),
    "quote_unit": (None,),
    "borrow_percent": (None, None, 30),
    "buy_duty_percent": (None, None, 0.5),
    "sell_duty_percent": (None, None, 0.1),
    "spread": (
        None,
        None,
        {"ticks": 2},
        {"pips": 0.5, "bars": "bid"},
        {"column": "width", "unit": "ticks"},
        {"column": "width", "unit": "pips", "bars": "ask"},
    ),
    "funding_percent": (None, 0.01),
    "funding": (None, None, {"file": "fundings.csv"}),
    "swap": (
        None,
        {"long": -0.5, "short": 0.2},
        {"long": -3, "short": 1, "unit": "percent", "triple": "friday"},
        {"file": "swaps.csv", "unit": "pips"},
    ),
    "expiry": (None, None, "2100-01-01"),
    "settlement": (None, None, "t+1"),
    "price_limit_percent": (None, None, 0, 2, 10),
    "trading_days": (None, 252, 365),
    "values": ({"sector": "red"}, {"sector": "blue", "size": 3}),
    "kind": (None, None, "contract"),
    "multiplier": (None, 2, 10),
    "pip_size": (0.01, 0.1),
    "margin": (
        None,
        {"initial_percent": 40},
        {"initial_percent": 10, "maintenance_percent": 5},
        {"per_contract": 20},
        {"per_contract": 30, "maintenance_per_contract": 25},
    ),
}
"""What the fields of an instrument are drawn from; None leaves one out."""


def undrawn_fields() -> set[str]:
    """Return the fields of an instrument that no strategy would have."""
    return set(OWN_FIELDS) - set(INSTRUMENT_FIELDS) - _FIXED_FIELDS


def write_random_strategy(folder: Path, registry: Registry, seed: int) -> Path:
    """Write a valid strategy with its data, the same for the same seed, and return its path.

    Raises:
        AssertionError: so many attempts gave no valid one.
    """
    problems = ""
    for attempt in range(ATTEMPTS):
        rng = random.Random(f"{seed} {attempt}")  # noqa: S311 - cases of a test, no secrets
        calendar = Calendar.draw(rng, least=2 if wanted_components(registry, seed)[1] == "pair" else 1)
        path = folder / "strategy.yaml"
        text = written(_Drawn(registry, rng, calendar).draw(seed), rng)
        path.write_text(text, encoding="utf-8", newline="")
        write_data(folder, calendar, seed)
        errors = [each for each in validate_file(path, registry) if each.severity == "error"]
        if not errors:
            return path
        problems = f"{errors[0].message}\n{text}"
    raise AssertionError(f"seed {seed}: no valid strategy in {ATTEMPTS} attempts, at last: {problems}")


def wanted_components(registry: Registry, seed: int) -> tuple[list[tuple[Role, str]], str, str]:
    """Return the components that the strategy of a seed is made around: in general, its execution and its money."""
    others = [each for each in components(registry) if each[0] not in {Role.EXECUTION, Role.MONEY}]
    turn, place = divmod(seed, -(-len(others) // EACH))
    random.Random(turn).shuffle(others)  # noqa: S311 - cases of a test, no secrets
    executions, money = registry.component_names(Role.EXECUTION), registry.component_names(Role.MONEY)
    picked = others[place * EACH : (place + 1) * EACH]
    return picked, executions[seed % len(executions)], money[seed // len(executions) % len(money)]


class _Drawn(GrowingGraph):
    """One strategy; its numbers are such that it trades."""

    def __init__(self, registry: Registry, rng: random.Random, calendar: Calendar) -> None:
        super().__init__(registry, rng)
        self.calendar = calendar

    def draw(self, seed: int) -> Values:
        """Return the strategy of a seed."""
        wanted, execution, money = wanted_components(self.registry, seed)
        risks = self.registry.component_names(Role.RISK)
        more = [(Role.RISK, name) for name in self.rng.sample(risks, self.rng.choice((0, 0, 1, 2, 3)))]
        self._noise()
        for role, name in [*more, *wanted]:
            self.add(role, name)
        if money == "risk_percent":
            self.add(Role.RISK, self.rng.choice(("percent_stop", "atr_stop", "trailing_stop")))
        self.connect()
        self.add(Role.MONEY, money)
        self.add(Role.EXECUTION, execution)
        if execution == "pair" or (execution != "rebalance" and self.rng.random() < 0.3):
            # Beside a pair, which has no stops and targets of its legs, another execution has them.
            left_out = (
                {"rebalance", "pair"} if execution == "pair" or len(self.calendar.symbols) == 1 else {"rebalance"}
            )
            others = [name for name in self.registry.component_names(Role.EXECUTION) if name not in left_out]
            self.add(Role.EXECUTION, self.rng.choice(others))
        sections = {str(role): nodes for role, nodes in self.sections.items() if nodes}
        instruments = list(self._instruments())
        if self.rng.random() < _UNIVERSES:
            instruments = [self._universe(instruments[0])]
        return {"quantcrafter": 1, "instruments": instruments, **sections, "run": self._run(instruments)}

    def _noise(self) -> None:
        """Add signals that come and go by chance, so that something happens whatever else there is."""
        self.sections[Role.DATA]["noise"] = {"use": "feed", "symbol": "N", "data": "csv", "path": "noise.csv"}
        self.sections[Role.DATA]["noise"]["session"] = self.calendar.session
        rule: Values = {"use": "rule"}
        for number, leg in enumerate(("enter_long", "exit_long", "enter_short", "exit_short")):
            column, lowest = self.rng.choice(("close", "open")), 1.1 + number * 0.2
            self.sections[Role.LOGIC][leg] = {
                "use": "between",
                "input": f"noise.{column}",
                "lower": round(lowest, 2),
                "upper": round(lowest + self.rng.choice((0.05, 0.15, 0.3)), 2),
            }
            if leg.startswith("enter") or self.rng.random() < 0.6:
                rule[leg] = [leg]
        self.sections[Role.ADVISOR]["random"] = rule
        self.made[PortType.SIGNAL].append("random")

    def _instruments(self) -> Iterator[Values]:
        for symbol in self.calendar.symbols:
            drawn = {name: self.rng.choice(choices) for name, choices in INSTRUMENT_FIELDS.items()}
            body = {"symbol": symbol, "data": "csv", "path": f"{symbol}.csv", "timeframe": self.calendar.timeframe}
            body |= {"session": self.calendar.session, "source_timeframe": self.calendar.timeframe}
            body |= {"stamp": "open", "timezone": "UTC"}
            if self.calendar.actions:
                body["corporate_actions"] = "columns"
            if drawn["kind"] != "contract":
                drawn |= dict.fromkeys(("multiplier", "funding_percent", "funding", "swap", "expiry"))
                drawn["margin"] = None if "per_contract" in (drawn["margin"] or {}) else drawn["margin"]
            else:
                drawn["borrow_percent"] = None
            drawn |= self._fixed_ticks(drawn)
            if drawn["funding"] is not None:
                changing = "file" in (drawn["swap"] or {})
                drawn |= {"funding_percent": None, "swap": None if changing else drawn["swap"]}
            elif "file" in (drawn["swap"] or {}):
                drawn["funding_percent"] = None
            yield body | {name: drawn[name] for name in drawn if drawn[name] is not None}

    @staticmethod
    def _fixed_ticks(drawn: Values) -> Values:
        """Return spread and swap without ticks where sessions refuse them: if only the bars show what a tick is."""
        spread, swap = drawn["spread"] or {}, drawn["swap"]
        if drawn["tick_size"] is not None:
            return {}
        if drawn["tick_table"] is None and "ticks" in spread:
            spread = {"price": 0.02}
        if drawn["tick_table"] is None and spread.get("unit") == "ticks":
            spread = {**spread, "unit": "price"}
        return {"spread": spread or None, "swap": swap and {"unit": "price", **swap}}

    def _universe(self, entry: Values) -> Values:
        """Return an entry that stands for all instruments: with what is said of the first one."""
        symbols = list(self.calendar.symbols)
        kinds = (symbols, {"symbols": [*symbols, "ZZ"], "exclude": ["ZZ"]}, {"file": "members.csv"})
        same = {name: each for name, each in entry.items() if name not in {"symbol", "path"}}
        return {"universe": self.rng.choice(kinds), "path": "{symbol}.csv", **same}

    def _run(self, instruments: list[Values]) -> Values:
        """Return the settings of the run, drawn from their schema."""
        schema = RunSettings.model_json_schema()
        definitions = schema["$defs"]
        run: Values = {"cash": self.rng.choice((5_000, 50_000, 500_000))}
        for name, field in schema["properties"].items():
            if name not in _GIVEN_SETTINGS and self.rng.random() < 0.5:
                drawn = value(name, field, definitions, self.rng, edge=0)
                run[name] = _smaller(drawn) if name in _SMALL_SETTINGS else drawn
        if self.rng.random() < _WITHDRAWN:
            period, profit = self.rng.choice(("month", "quarter")), self.rng.choice(("new_high", "period"))
            run["withdrawal"] = {"percent": self.rng.choice((20, 100)), "every": period, "of": profit}
        if self.rng.random() < _COMPARED:
            run["benchmark"] = self.rng.choice(self.calendar.symbols)
        if any("currency" in each for each in instruments):
            self.sections[Role.DATA]["fx"] = {"use": "feed", "symbol": "FX", "data": "csv", "path": "fx.csv"}
            self.sections[Role.DATA]["fx"]["session"] = self.calendar.session
            run["rates"] = {"EUR": self.rng.choice(("fx", "1/fx"))}
        return run if accepted(RunSettings, run) else {"cash": run["cash"], "rates": run.get("rates", {})}

    def _values(self, cls: type[Component], wires: Values) -> Values:
        given = self._given_values(cls, wires)
        if given is not None:
            return given
        for _ in range(20):
            values = parameters(cls, self.rng, often=0.5)
            if cls.role in _DECIDING:
                values = _usual(cls, values, self.rng)
            elif any(isinstance(each, int) and each > LONGEST for each in values.values()):
                continue
            values = {**wires, **values}
            if values.get("sizes"):
                count = self.rng.randint(2, 4)
                values |= {"sizes": [1, 0.5, 2, 3][:count], "max_entries": count, "size_factor": 1}
            if values.get("symbols"):
                values["symbols"] = self.rng.sample(self.calendar.symbols, 1)
            if "symbol" in values:
                values["symbol"] = self.rng.choice(self.calendar.symbols)
            values |= self._settled(cls)
            if accepted(cls, values):
                return values | self._of_one_instrument(cls, values)
        return super()._values(cls, wires)

    def _of_one_instrument(self, cls: type[Component], values: Values) -> Values:
        """Return now and then a parameter that one instrument has of its own."""
        if cls.role not in _DIFFERING or issubclass(cls, PositionNode | UniverseNode) or self.rng.random() > _DIFFERENT:
            return {}
        for name, other in parameters(cls, self.rng, often=0.5).items():
            is_long = isinstance(other, int) and other > LONGEST
            if other != values.get(name) and not is_long and accepted(cls, {**values, name: other}):
                return {"per_instrument": {self.rng.choice(self.calendar.symbols): {name: other}}}
        return {}

    def _given_values(self, cls: type[Component], wires: Values) -> Values | None:
        """Return the values of a node that needs files, or values that go together; None for any other."""
        match cls.name:
            case "feed":
                name, path = self.rng.choice(FEEDS)
                return {"symbol": name, "data": "csv", "path": path, "session": self.calendar.session}
            case "resample":
                return {"timeframe": self.rng.choice(self.calendar.longer)}
            case "event_calendar":
                return {"path": "events.csv", "time_column": "time", "timezone": "UTC", "before": "30m", **wires}
            case "signal_file" | "series_file":
                return {"path": "signals.csv", "timezone": "UTC", **wires}
            case "formula":
                return {"formula": " + ".join(wires) or "a", **(wires or {"a": "bars.close"})}
        return None

    def _wires(self, cls: type[Component]) -> Values:
        if cls.role is not Role.EXECUTION:
            return super()._wires(cls)
        always = {PortType.SIGNAL, PortType.MONEY, PortType.RISK, PortType.FILTER}
        meant = [port for port in cls.inputs() if port.type in always or port.required or self.rng.random() < 0.4]
        there = [port for port in meant if port.required or port.type not in always or self.made[port.type]]
        if self.rng.random() < SIMPLE:
            there = [port for port in there if port.type is not PortType.FILTER]
        wires = {port.name: self._port(port) for port in there}
        return self._wires_of_a_pair(wires) if cls.name == "pair" else wires

    def _wires_of_a_pair(self, wires: Values) -> Values:
        """Return the wires without what a pair refuses: stops and targets, and sizes by the distance of a stop."""
        guards = [each for each in wires.get("risk", []) if self._is_guard(each)]
        wires = {name: each for name, each in wires.items() if name != "risk"} | ({"risk": guards} if guards else {})
        money = self.sections[Role.MONEY]
        if "money" in wires and money[wires["money"]]["use"] == "risk_percent":
            money["size_of_a_pair"] = {"use": "percent_of_equity", "percent": 20}
            wires["money"] = "size_of_a_pair"
        return wires

    def _is_guard(self, node: str) -> bool:
        values = dict(self.sections[Role.RISK][node])
        cls = self.registry.component(Role.RISK, values.pop("use"))
        assert cls is not None
        part = cls.model_validate(values)
        return isinstance(part, RiskManager) and isinstance(part.rule(), GuardRule)

    def _settled(self, cls: type[Component]) -> Values:
        """Return the values of a component that are not drawn from its schema."""
        match cls.name:
            case "pair":
                return self._legs()
            case "max_exposure":
                within = self.rng.choice(("", "sector", "sector"))
                return {"within": within, "group": self.rng.choice(("", within and "red"))}
            case "assert":
                return {"action": "count"}  # a run that a failure stops has no result to compare
        return {}

    def _legs(self) -> Values:
        """Return both legs of a pair, or neither: then they are the first two instruments."""
        first, second = self.rng.sample(self.calendar.symbols, 2)
        return {"first": first, "second": second} if self.rng.random() < 0.7 else {"first": "", "second": ""}

    def _port(self, port: InputPort) -> Any:
        if port.name == "atr":
            return self._once(Role.INDICATOR, "ta.ATR")
        if port.name in {"line", "short_line", "average"}:
            return self.rng.choice(("bars.close", "bars.low", "bars.high", self._once(Role.INDICATOR, "ta.SMA")))
        if port.name == "weight":
            return self._weight()
        if port.type is PortType.SIGNAL and port.many and self.rng.random() < SIMPLE:
            return ["random"]
        if port.type is PortType.MONEY and self.made[PortType.MONEY]:
            return self.made[PortType.MONEY][-1]
        return super()._port(port)

    def _once(self, role: Role, name: str) -> str:
        """Return a short component of that name, made when it is first asked for."""
        node = name.rpartition(".")[2].lower()
        self.sections[role].setdefault(node, {"use": name, "timeperiod": 5})
        if role is Role.INDICATOR and name == "ta.SMA":
            self.sections[role][node]["input"] = "bars.close"
        return node

    def _weight(self) -> str:
        """Return a series between -0.4 and 0.9, sometimes without a value."""
        self.sections[Role.LOGIC]["weight"] = {
            "use": "arithmetic",
            "left": "noise.close",
            "op": "-",
            "right": self.rng.choice((1.1, 1.4)),
        }
        return "weight"

    def _wire(self, kind: PortType) -> Any:
        if kind is PortType.SERIES and self.rng.random() < 0.3:
            return f"bars.{self.rng.choice(BAR_COLUMNS)}"
        return super()._wire(kind)


def _usual(cls: type[BaseModel], values: Values, rng: random.Random) -> Values:
    """Return values whose numbers are mostly of a size that has an effect on some hundred bars."""
    properties = cls.model_json_schema()["properties"]
    for name, drawn in values.items():
        schema = properties[name]
        if isinstance(drawn, bool) or not isinstance(drawn, int | float) or rng.random() < 0.2:
            continue
        low, high = schema.get("minimum", schema.get("exclusiveMinimum", 0)), schema.get("maximum", 1e9)
        fitting = [
            each for each in USUAL if low < each <= high and (schema.get("type") != "integer" or each == int(each))
        ]
        many = 20 if "ticks" in name or name == "cash" else 1
        near = name.startswith(("offset", "spacing", "limit_")) and many == 1
        large = issubclass(cls, MoneyManager)
        if fitting:
            values[name] = rng.choice(fitting[:4] if near else fitting[-4:] if large else fitting) * many
    return values


def _smaller(drawn: Any) -> Any:
    """Return costs that an account survives: fractions of what the schema allows; a part of the volume stays."""
    return {key: each if key == "volume_percent" else _hundredth(each) for key, each in drawn.items()}


def _hundredth(each: Any) -> Any:
    return each if each is None else round(each / 100, 4)
