"""The event style: a component's `on_bar` looped over the bars into columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from quantcrafter.engine.api import (
    Bars,
    Component,
    ComponentError,
    PortType,
    QuantCrafterError,
    Signals,
    StrategyContext,
)
from quantcrafter.engine.api.foreign import is_plain, node_label, reason_of, use_of
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.node_state import seal

_BLANK: Mapping[PortType, tuple[Any, Any]] = {
    PortType.SERIES: (np.float64, np.nan),
    PortType.CONDITION: (np.bool_, False),
    PortType.FILTER: (np.bool_, False),
    PortType.SIGNAL: (np.uint8, 0),
}


def loop_on_bar(component: Component, node: str, bars: Bars, inputs: Mapping[str, Any]) -> Any:
    """Return the columns that `on_bar` gives bar by bar; None means no value (NaN, False, no signal).

    One context serves the whole loop: it shows what is known at each bar, and keeps the component's state.

    Raises:
        ComponentError: `on_bar` raised, gave the wrong number or kind of values, or wrote to the component; names node
            and bar.
    """
    ctx = StrategyContext(node)
    ctx.bind(*split_inputs(inputs, bars))
    results = blank_columns(component, len(bars))
    seal(component)
    for bar in range(len(bars)):
        ask_bar(component, ctx, bar, results)
    return tuple(results) if len(results) != 1 else results[0]


def blank_columns(component: Component, length: int) -> list[npt.NDArray[Any]]:
    """Return a column without values for each output."""
    return [np.full(length, blank, dtype=dtype) for dtype, blank in (_BLANK[each.type] for each in component.outputs)]


def ask_bar(
    component: Component, ctx: StrategyContext, bar: int, results: Sequence[npt.NDArray[Any]], first: int = 0
) -> None:
    """Ask a component about a bar and put what it says into the columns of its outputs, which begin with bar `first`.

    Raises:
        ComponentError: as of `loop_on_bar`.
    """
    node = ctx.node
    ctx.index = bar
    try:
        value = component.on_bar(ctx)
        ctx.check_state()
    except Exception as error:
        if isinstance(error, QuantCrafterError) and is_plain(error):
            raise
        what = Message(
            "Node '{node}' ({use}) failed in on_bar at {place}: {reason}.",
            node=node,
            use=use_of(component),
            place=ctx.place(),
            reason=reason_of(error),
        )
        raise ComponentError(Message("{what} Given: {given}.", what=what, given=ctx.given()), node=node) from error
    values = value if isinstance(value, tuple) else (value,)
    if len(values) != len(results):
        text = Message(
            "Node '{node}' ({use}) returned {count} values from on_bar at bar {bar}, not {wanted}.",
            node=node,
            use=use_of(component),
            count=len(values),
            bar=bar,
            wanted=len(results),
        )
        raise ComponentError(text, node=node)
    for result, item in zip(results, values, strict=True):
        if item is not None:
            _put(result, bar, first, item, node_label(node, component))


def _put(result: Any, bar: int, first: int, item: Any, label: str) -> None:
    try:
        result[bar - first] = item
    except (TypeError, ValueError, OverflowError) as error:
        text = Message(
            "{label} returned {item} from on_bar at bar {bar} instead of {dtype}.",
            label=label,
            item=repr(item),
            bar=bar,
            dtype=result.dtype,
        )
        raise ComponentError(text) from error


def split_inputs(inputs: Mapping[str, Any], bars: Bars) -> tuple[Bars, dict[str, Any], dict[str, Any]]:
    """Sort inputs into the bars to show, columns by port name, and flags of signals by port name."""
    columns: dict[str, Any] = {}
    signals: dict[str, Any] = {}
    flat = [
        (f"{port}_{index}" if isinstance(value, tuple) and not isinstance(value, Signals) else port, part)
        for port, value in inputs.items()
        for index, part in enumerate(value if isinstance(value, tuple) and not isinstance(value, Signals) else (value,))
    ]
    for port, value in flat:
        if isinstance(value, Bars):
            bars = value
        elif isinstance(value, Signals):
            signals[port] = value.flags
        else:
            columns[port] = value
    return bars, columns, signals
