"""A small catalog of plain components, for tests of the graph that should not depend on the built-in nodes."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np

from quantcrafter.engine.api import (
    ENTER_LONG,
    EXIT_LONG,
    Advisor,
    Bars,
    BarsInput,
    Component,
    ConditionInput,
    DataProvider,
    DataRequest,
    EngineAdapter,
    ExecutionLogic,
    ExecutionRule,
    FeedNode,
    Filter,
    FilterInputs,
    FloatColumn,
    Indicator,
    Logic,
    MoneyInput,
    MoneyManager,
    Output,
    PortType,
    ProtectiveKind,
    ProtectiveRule,
    RawBars,
    ResampleNode,
    RiskInputs,
    RiskManager,
    Role,
    SeriesInput,
    SignalInputs,
    Signals,
    SizeKind,
    SizeRule,
    StrategyContext,
    param,
    port,
)
from quantcrafter.engine.api import Market as MarketTerms
from quantcrafter.engine.api.ports import BoolColumn, FlagColumn
from quantcrafter.engine.data.markets import MARKETS

CALLS: list[str] = []


class Mean(Indicator):
    """The mean of the last `period` values."""

    name = "mean"
    input: SeriesInput = port("What to average.")
    period: int = param("Number of bars.", default=3, ge=1, le=1000)

    def warmup(self) -> int:
        return self.period - 1

    def compute(self, input: FloatColumn) -> FloatColumn:  # noqa: A002 - the port's name
        CALLS.append(f"mean{self.period}")
        out = np.full(len(input), np.nan)
        if len(input) >= self.period:
            out[self.period - 1 :] = np.lib.stride_tricks.sliding_window_view(input, self.period).mean(axis=1)
        return out


class Channel(Indicator):
    """The running highest high and lowest low."""

    name = "channel"
    outputs = (Output("upper"), Output("lower"))
    bars: BarsInput = port("The bars.", default="bars")

    def compute(self, bars: Bars) -> tuple[FloatColumn, FloatColumn]:
        return np.maximum.accumulate(bars.high), np.minimum.accumulate(bars.low)


class Above(Logic):
    """True while left is above right."""

    name = "above"
    left: SeriesInput = port("Left side.")
    right: SeriesInput = port("Right side.")

    def compute(self, left: FloatColumn, right: FloatColumn) -> BoolColumn:
        return left > right


class While(Advisor):
    """Long while the condition holds."""

    name = "while"
    condition: ConditionInput = port("The condition.")

    def compute(self, condition: BoolColumn) -> FlagColumn:
        return np.where(condition, ENTER_LONG, EXIT_LONG).astype(np.uint8)


class Rising(Advisor):
    """Enter when the last close is above the one before; written in the event style."""

    name = "rising"

    def on_bar(self, ctx: StrategyContext) -> int:
        close = ctx.market.close
        return ENTER_LONG if len(close) > 1 and close[-1] > close[-2] else EXIT_LONG


class Gate(Filter):
    """Lets pass while the condition holds."""

    name = "gate"
    condition: ConditionInput = port("The condition.")

    def compute(self, condition: BoolColumn) -> BoolColumn:
        return condition


class Weird(Indicator):
    """Misbehaves in the way it is told to."""

    name = "weird"
    input: SeriesInput = port("Anything.")
    how: Literal["raise", "short", "peek", "bool", "pair", "none"] = param("In which way.")

    def compute(self, input: FloatColumn) -> Any:  # noqa: A002 - the port's name
        if self.how == "raise":
            raise ZeroDivisionError("on purpose")
        results: dict[str, Any] = {
            "short": input[1:],
            "peek": np.append(input[1:], input[-1:]),
            "bool": input > 0,
            "pair": (input, input),
            "none": None,
        }
        return results[self.how]


class Stop(RiskManager):
    """A stop-loss at a percentage."""

    name = "stop"
    percent: float = param("Distance.", default=5.0, gt=0, lt=100)

    def rule(self) -> ProtectiveRule:
        return ProtectiveRule(ProtectiveKind.STOP_LOSS, percent=self.percent)


class Units(MoneyManager):
    """A fixed quantity."""

    name = "units"
    quantity: float = param("How many.", default=10, gt=0)

    def rule(self) -> SizeRule:
        return SizeRule(SizeKind.QUANTITY, self.quantity)


class ByRisk(MoneyManager):
    """Sized by the stop."""

    name = "by_risk"

    def rule(self) -> SizeRule:
        return SizeRule(SizeKind.RISK_PERCENT, 1.0)


class AtMarket(ExecutionLogic):
    """Market orders."""

    name = "at_market"
    signals: SignalInputs = port("The signals.")
    combine: Literal["any", "all"] = param("How.", default="any")
    filters: FilterInputs = port("The filters.", default=())
    risk: RiskInputs = port("The protection.", default=())
    money: MoneyInput = port("The size.")

    def rule(self) -> ExecutionRule:
        return ExecutionRule(combine=self.combine)


class Handmade(ExecutionLogic):
    """Decides in code of its own."""

    name = "handmade"
    signals: SignalInputs = port("The signals.")

    def on_bar(self, ctx: StrategyContext) -> None:
        """Do nothing."""


class Undecided(ExecutionLogic):
    """Says neither what to do nor how."""

    name = "undecided"
    signals: SignalInputs = port("The signals.")


class Coarser(ResampleNode):
    """Longer bars."""

    name = "coarser"


class Other(FeedNode):
    """Another instrument."""

    name = "other"


class Ramp(DataProvider):
    """Bars whose close rises by `step` a bar."""

    name: ClassVar[str] = "ramp"
    step: float = param("Rise a bar.", default=1.0)
    bars: int = param("How many.", default=20, ge=1, le=10_000)

    def load(self, request: DataRequest) -> RawBars:
        close = 100.0 + self.step * np.arange(self.bars, dtype=np.float64)
        times = 1_577_836_800_000_000_000 + np.arange(self.bars, dtype=np.int64) * request.timeframe.nominal_ns
        rows = np.arange(self.bars, dtype=np.int64) + 1
        return RawBars(times, close - 0.5, close + 1, close - 1, close, np.full(self.bars, 100.0), rows, source="ramp")


class SmallCatalog:
    """A catalog of the classes above, or of those given, with the native engine."""

    def __init__(self, *extra: type[Component]) -> None:
        classes: tuple[type[Component], ...] = (
            *(
                Mean,
                Channel,
                Above,
                While,
                Rising,
                Gate,
                Weird,
                Stop,
                Units,
                ByRisk,
                AtMarket,
                Handmade,
                Undecided,
                Coarser,
                Other,
            ),
            *extra,
        )
        self._components = {(cls.role, cls.name): cls for cls in classes}

    def component(self, role: Role, name: str) -> type[Component] | None:
        return self._components.get((role, name))

    def why_absent(self, use: str) -> tuple[str, str] | None:  # noqa: ARG002 - the Catalog's
        return None

    @property
    def left_out(self) -> tuple[str, ...]:
        return ()

    def component_names(self, role: Role) -> tuple[str, ...]:
        return tuple(name for of, name in self._components if of is role)

    def provider(self, name: str) -> type[DataProvider] | None:
        return Ramp if name == "ramp" else None

    def provider_names(self) -> tuple[str, ...]:
        return ("ramp",)

    @property
    def markets(self) -> tuple[MarketTerms, ...]:
        return MARKETS

    def engine(self, name: str) -> type[EngineAdapter] | None:
        from quantcrafter.engine.adapters.native import NativeEngine

        return NativeEngine if name == "native" else None

    def engine_names(self) -> tuple[str, ...]:
        return ("native",)


def strategy_text(body: str, *, instrument: str = "{symbol: X, data: ramp}", run: str = "{cash: 10000}") -> str:
    """Return a strategy file around the given sections, which start at the left margin."""
    return f"quantcrafter: 1\nname: Test\ninstruments:\n  - {instrument}\n{body.strip(chr(10))}\nrun: {run}\n"


def flags_of(value: Signals | FlagColumn) -> FlagColumn:
    """Return the flags of a signal column."""
    return value.flags if isinstance(value, Signals) else value


__all__ = ["CALLS", "PortType", "SmallCatalog", "flags_of", "strategy_text"]
