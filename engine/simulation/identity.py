"""The identity of a state: the strategy, the terms of its job, and the names of rules and orders."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass, replace
from enum import Enum
from typing import Any

from pydantic import BaseModel

from quantcrafter.engine.api.engine import EngineJob, InstrumentJob

BAR_STANDARD = "QC-BAR-1"
"""The bar standard; states of other standards are incompatible."""

_COLUMNS = frozenset({"bars", "flags", "allowed", "first_bar", "rule_columns", "execution_columns", "size_column"})
_COLUMNS |= {"rate_open", "rate_close", "split", "dividend", "step_columns", "further", "terms", "trading_days"}
_COLUMNS |= {"history", "step_state", "roll", "spreads", "funding", "dated"}
"""Fields of an instrument that have a value for each bar, depend on such values, or don't affect its behaviour."""

_MODES = {"mode", "engine", "start", "end", "benchmark", "risk_free"}
"""Settings that say where and how a job is run and measured, not what it does."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The owner of a session.

    Args:
        strategy: a hash of the strategy, which identifies its states.
        rules: the names of the protective rules, then of the guards: the ids of their nodes. Empty for their places.
        worker: 1 to 12 letters and digits, the prefix of order ids.
        epoch: a number that increases with each start of the worker.
    """

    strategy: str = ""
    rules: tuple[str, ...] = ()
    worker: str = "session"
    epoch: int = 0


def rule_names(job: EngineJob, identity: Identity) -> tuple[str, ...]:
    """Return the name of each protective rule and guard of a job, by number."""
    count = len(job.protection) + len(job.guards)
    return identity.rules or tuple(str(number) for number in range(count))


def terms_hash(job: EngineJob) -> str:
    """Return a hash of a job without its bars and its environment.

    Default values are excluded, so that a later version with more terms gives the same hash. Values that may become
    more precise are also excluded: a tick that is derived from prices, that of usual prices beside a table of ticks,
    and the calendar of a session.
    """
    instruments = [
        (
            _plain(_without_shown(each)),
            *(_plain(each.bars.timeframe), _plain(replace(each.bars.session, calendar=""))),
            *(column is not None for column in (each.rate_open, each.split, each.size_column)),
            tuple(column is not None for column in each.rule_columns),
            tuple(sorted(each.execution_columns)),
            *((tuple(sorted(further.columns)), further.size is not None) for further in each.further),
            *_changing(each),
        )
        for each in job.instruments
    ]
    first, *others = job.executions
    rules = _plain((first.rule, first.size, job.protection, job.guards))
    if others or first.protection is not None:
        rules.append([(_plain(each.rule), _plain(each.size), each.protection) for each in job.executions])
    settings = sorted(job.settings.model_dump(mode="json", exclude=_MODES, exclude_defaults=True).items())
    parts = [(part.node, type(part.component).__qualname__, _plain(part.component)) for part in job.components]
    return _digest((instruments, rules, settings, parts, program_hash(job) or None))


def _without_shown(instrument: InstrumentJob) -> InstrumentJob:
    if instrument.tick_is_shown:
        return replace(instrument, tick_size=0.0, tick_tables=())
    return replace(instrument, tick_size=0.0) if instrument.tick_tables else instrument


def _changing(instrument: InstrumentJob) -> Iterator[str]:
    """Yield what of an instrument changes from bar to bar, apart from its other columns."""
    for name in ("roll", "spreads", "funding"):
        if getattr(instrument, name) is not None:
            yield name
    if instrument.swap is not None and instrument.swap.dated is not None:
        yield "swap"


def program_hash(job: EngineJob) -> str:
    """Return a hash of the steps that read the position; nothing where there are none."""
    program = job.steps
    if program is None:
        return ""
    heads = (program.inputs, program.outputs, program.flags, program.allowed, *program.further)
    return _digest((program.rows.tolist(), program.registers.tolist(), program.state.tolist(), heads))


def _digest(value: Any) -> str:
    return hashlib.blake2b(repr(value).encode(), digest_size=16).hexdigest()


def _plain(value: Any) -> Any:
    """Return the non-default parts of a value as plain values."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, BaseModel):
        return sorted(value.model_dump(mode="json", exclude_defaults=True).items())
    if is_dataclass(value) and not isinstance(value, type):
        named = ((each, getattr(value, each.name)) for each in fields(value) if each.name not in _COLUMNS)
        return [(each.name, _plain(field_value)) for each, field_value in named if field_value != _default(each)]
    return [_plain(each) for each in value] if isinstance(value, (tuple, list)) else value


def _default(of: Field[Any]) -> Any:
    return of.default_factory() if of.default_factory is not MISSING else of.default
