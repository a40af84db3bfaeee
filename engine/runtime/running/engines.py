"""Selection of a run's engine: by name, installed, and with all capabilities that the strategy requires."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Protocol, runtime_checkable

from quantcrafter.engine.api import (
    Capability,
    ClassJob,
    ClassRun,
    EngineAdapter,
    EngineJob,
    ExecutionRule,
    InstrumentJob,
    Ledger,
    Need,
    OnOpposite,
    OrderKind,
    Problem,
    ProtectiveKind,
    QuantCrafterError,
    Role,
    RunError,
    RunSettings,
    Severity,
    SpecError,
)
from quantcrafter.engine.api.foreign import calling, foreign, is_own, is_plain, reason_of, with_origin
from quantcrafter.engine.api.frozen import LentColumns
from quantcrafter.engine.api.message import Message, word
from quantcrafter.engine.api.settings import InstrumentKind
from quantcrafter.engine.api.wording import did_you_mean
from quantcrafter.engine.graph import BoundGraph, Decision, make_plan

_ENTRIES = {
    OrderKind.STOP: Capability.STOP_ORDERS,
    OrderKind.LIMIT: Capability.LIMIT_ORDERS,
    OrderKind.STOP_LIMIT: Capability.STOP_LIMIT_ORDERS,
    OrderKind.AT_CLOSE: Capability.ORDERS_AT_CLOSE,
}
_PROTECTIVE = {
    ProtectiveKind.STOP_LOSS: Capability.STOP_ORDERS,
    ProtectiveKind.TRAILING_STOP: Capability.STOP_ORDERS,
    ProtectiveKind.BREAK_EVEN: Capability.STOP_ORDERS,
    ProtectiveKind.TAKE_PROFIT: Capability.LIMIT_ORDERS,
    ProtectiveKind.COMPONENT: Capability.STOP_ORDERS,
}


OWN_ENGINE = "native"
STARTED_MODES = ("paper", "replay", "live")
"""The modes in which strategies of our own engine run on and on, by `quantcrafter start`."""


@runtime_checkable
class Engines(Protocol):
    """A source of engines, such as the plugin registry."""

    def engine(self, name: str) -> type[EngineAdapter] | None:
        """Return the engine of that name, or None."""
        ...

    def engine_names(self) -> tuple[str, ...]:
        """Return the names that `run.engine` may say."""
        ...


@dataclass(frozen=True)
class EngineChoice:
    """An engine as a list of engines shows it; `missing` is '' when it can be used, else says what brings it."""

    name: str
    help: str
    missing: str
    capabilities: tuple[Capability, ...]
    adapter: type[EngineAdapter]

    @property
    def installed(self) -> bool:
        """Whether a run can use it now."""
        return not self.missing

    @property
    def command(self) -> str:
        """The command that provides it; '' when it is installed."""
        return self.missing.partition(": ")[2]

    @property
    def versions(self) -> Mapping[str, str]:
        """The versions of what does the matching, by package; nothing while it is missing."""
        return {} if self.missing else self.adapter.versions()


def engine_choices(registry: Engines) -> tuple[EngineChoice, ...]:
    """Return every engine that is registered, those that lack their packages included, without importing any."""
    return tuple(_choice(cls) for name in registry.engine_names() if (cls := registry.engine(name)) is not None)


def run_job(adapter: EngineAdapter, job: EngineJob) -> Ledger:
    """Run a job on an engine and return the ledger.

    Raises:
        ComponentError: a component failed.
        RunError: the engine cannot do what the job asks for, or failed; RunCancelledError if the run was cancelled.
    """
    if is_own(adapter) and all(is_own(part.component) for part in job.components):
        return adapter.run(job)
    who = _label(adapter.name, adapter)
    lent = LentColumns()
    if not is_own(adapter):
        job = _lent_job(job, lent)
    try:
        with foreign(who, Message("running")):
            ledger = adapter.run(job)
        lent.check()
    except Exception as error:
        if is_own(adapter) or (isinstance(error, QuantCrafterError) and (is_plain(error) or job.cancelled())):
            raise
        raise RunError(Message("{engine} failed: {reason}.", engine=who, reason=reason_of(error))) from error
    if not isinstance(ledger, Ledger):
        raise RunError(
            Message(
                "{who} must return a Ledger, and returned a {type}. Report it to its author.",
                who=who,
                type=type(ledger).__name__,
            )
        )
    return ledger


def run_class_job(adapter: EngineAdapter, job: ClassJob) -> ClassRun:
    """Run a strategy class on its engine and return the ledger.

    Raises:
        RunError: the class or the engine failed; RunCancelledError if the run was cancelled.
    """
    who, lent = f"'{job.path}'", LentColumns()
    job = replace(job, instruments=tuple(replace(each, bars=lent.value(each.bars)) for each in job.instruments))
    try:
        with foreign(who, Message("running")):
            made = adapter.run_class(job)
        lent.check()
    except Exception as error:
        if isinstance(error, QuantCrafterError) and (is_plain(error) or job.cancelled()):
            raise
        raise RunError(
            Message(
                "{who} failed on the engine '{name}': {reason}.", who=who, name=adapter.name, reason=reason_of(error)
            )
        ) from error
    return made


def _lent_job(job: EngineJob, lent: LentColumns) -> EngineJob:
    """Return a job for an engine of others, with copies of all that it may read."""
    instruments = [
        replace(each, **lent.value({field.name: getattr(each, field.name) for field in fields(each)}))
        for each in job.instruments
    ]
    components = [replace(part, inputs=tuple(map(lent.value, part.inputs))) for part in job.components]
    return replace(job, instruments=tuple(instruments), components=tuple(components))


def is_ready(cls: type[EngineAdapter]) -> bool:
    """Return whether an engine that is installed can start at once; True where it cannot even tell."""
    try:
        with calling(_label(cls.name, cls), Message("getting ready"), cls):
            return bool(cls.missing()) or bool(cls().is_ready())
    except Exception:  # noqa: BLE001 - the run says what is wrong
        return True


def _missing(cls: type[EngineAdapter]) -> str:
    """Return what an engine is missing, or why this is unknown."""
    try:
        with calling(_label(cls.name, cls), Message("reporting what it needs"), cls):
            return str(cls.missing())
    except Exception as error:  # noqa: BLE001 - a list of engines is shown all the same
        return Message("not usable: {reason}", reason=reason_of(error))


def _choice(cls: type[EngineAdapter]) -> EngineChoice:
    missing = _missing(cls)
    paragraph = inspect.cleandoc(cls.__doc__ or "").partition("\n\n")[0]
    abilities = tuple(each for each in Capability if each in cls.capabilities)
    return EngineChoice(cls.name, " ".join(paragraph.split()), missing, abilities, cls)


def installed_engines(registry: Engines) -> tuple[str, ...]:
    """Return the names of the engines that a run can use now."""
    return tuple(choice.name for choice in engine_choices(registry) if choice.installed)


def engine_for(graph: BoundGraph, settings: RunSettings, registry: Engines) -> EngineAdapter:
    """Return the engine that the settings name, if it can do all that the graph asks of it.

    Raises:
        SpecError: it cannot be used, see `find_engine`.
    """
    needs = needs_of(make_plan(graph).decisions, _kinds(graph), settings, _of_instruments(graph))
    return find_engine(settings.engine, registry, mode=settings.mode, needs=needs, file=graph.spec.file)


def run_problems(graph: BoundGraph, registry: Engines, *, is_sound: bool) -> list[Problem]:
    """Return why a strategy can't be run here with its settings: engine and mode, and missing capabilities.

    An engine that is not installed is a warning, as the strategy may well run elsewhere.

    Args:
        graph: the bound graph.
        registry: knows the engines.
        is_sound: the graph has no errors, so that what it asks of the engine can be told.
    """
    run = graph.spec.run
    cls = registry.engine(run.engine)
    if cls is None:
        return [_in_file(_unknown(run.engine, registry), graph)]
    needs: tuple[Need, ...] = ()
    mode = "backtest" if cls.name == OWN_ENGINE and run.mode in STARTED_MODES else run.mode
    if is_sound and not cls.missing() and not set(Capability) <= set(cls.capabilities):
        needs = needs_of(make_plan(graph).decisions, _kinds(graph), run, _of_instruments(graph))
    return [_in_file(problem, graph) for problem in _shortcomings(cls, registry, mode, needs)]


def _in_file(problem: Problem, graph: BoundGraph) -> Problem:
    """Return a problem with its place under `run`."""
    name = problem.path.removeprefix("run.")
    at = graph.spec.place(name)
    severity = Severity.WARNING if problem.code == "engine_not_installed" else Severity.ERROR
    return replace(problem, file=at.file, line=at.line, column=at.column, field=name, severity=severity)


def modes_of(name: str, registry: Engines) -> tuple[str, ...]:
    """Return the modes that a file may have with an engine, those of all installed engines if it is none of them.

    With our own engine these are also those in which it is started and runs on and on.
    """
    cls = registry.engine(name)
    engines = [cls] if cls is not None else [choice.adapter for choice in engine_choices(registry) if choice.installed]
    started = STARTED_MODES if any(engine.name == OWN_ENGINE for engine in engines) else ()
    return tuple(dict.fromkeys((*(mode for engine in engines for mode in engine.modes), *started)))


def needs_of(
    decisions: Sequence[Decision],
    kinds: Sequence[InstrumentKind],
    settings: RunSettings,
    further: Collection[Capability] = (),
) -> tuple[Need, ...]:
    """Return what a run asks of its engine, each once, with the node that asks for it.

    `kinds` are those of its instruments, which also need the `further` capabilities.
    """
    found: dict[Capability, Need] = {}
    for decision in decisions:
        for need in _needs(decision):
            found.setdefault(need.capability, need)
        if decision.rule.pair is not None:
            found.setdefault(Capability.PAIRS, Need(Capability.PAIRS, decision.node))
    if not decisions:
        return ()
    if len(decisions) > 1:
        found[Capability.SEVERAL_EXECUTIONS] = Need(Capability.SEVERAL_EXECUTIONS, decisions[1].node)
    if "contract" in kinds:
        found[Capability.CONTRACTS] = Need(Capability.CONTRACTS)
    if len(kinds) > 1:
        found[Capability.SEVERAL_INSTRUMENTS] = Need(Capability.SEVERAL_INSTRUMENTS)
    if Capability.ORDERS_AT_CLOSE in found and settings.fills.close == "auction":
        found[Capability.CLOSING_AUCTION] = Need(Capability.CLOSING_AUCTION, found[Capability.ORDERS_AT_CLOSE].node)
    found |= {capability: Need(capability) for capability in _of_settings(settings)}
    return (*found.values(), *map(Need, further))


def _of_settings(settings: RunSettings) -> Iterator[Capability]:
    """Yield the capabilities that the settings of a run need, whatever its nodes are."""
    if settings.slippage.volume_percent > 0:
        yield Capability.PARTIAL_FILLS
    if settings.withdrawal.percent > 0:
        yield Capability.WITHDRAWALS


def _kinds(graph: BoundGraph) -> list[InstrumentKind]:
    return [instrument.spec.kind for instrument in graph.instruments]


def _of_instruments(graph: BoundGraph) -> tuple[Capability, ...]:
    """Return the capabilities that instruments need for what they have of their own."""
    specs = [instrument.spec for instrument in graph.instruments]
    found = [Capability.CONTINUOUS_FUTURES] if any(spec.continuous is not None for spec in specs) else []
    found += [Capability.CHANGING_COSTS] if any(spec.has_changing_costs for spec in specs) else []
    return tuple(found)


def capabilities_of(jobs: Sequence[InstrumentJob]) -> tuple[Capability, ...]:
    """Return the capabilities that instruments of a job need for what they have of their own."""
    found = [Capability.CONTINUOUS_FUTURES] if any(each.roll is not None for each in jobs) else []
    changing = any(
        each.spreads is not None or each.funding is not None or (each.swap is not None and each.swap.dated is not None)
        for each in jobs
    )
    return (*found, Capability.CHANGING_COSTS) if changing else tuple(found)


def _needs(decision: Decision) -> Iterator[Need]:
    # For every entry: exits by signal, reversals and the end of the data are market orders.
    yield Need(Capability.MARKET_ORDERS, decision.node)
    if decision.position:
        yield Need(Capability.POSITION_CONDITIONS, decision.position)
    yield from _entry_needs(decision.rule, decision.node)
    for each in decision.protection:
        yield Need(_PROTECTIVE[each.rule.kind], each.node)
    for part in decision.components:
        # The orders of a component are known only when it creates them.
        if part.component.role in (Role.EXECUTION, Role.RISK):
            yield Need(Capability.STOP_ORDERS, part.node)
            yield Need(Capability.LIMIT_ORDERS, part.node)
        if part.component.role is Role.EXECUTION:
            yield Need(Capability.STOP_LIMIT_ORDERS, part.node)


def _entry_needs(rule: ExecutionRule, node: str) -> Iterator[Need]:
    if rule.grid is not None:
        yield Need(Capability.LIMIT_ORDERS, node)
    elif rule.entry.kind in _ENTRIES:
        yield Need(_ENTRIES[rule.entry.kind], node)
    if rule.entry.two_sided:
        yield Need(Capability.TWO_SIDED_ENTRIES, node)
    if rule.on_opposite is OnOpposite.REVERSE_AT_PRICE:
        yield Need(Capability.REVERSING_ORDERS, node)
    if rule.scale_in is not None and rule.scale_in.resting:
        yield Need(Capability.STOP_ORDERS if rule.scale_in.in_favour else Capability.LIMIT_ORDERS, node)


def find_engine(
    name: str, registry: Engines, *, mode: str, needs: tuple[Need, ...] = (), file: str = ""
) -> EngineAdapter:
    """Return an engine that can execute a run.

    Raises:
        SpecError: there is no such engine, it is not installed, or it cannot do all that is asked; it holds a problem
            for each thing that is missing.
        RunError: it raised when it was made.
    """
    cls = registry.engine(name)
    problems = [_unknown(name, registry)] if cls is None else list(_shortcomings(cls, registry, mode, needs))
    if cls is None or problems:
        raise SpecError([_placed(problem, file) for problem in problems])
    try:
        with calling(_label(name, cls), Message("starting"), cls):
            return cls()
    except Exception as error:
        raise RunError(
            Message("{engine} can't be made: {reason}.", engine=_label(name, cls), reason=reason_of(error))
        ) from error


def _label(name: str, engine: object) -> str:
    return with_origin(Message("Engine '{name}'", name=name), engine)


def _unknown(name: str, registry: Engines) -> Problem:
    names = registry.engine_names()
    remedy = Message("{hint} Available: {names}.", hint=did_you_mean(name, names), names=", ".join(names))
    return Problem("unknown_engine", Message("There is no engine '{name}'.", name=name), remedy, path="run.engine")


def _shortcomings(cls: type[EngineAdapter], registry: Engines, mode: str, needs: tuple[Need, ...]) -> Iterator[Problem]:
    missing = _missing(cls)
    if missing:
        others = Message(
            "Or choose another engine: {installed_engines}.", installed_engines=", ".join(installed_engines(registry))
        )
        yield Problem(
            "engine_not_installed",
            Message("The engine '{name}' is {missing}.", name=cls.name, missing=missing),
            others,
            path="run.engine",
        )
        return
    if mode not in cls.modes:
        text = Message("The engine '{name}' can't run in mode '{mode}'.", name=cls.name, mode=mode)
        remedy = (
            Message("Start it: 'quantcrafter start FILE'. Or set 'mode: backtest'.")
            if cls.name == OWN_ENGINE and mode in STARTED_MODES
            else Message("It can: {modes}.", modes=", ".join(cls.modes))
        )
        yield Problem("unknown_mode", text, remedy, path="run.mode")
    for need in needs:
        if need.capability in cls.capabilities:
            continue
        asker = Message("node '{node}' needs", node=need.node) if need.node else Message("the strategy needs")
        able = [name for name in installed_engines(registry) if _can(registry.engine(name), need)]
        text = Message(
            "The engine '{name}' doesn't do {capability}, which {asker}.",
            name=cls.name,
            capability=word(need.capability),
            asker=asker,
        )
        remedy = (
            Message("Engines that do: {able}.", able=", ".join(able)) if able else Message("No installed engine does.")
        )
        yield Problem("engine_capability", text, remedy, path="run.engine", node=need.node)


def _can(cls: type[EngineAdapter] | None, need: Need) -> bool:
    return cls is not None and need.capability in cls.capabilities


def _placed(problem: Problem, file: str) -> Problem:
    return replace(problem, file=file)
