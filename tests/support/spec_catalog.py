"""A tiny catalog of components and providers for tests of the strategy file."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from quantcrafter.engine.api import (
    Advisor,
    BarsInput,
    Component,
    DataProvider,
    DataRequest,
    ExecutionLogic,
    Indicator,
    RawBars,
    Role,
    SeriesInput,
    SeriesInputs,
    SignalInputs,
    param,
    port,
)
from quantcrafter.engine.api import Market as MarketTerms
from quantcrafter.engine.data.markets import MARKETS


class Average(Indicator):
    """A moving average."""

    name = "ta.SMA"
    input: SeriesInput = port("What is averaged.")
    timeperiod: int = param("Bars.", default=30, ge=2, le=100_000)


class Range(Indicator):
    """The range."""

    name = "range"
    bars: BarsInput = port("The bars.", default="bars")
    others: SeriesInputs = port("More.", default=())


class Nested(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: str = "x"
    level: int = 1


class Crossover(Advisor):
    """Enter when the fast line crosses above the slow one."""

    name = "crossover"
    fast: SeriesInput = port("The quicker line.")
    slow: SeriesInput = port("The slower line.")
    direction: Literal["long", "short"] = param("Side.", default="long")
    nested: Nested = param("Inner.", default=Nested())


class Market(ExecutionLogic):
    """Market orders."""

    name = "market"
    signals: SignalInputs = port("Signals.")


class Sample(DataProvider):
    """Sample data."""

    name = "sample"
    adjust: Literal["close", "none"] = "close"

    def load(self, request: DataRequest) -> RawBars:
        raise NotImplementedError(request.symbol)


class TinyCatalog:
    """Has one or two of everything."""

    def __init__(self, *more: type[Component]) -> None:
        classes: tuple[type[Component], ...] = (Average, Range, Crossover, Market, *more)
        self._classes: dict[tuple[Role, str], type[Component]] = {(c.role, c.name): c for c in classes}

    def component(self, role: Role, name: str) -> type[Component] | None:
        return self._classes.get((role, name))

    def why_absent(self, use: str) -> tuple[str, str] | None:  # noqa: ARG002 - the Catalog's
        return None

    @property
    def left_out(self) -> tuple[str, ...]:
        return ()

    def component_names(self, role: Role) -> tuple[str, ...]:
        return tuple(name for owner, name in self._classes if owner is role)

    def provider(self, name: str) -> type[DataProvider] | None:
        return Sample if name == "sample" else None

    def provider_names(self) -> tuple[str, ...]:
        return ("sample",)

    @property
    def markets(self) -> tuple[MarketTerms, ...]:
        return MARKETS


def plain_file(**changes: Any) -> dict[str, Any]:
    """Return a valid strategy as plain values, with some top-level keys changed."""
    return {
        "quantcrafter": 1,
        "instruments": [{"symbol": "AAPL", "data": "sample", "adjust": "none"}],
        "indicators": {"fast": {"use": "ta.SMA", "input": "bars.close", "timeperiod": 5}},
        "advisors": {"cross": {"use": "crossover", "fast": "fast", "slow": 30.5, "nested": {"level": 2}}},
        "filters": None,
        "execution": {"entry": {"use": "market", "signals": ["cross"]}},
        "run": {"cash": 1000, "commission": {"percent": 0.1}, "start": "2020-01-01"},
        "layout": {"fast": [120, 80.5]},
        **changes,
    }
