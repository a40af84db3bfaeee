"""The plan's second part: which nodes run inside the bar loop, because they depend on the position, and their program.

1. A node that reads the position (`PositionNode`) runs in the loop, and so does every logic node, advisor and filter
   that is wired behind one. All others are columns, as they are without a position.
2. What has no step form can't be wired behind the position: an indicator, a plugin's node without one, a price of a
   risk manager. Each is one problem; what is wired behind it is not looked at.
3. The program takes the nodes in the plan's order, then combines signals and filters as `running.job` does
   with columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from quantcrafter.engine.api import (
    ENTER_LONG,
    ENTER_SHORT,
    EXIT_LONG,
    EXIT_SHORT,
    Component,
    ComponentError,
    ExecutionLogic,
    Filter,
    Given,
    MoneyManager,
    PortType,
    PositionNode,
    Problem,
    RiskManager,
    StepForm,
    StepProgram,
    StepValue,
)
from quantcrafter.engine.api.errors import QuantCrafterError
from quantcrafter.engine.api.foreign import calling, is_plain, node_label, reason_of, use_of
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.steps import Tape
from quantcrafter.engine.graph.bound import BoundGraph, BoundNode, MarketColumn, NodeColumn, Number, Source, type_of

if TYPE_CHECKING:
    from quantcrafter.engine.graph.plan import Decision, PlanSource, PlanStep, StepColumn

ENTRIES = ENTER_LONG | ENTER_SHORT
EXITS = EXIT_LONG | EXIT_SHORT
_SIGNALS = (PortType.SIGNAL, PortType.FILTER)


@dataclass(frozen=True)
class Loop:
    """A plan's program, where its inputs come from, and which output each recorded value is."""

    program: StepProgram
    inputs: tuple[PlanSource | Given, ...]
    recorded: tuple[StepColumn, ...]


# ---------------------------------------------------------------------- what may depend on the position


def loop_problems(graph: BoundGraph) -> list[Problem]:
    """Return one problem for each node that depends on the position and can't."""
    readers: dict[str, list[tuple[BoundNode, str, int | None]]] = {}
    for node in graph.nodes.values():
        for port, index, source in _wires(node):
            if isinstance(source, NodeColumn):
                readers.setdefault(source.node, []).append((node, port, index))
    pending = [name for name, node in graph.nodes.items() if isinstance(node.component, PositionNode)]
    seen = set(pending)
    problems: dict[str, Problem] = {}
    while pending:
        name = pending.pop(0)
        for node, port, index in readers.get(name, ()):
            reason = _refusal(node, port)
            if isinstance(node.component, ExecutionLogic) and _resets(graph.nodes[name]):
                reason = Message("What starts a martingale over is computed before the run."), _BY_GROUP
            if reason is None and node.spec.id not in seen and not isinstance(node.component, ExecutionLogic):
                pending.append(node.spec.id)
            if reason is not None and node.spec.id not in problems:
                text = Message(
                    "'{port}' of '{id}' reads '{name}', which depends on the position. {reason}",
                    port=port,
                    id=node.spec.id,
                    name=name,
                    reason=reason[0],
                )
                problem = node.spec.problem("behind_position", text, reason[1], field=port, index=index)
                problems[node.spec.id] = problem
            seen.add(node.spec.id)
    return list(problems.values())


def _wires(node: BoundNode) -> Iterator[tuple[str, int | None, Source]]:
    for port, wires in node.inputs.items():
        if isinstance(wires, tuple):
            yield from ((port, index, source) for index, source in enumerate(wires))
        else:
            yield port, None, wires


def _refusal(node: BoundNode, port: str) -> tuple[str, str] | None:
    """Return why a node can't read the position by a port, and what to do; None if it can."""
    component = node.component
    if isinstance(component, ExecutionLogic):
        listed = node.inputs[port]
        kinds = [type_of(source) for source in (listed if isinstance(listed, tuple) else (listed,))]
        if not all(kind in _SIGNALS for kind in kinds):
            return Message("Prices and ranks of entries are computed before the run."), _BY_CONDITION
        if component.overrides("on_bar"):
            text = Message("'{use}' decides bar by bar in Python, and sees the position itself.", use=node.spec.use)
            return text, Message("Wire signals and filters to it that don't depend on the position.")
        return None
    if isinstance(component, (RiskManager, MoneyManager)):
        return Message("What a risk or money manager reads is computed before the run."), _BY_CONDITION
    return _refusal_of_steps(node)


def _refusal_of_steps(node: BoundNode) -> tuple[str, str] | None:
    """Return why a node that has columns can't run in the bar loop, and what to do; None if it can."""
    if not has_form(node):
        text = Message(
            "'{use}' has no step form: it is computed before the run, when there is no position.", use=node.spec.use
        )
        return text, _BY_FORM
    if node.variants:
        text = Message(
            "'{use}' has parameters per instrument, and what runs in the bar loop is the same for all.",
            use=node.spec.use,
        )
        return text, Message("Remove 'per_instrument', or read prices alone.")
    return None


def _resets(node: BoundNode) -> bool:
    return isinstance(node.component, Filter) and node.component.group == "reset_volume"


_BY_GROUP = Message("Use another group, or a filter over prices.")
_BY_CONDITION = Message("Let a condition on the position give a signal, or a filter, instead.")
_BY_FORM = Message("Use a logic node, an advisor or a filter that can, or compute it over prices alone.")


def has_form(node: BoundNode) -> bool:
    """Return whether a node has a step form, as it is set and wired.

    Raises:
        ComponentError: it failed.
    """
    if not type(node.component).overrides("steps"):
        return False
    tape = Tape()
    value = tape.number(0.0)
    wired: dict[str, StepValue | tuple[StepValue, ...]] = {}
    bars: dict[str, Callable[[str], StepValue]] = {}
    for port in type(node.component).inputs():
        wires = node.inputs.get(port.name)
        if port.type is PortType.BARS:
            bars[port.name] = lambda _column: value
        elif port.many:
            wired[port.name] = (value,) * (len(wires) if isinstance(wires, tuple) else 0)
        elif wires is not None or port.required or port.name in node.spec.values:
            wired[port.name] = value  # one that is wired to nothing that exists, or should be wired, is another problem
    return form_of(node.component, node.spec.id, StepForm(tape, wired, bars)) is not None


def form_of(component: Component, node: str, form: StepForm) -> tuple[StepValue, ...] | None:
    """Return the values that a component's step form gives, one for each output; None where it has none.

    Raises:
        ComponentError: it failed, or gave something else.
    """
    try:
        with calling(node_label(node, component), Message("providing its step form"), component, node):
            made = component.steps(form)
    except Exception as error:
        if isinstance(error, QuantCrafterError) and is_plain(error):
            error.node = error.node or node
            raise
        raise ComponentError(
            Message(
                "Node '{node}' ({use}) failed in steps: {reason}.",
                node=node,
                use=use_of(component),
                reason=reason_of(error),
            ),
            node=node,
        ) from error
    if made is None:
        return None
    values = made if isinstance(made, tuple) else (made,)
    if len(values) != len(component.outputs) or not all(isinstance(each, StepValue) for each in values):
        raise ComponentError(
            Message(
                "Node '{node}' ({use}) must return {count} StepValue(s), one for each output, from steps.",
                node=node,
                use=use_of(component),
                count=len(component.outputs),
            ),
            node=node,
        )
    return values


# ---------------------------------------------------------------------- the program


def program_of(
    steps: Sequence[PlanStep], decisions: Sequence[Decision], column: Callable[[int, int], StepColumn]
) -> Loop | None:
    """Return the program of the steps that run in the loop; None if there are none. `column` makes a step's column.

    Raises:
        ComponentError: a component failed, or has no step form.
    """
    if not any(step.in_loop for step in steps):
        return None
    tape = Tape()
    values: dict[Any, StepValue] = {}

    def value(source: Any) -> StepValue:
        if isinstance(source, Number):
            return tape.number(source.value)
        return values[source] if source in values else tape.input(source)

    for number, step in enumerate(steps):
        if step.in_loop:
            made = form_of(step.component, step.nodes[0], _form(tape, step, value))
            if made is None:
                raise ComponentError(
                    Message("{label} has no step form, and depends on the position.", label=step.label),
                    node=step.nodes[0],
                )
            values |= {column(number, place): each for place, each in enumerate(made)}
    program = tape.program(tuple(values.values()), [_head(tape, each, values, value) for each in decisions])
    return Loop(program, tape.sources, tuple(values))


def _head(
    tape: Tape, decision: Decision, values: Mapping[Any, StepValue], value: Callable[[Any], StepValue]
) -> tuple[StepValue | None, StepValue | None]:
    """Return the combined signals and the filters' verdict of an execution, None where columns give them."""
    flags = allowed = None
    if any(source in values for source in decision.signals):
        flags = _combined(tape, [value(source) for source in decision.signals], decision.rule.combine)
    if any(each.column in values for each in decision.filters):
        allowed = tape.number(1.0)
        for each in decision.filters:
            held = value(each.column)
            allowed &= ~held if each.blocks else held
    return flags, allowed


def node_program(step: PlanStep) -> tuple[StepProgram, tuple[PlanSource, ...]] | None:
    """Return the program of one step alone and where its inputs come from; None where it has none, or reads nothing.

    Raises:
        ComponentError: the component failed.
    """
    tape = Tape()

    def value(source: Any) -> StepValue:
        return tape.number(source.value) if isinstance(source, Number) else tape.input(source)

    made = form_of(step.component, step.nodes[0], _form(tape, step, value))
    if made is None or not tape.sources or any(isinstance(each, Given) for each in tape.sources):
        return None
    program = tape.program(made)
    if len(program.outputs) != len(made):  # it reads the position
        return None
    return program, tape.sources


def _form(tape: Tape, step: PlanStep, value: Callable[[Any], StepValue]) -> StepForm:
    inputs: dict[str, Any] = {}
    bars: dict[str, Callable[[str], StepValue]] = {}
    for port, wires in step.inputs.items():
        if isinstance(wires, tuple):
            inputs[port] = tuple(map(value, wires))
        elif isinstance(wires, MarketColumn) and not wires.column:
            bars[port] = _bars_of(tape, wires)
        else:
            inputs[port] = value(wires)
    return StepForm(tape, inputs, bars)


def _bars_of(tape: Tape, bars: MarketColumn) -> Callable[[str], StepValue]:
    return lambda column: tape.input(replace(bars, column=column))


def _combined(tape: Tape, signals: Sequence[StepValue], combine: str) -> StepValue:
    """Return the flags of several signals as one: any exit is an exit, an entry is any signal's, or that of all."""
    form = StepForm(tape, {})
    any_of, all_of = signals[0], signals[0]
    for each in signals[1:]:
        any_of, all_of = form.join_flags(any_of, each), form.meet_flags(all_of, each)
    if combine != "all" or len(signals) == 1:
        return any_of
    return form.join_flags(form.meet_flags(any_of, float(EXITS)), form.meet_flags(all_of, float(ENTRIES)))
