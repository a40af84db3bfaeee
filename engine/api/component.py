"""Component: one pydantic class is a node's YAML schema, its inspector form, its ports and its behaviour."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, ClassVar, Literal, Protocol

from pydantic import BaseModel, ConfigDict

from quantcrafter.engine.api.context import StrategyContext
from quantcrafter.engine.api.node_state import WrittenError, is_sealed
from quantcrafter.engine.api.ports import FloatColumn, InputPort, Output, PortType, param, path_fields, port_mark
from quantcrafter.engine.api.reasons import Question, Reason
from quantcrafter.engine.api.rules import ExecutionRule, GuardRule, ProtectiveRule, SizeRule
from quantcrafter.engine.api.steps import StepForm, StepOutputs
from quantcrafter.engine.api.timeframe import Timeframe
from quantcrafter.engine.api.units import SeriesUnit


class Role(StrEnum):
    """What a node is for; each role is a section of the strategy file."""

    DATA = "data"
    INDICATOR = "indicators"
    LOGIC = "logic"
    ADVISOR = "advisors"
    FILTER = "filters"
    RISK = "risk"
    MONEY = "money"
    EXECUTION = "execution"


NODE_KEYS = ("use", "bypass", "mute", "per_instrument")
"""The keys of a node that are reserved for the strategy file; no component has a field with such a name."""


class Follower(Protocol):
    """The columns of one component over a growing history; it remembers its progress."""

    def follow(self, inputs: Mapping[str, Any], begin: int, count: int) -> FloatColumn:
        """Return the outputs at the bars from `begin` to `count` (exclusive), shape (outputs, bars).

        `inputs` are those of `compute` over the first `count` bars; `begin` is the `count` of the call before, or 0.
        """
        ...


class Component(BaseModel):
    """Base of every building block.

    A subclass sets `name` (for `use:`), declares ports and parameters as fields with `port` and `param`, has a
    docstring, which is the help, and has one method for its behaviour: `compute` for whole columns, or `on_bar` for the
    event style.

    `compute` is called by keyword: each input port's name, with a column of shape (n,): float64 for a series, bool for
    a condition, `Signals` for a signal, `Bars` for bars, and a tuple of these for a port that takes a list. It returns
    one column per output, as a tuple when there are several. The value at bar t may use only bars up to t.

    One object is used for all instruments and runs: once it is in use, no attribute can be set, not even a private one.
    `on_bar` stores its state in `ctx.state`. A `cached_property` may store values that depend only on the parameters.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: ClassVar[str] = ""
    role: ClassVar[Role]
    category: ClassVar[str] = ""
    formula_source: ClassVar[str] = ""
    outputs: ClassVar[tuple[Output, ...]] = ()
    by_bar: ClassVar[bool] = False
    """Whether each value of `compute` depends only on the inputs at that bar."""
    loops: ClassVar[bool] = False
    """Whether `compute` is a loop with a memory: a strategy that runs bar by bar then executes the step form at each
    new bar instead of the loop over all bars.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if is_sealed(self):
            raise WrittenError(f"'{name}'")
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        if is_sealed(self):
            raise WrittenError(f"'{name}'")
        super().__delattr__(name)

    def warmup(self) -> int:
        """Return how many leading bars have no value yet, when the inputs are complete."""
        return 0

    def lookback(self) -> int | None:
        """Return how many bars before the newest one its output depends on, to 9 digits; None for the whole history.

        By default, a component is assumed to depend on the whole history.
        """
        return None

    def compute(self, *args: Any, **inputs: Any) -> Any:
        """Map whole input columns to output columns, causally."""
        raise NotImplementedError(type(self).__name__)

    def follower(self) -> Follower | None:
        """Return an object that computes only new bars, with results identical to `compute`; None if there is none."""
        return None

    def on_bar(self, ctx: StrategyContext) -> Any:
        """Return the outputs for the bar that just closed: the event style of `compute`. `ctx.state` remembers."""
        raise NotImplementedError(type(self).__name__)

    def steps(self, form: StepForm) -> StepOutputs:  # noqa: ARG002 - a component may have one
        """Return the outputs of one bar as values made of the inputs' values: the step form of `compute`.

        With it, a logic node, an advisor or a filter can read the position. Its results must be identical to those of
        `compute` at every bar. None means that there is no step form: such a component can't be connected to the
        position.
        """
        return None

    def output_unit(self, inputs: Mapping[str, SeriesUnit | None]) -> SeriesUnit | None:  # noqa: ARG002 - a component may tell it
        """Return the unit of its outputs, from those of its inputs by port; None if it isn't known."""
        return None

    def mixed_units(self, inputs: Mapping[str, SeriesUnit | None]) -> Sequence[tuple[SeriesUnit, SeriesUnit]]:  # noqa: ARG002 - as above
        """Return the pairs of different units that it adds or compares, for a warning; `inputs` as of `output_unit`."""
        return ()

    def explain(self, question: Question) -> Reason | None:  # noqa: ARG002 - a component may answer
        """Return why a condition, filter or signal output is or isn't true at a bar, or None for no answer.

        An answer that contradicts the component's result is ignored.
        """
        return None

    @classmethod
    def inputs(cls) -> tuple[InputPort, ...]:
        """Return the input ports in the order of declaration."""
        ports = []
        for name, field in cls.model_fields.items():
            mark = port_mark(field)
            if mark is not None:
                required = field.is_required()
                ports.append(InputPort(name, mark.type, mark.many, required, field.description or ""))
        return tuple(ports)

    @classmethod
    def parameters(cls) -> tuple[str, ...]:
        """Return the names of the fields that are no ports."""
        return tuple(name for name, field in cls.model_fields.items() if port_mark(field) is None)

    @classmethod
    def path_parameters(cls) -> tuple[str, ...]:
        """Return the names of the parameters that are paths of files (`PathParam`)."""
        return path_fields(cls)

    @classmethod
    def help(cls) -> str:
        """Return the docstring, cleaned."""
        return inspect.cleandoc(cls.__doc__ or "")

    @classmethod
    def overrides(cls, method: str) -> bool:
        """Return whether the class has its own form of a method, such as `compute` or `on_bar`."""
        return getattr(cls, method) is not getattr(Component, method)


class DataNode(Component):
    """An additional market data feed; its output is a `Bars` with its own clock.

    Columns made from it are computed for the bars of the feed, and are visible to the strategy once the feed's bar has
    closed. The engine executes the two kinds there are; a plugin adds sources of bars as `DataProvider`.
    """

    role = Role.DATA
    outputs: ClassVar[tuple[Output, ...]] = (Output("bars", PortType.BARS, "The feed's bars."),)


class ResampleNode(DataNode):
    """Base of the node that makes bars of a longer timeframe from the instrument's own."""

    timeframe: Timeframe = param("Length of the bars to make, such as 1h, 1d, 1w or 1mo.")


class FeedNode(DataNode):
    """Base of the node that loads another instrument; other keys are passed to the provider."""

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)

    symbol: str = param("Symbol of the other instrument.", min_length=1)
    data: str = param("The data provider of its bars.", default="sample")
    timeframe: Timeframe | None = param("Length of its bars; the instrument's own if left out.", default=None)
    market: str = param(
        "Its market, such as us_stocks; by the end of the symbol, or as an instrument of that symbol, if left out.",
        default="",
        advanced=True,
    )
    on_bad_bars: Literal["refuse", "repair"] = param("What to do about impossible bars.", default="refuse")

    def provider_options(self) -> dict[str, Any]:
        """Return the keys that belong to the provider, such as `path` for `csv`."""
        return dict(self.model_extra or {})


class Indicator(Component):
    """A number for every bar, or several."""

    role = Role.INDICATOR
    outputs: ClassVar[tuple[Output, ...]] = (Output("value", PortType.SERIES),)


class Logic(Component):
    """Arithmetic and conditions over columns."""

    role = Role.LOGIC
    outputs: ClassVar[tuple[Output, ...]] = (Output("value", PortType.CONDITION),)


class PositionNode(Logic):
    """Base of the nodes that read the position or the account: they have a step form only."""

    def lookback(self) -> int:
        """Return 0: their state is part of the ledger."""
        return 0


class NoticeNode(Logic):
    """Logic whose output says at which bars something is to be noted, with a text.

    `kind` is what a bar counts as: `notice` or `failure`. If it `stops`, a backtest ends with an error where there is
    one.
    """

    kind: ClassVar[str] = "notice"

    text: str = param("What is recorded.", min_length=1)
    every: Literal["change", "bar"] = param(
        "change: a bar counts where it begins. bar: each bar counts.", default="change"
    )

    @property
    def stops(self) -> bool:
        """Whether a backtest ends where there is one."""
        return False


class Advisor(Component):
    """Decides when to enter and when to exit; returns signal flags (uint8), or `Signals` with a strength."""

    role = Role.ADVISOR
    outputs = (Output("signal", PortType.SIGNAL),)


FilterGroup = Literal["trade", "block", "reset_volume"]
FILTER_GROUP = (
    "trade: entries only while this filter holds. block: no entries while it holds. reset_volume: a martingale starts "
    "over with an entry that is decided while it holds."
)


class Filter(Component):
    """Lets entries pass or blocks them; exits always pass.

    `compute` returns a bool column: for the group `trade` True allows (all such filters must allow), for the group
    `block` True blocks (any one is enough). The group `reset_volume` blocks nothing: where such a filter holds at the
    close on which an entry is decided, a martingale starts over. `invert` turns True and False round.
    """

    role = Role.FILTER
    outputs = (Output("filter", PortType.FILTER),)

    group: FilterGroup = param(FILTER_GROUP, default="trade")
    invert: bool = param("The filter holds where it otherwise doesn't.", default=False)


class RiskManager(Component):
    """Protects positions or the account. Built-ins return a `ProtectiveRule` or a `GuardRule`."""

    role = Role.RISK
    outputs = (Output("risk", PortType.RISK),)

    def rule(self) -> ProtectiveRule | GuardRule | None:
        """Return the rule for the compiled driver, or None for a component that needs `on_bar`."""
        return None


class MoneyManager(Component):
    """Decides the size of an entry. Built-ins return a `SizeRule`, which the compiled driver executes."""

    role = Role.MONEY
    outputs = (Output("money", PortType.MONEY),)

    def rule(self) -> SizeRule | None:
        """Return the rule for the compiled driver, or None for a component that needs `on_bar`."""
        return None


class ExecutionLogic(Component):
    """Turns signals into orders. Built-ins return an `ExecutionRule`, which the compiled driver executes."""

    role = Role.EXECUTION
    outputs = ()

    def rule(self) -> ExecutionRule | None:
        """Return the rule for the compiled driver, or None for a component that needs `on_bar`."""
        return None


class ComponentFamily(Protocol):
    """Components generated on demand: the names are known at once, a class is built on first use."""

    role: Role

    def names(self) -> tuple[str, ...]:
        """Return the names for `use:`, in the order of the palette."""
        ...

    def build(self, name: str) -> type[Component]:
        """Return the component class of one of `names()`."""
        ...
