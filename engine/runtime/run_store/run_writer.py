"""Writes runs to folders for `RunFolder`: completely when they are finished, or step by step while they run."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np

from quantcrafter.engine.api import DatedAmounts, InstrumentJob, PortType, RunError
from quantcrafter.engine.api.bars import BAR_COLUMNS
from quantcrafter.engine.api.message import Message, to_json
from quantcrafter.engine.api.os_errors import fault
from quantcrafter.engine.api.wording import shown_path
from quantcrafter.engine.runtime.results.run_view import RunNode, RunView
from quantcrafter.engine.runtime.run_store.run_folder import (
    ACCOUNT,
    BENCHMARK,
    CURVES,
    EXTRA,
    FILE,
    FORMAT,
    KEPT_AS,
    QUOTED,
    RECORDS,
    TABLES,
    TIMES,
)
from quantcrafter.engine.runtime.run_store.run_log import Chunk, Column, LogWriter, execution_column
from quantcrafter.engine.runtime.run_store.trace_folders import unfinished


class RunWriter:
    """Adds to a run's folder. Readers see each chunk completely or not at all.

    There is one writer at a time: it holds a lock until it is closed or its process ends.
    """

    def __init__(self, folder: Path, log: LogWriter) -> None:
        self.folder = folder
        self._log = log

    @classmethod
    def create(cls, folder: Path, description: Mapping[str, Any]) -> RunWriter:
        """Make the folder of a run that nothing is known of yet but what is run (`describe`).

        Raises:
            RunError: the folder exists already, or cannot be written.
        """
        folder = Path(folder)
        with _made_beside(folder) as beside:
            _write_description(beside, description)
            LogWriter(beside, shared=False).close()
            _sync(beside / FILE)
        with _writing(folder):
            _sync(folder)
            _sync(folder.parent)
        return cls.reopen(folder)

    @classmethod
    def reopen(cls, folder: Path, revision: int | None = None) -> RunWriter:
        """Go on with a folder, also one whose writer was killed; commits behind `revision`, if given, are dropped.

        Raises:
            RunError: there is no such folder, it is damaged, has no such revision, has a writer already, or cannot be
                written.
        """
        folder = Path(folder)
        with _writing(folder):
            if json.loads((folder / FILE).read_text(encoding="utf-8"))["format"] != FORMAT:
                raise ValueError(Message("it is of another format"))
            return cls(folder, LogWriter(folder, revision))

    @property
    def revision(self) -> int:
        """How many chunks the folder has."""
        return self._log.revision

    def append(self, chunk: Chunk) -> int:
        """Add a chunk, wait until it is on the disk, and return the new revision.

        Raises:
            RunError: it cannot be written. The folder has what it had before.
        """
        with _writing(self.folder):
            return self._log.append(chunk)

    def close(self) -> None:
        """Close the folder's files."""
        self._log.close()

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close the folder's files."""
        self.close()


def save_run(run: RunView, folder: Path, keep: Literal["all", "tables"] = "all", *, durable: bool = True) -> Path:
    """Write a finished run to a new folder and return it; it is whole, or not there.

    Args:
        run: the run, with all its columns.
        folder: the folder to make.
        keep: everything, or fills, trades and equity without bars and columns.
        durable: wait until its content is on the disk, so that a power cut leaves it whole or not there.

    Raises:
        RunError: the folder exists already, or cannot be written.
    """
    folder = Path(folder)
    with _made_beside(folder) as beside:
        _write_description(beside, {**describe(run), "whole": True})
        if durable:
            _sync(beside / FILE)
        log = LogWriter(beside, durable=durable, shared=False)
        try:
            whole = chunk_of(run, state=final_state(run)) if keep == "all" else _tables_of(run)
            whole = replace(whole, records={**whole.records, "daily_returns": run.daily_returns})
            log.append(with_benchmark(whole, run))
        finally:
            log.close()
    return folder


def _tables_of(run: RunView) -> Chunk:
    """Return fills, trades and equity as a chunk without bars; columns of words are numbered."""
    kept = {name: getattr(run, name).columns for name in TABLES}
    records = {f"{table}.{name}": column for table, columns in kept.items() for name, column in columns.items()}
    words = {}
    for name, column in records.items():
        if column.dtype.kind == "U":
            records[name], words[name] = _numbered(column)
    tables = {table: list(columns) for table, columns in kept.items()}
    state = {**final_state(run), "tables": tables, "words": words}
    return Chunk([0] * len(run.instruments), records=records, state=state)


def _numbered(column: Column) -> tuple[Column, list[str]]:
    """Return a column of few different words as numbers, and the words: they take 4 bytes per letter."""
    words: dict[str, int] = {}
    numbers = [words.setdefault(word, len(words)) for word in column.tolist()]
    return np.array(numbers, np.min_scalar_type(len(words))), list(words)


def describe(run: RunView) -> dict[str, Any]:
    """Return what `run.json` says of a run: all that is known before its first bar."""
    file = str(Path(run.file).absolute()) if run.file else ""  # whoever reads it may be in another folder
    return {
        "format": FORMAT,
        "strategy": run.strategy,
        "started": run.started.isoformat(),
        "engine": run.engine,
        "mode": run.mode,
        "settings": run.settings.model_dump(mode="json"),
        "origin": asdict(replace(run.origin, file=file)),
        "rule_nodes": list(run.rule_nodes),
        "warnings": [asdict(each) for each in run.warnings],
        "instruments": [_instrument(job) for job in run.instruments],
        "nodes": [_node(each) for each in run.nodes.values()],
        "decisions": [asdict(each) for each in run.decisions],
        "feeds": [list(pair) for pair in run.feeds],
    }


def chunk_of(
    run: RunView,
    bars: Sequence[slice] | None = None,
    records: Mapping[str, slice] | None = None,
    state: Mapping[str, Any] | None = None,
) -> Chunk:
    """Return a part of a run as a chunk.

    Args:
        run: the run.
        bars: of each instrument, which bars; all if left out.
        records: by name, which rows of the ledger; all if left out.
        state: what is small, by name.
    """
    slices = [slice(0, len(job.bars)) for job in run.instruments] if bars is None else bars
    columns = {
        name: [column[part] for column, part in zip(parts, slices, strict=True)] for name, parts in _columns(run)
    }
    counts = [len(job.bars.close[part]) for job, part in zip(run.instruments, slices, strict=True)]
    names = (*RECORDS, *CURVES)
    rows = {
        KEPT_AS.get(name, name): getattr(run.ledger, name)[(records or {}).get(name, slice(None))] for name in names
    }
    return Chunk(counts, columns, rows, state or {})


def with_benchmark(chunk: Chunk, run: RunView) -> Chunk:
    """Return the last chunk of a run with what the run is compared with."""
    found = run.benchmark
    if found is None:
        return chunk
    records = {**chunk.records, BENCHMARK: found.growth}
    return replace(chunk, records=records, state={**chunk.state, "benchmark": found.name})


def final_state(run: RunView) -> dict[str, Any]:
    """Return the small data that is known when a run has finished."""
    return {
        **growing_state(run),
        "metrics": dict(run.metrics),
        "timing": dict(run.timing),
        "findings": [to_json(each) for each in run.findings],
        "notes": [to_json(each) for each in run.notes],
        "data_hash": run.data_hash,
        "months": run.months,
        "finished": True,
    }


def growing_state(run: RunView) -> dict[str, Any]:
    """Return the small data that changes during a run."""
    return {
        "synthetic": run.synthetic,
        "warmup": run.warmup,
        "first_bars": [job.first_bar for job in run.instruments],
        "ready": {name: list(node.ready) for name, node in run.nodes.items()},
        "open_positions": [asdict(each) for each in run.ledger.open_positions],
    }


def _columns(run: RunView) -> Iterator[tuple[str, list[Column]]]:
    """Yield every column of a run with its parts by instrument."""
    jobs = run.instruments
    for name in (*TIMES, *BAR_COLUMNS):
        yield f"bars.{name}", [getattr(job.bars, name) for job in jobs]
    for name in dict.fromkeys(name for job in jobs for name in job.bars.extra):
        missing = (np.full(len(job.bars), np.nan) for job in jobs)
        yield f"{EXTRA}{name}", [job.bars.extra.get(name, none) for job, none in zip(jobs, missing, strict=True)]
    if any(job.bars.spread is not None for job in jobs):
        yield QUOTED, [np.full(len(job.bars), np.nan) if job.bars.spread is None else job.bars.spread for job in jobs]
    for number in range(len(jobs[0].executions) if jobs else 0):
        yield execution_column("flags", number), [job.executions[number].flags for job in jobs]
        yield execution_column("allowed", number), [job.executions[number].allowed for job in jobs]
    yield from account_columns(jobs)
    numbers = range(len(jobs))
    seen = set()
    for node in run.nodes.values():
        if node.step < 0 or node.step in seen:
            continue
        seen.add(node.step)
        for place, output in enumerate(node.outputs):
            name = f"column.{node.step}.{place}"
            yield name, [run.column(node.id, output.name, number) for number in numbers]
            if output.type is PortType.SIGNAL and run.strength(node.id, output.name) is not None:
                yield f"{name}.strength", [_strength(run, node.id, output.name, number) for number in numbers]
    for feed, column in run.feeds:
        yield f"feed.{feed}.{column}", [run.feed_column(feed, column, number) for number in numbers]


def _strength(run: RunView, node: str, output: str, instrument: int) -> Column:
    strength = run.strength(node, output, instrument)
    if strength is None:  # pragma: no cover - a signal has it on all instruments or on none
        raise RunError(
            Message("The signal '{node}.{output}' has strengths on some instruments only.", node=node, output=output)
        )
    return strength


def account_columns(jobs: Sequence[InstrumentJob]) -> Iterator[tuple[str, list[Column]]]:
    """Yield the columns of the account that any instrument has."""
    for name, neutral in ACCOUNT.items():
        given = [getattr(job, name) for job in jobs]
        if any(column is not None for column in given):
            filled = zip(jobs, given, strict=True)
            yield (
                f"market.{name}",
                [np.full(len(job.bars), neutral) if own is None else own for job, own in filled],
            )


def _dated(amounts: DatedAmounts | None) -> dict[str, Any] | None:
    return None if amounts is None else {name: column.tolist() for name, column in vars(amounts).items()}


def _instrument(job: InstrumentJob) -> dict[str, Any]:
    return {
        "symbol": job.symbol,
        "timeframe": str(job.bars.timeframe),
        "tick_size": job.tick_size,
        "lot_size": job.lot_size,
        "kind": job.kind,
        "multiplier": job.multiplier,
        "pip_size": job.pip_size,
        "buy_duty_percent": job.buy_duty_percent,
        "sell_duty_percent": job.sell_duty_percent,
        "values": dict(job.values),
        "trading_days": job.trading_days,
        "spread": job.spread,
        "quotes": job.quotes,
        "funding_percent": job.funding_percent,
        "funding": _dated(job.funding),
        "swap": None if job.swap is None else {**vars(job.swap), "dated": _dated(job.swap.dated)},
        "expiry_day": job.expiry_day,
        "expires": job.expires,
        "contracts": job.contracts,
        "settlement": job.settlement,
        "price_limits": job.price_limits,
        "limit_amounts": job.limit_amounts,
        "limit_rounding": job.limit_rounding,
        "tick_tables": job.tick_tables,
        "terms": {name: [term.value, term.source] for name, term in job.terms.items()},
        "min_quantity": job.min_quantity,
        "borrow_percent": job.borrow_percent,
        "margin": None if job.margin is None else job.margin.model_dump(mode="json"),
        "currency": job.currency,
        "session": asdict(job.bars.session),
        "source": job.bars.source,
        "synthetic": job.bars.synthetic,
        "extra": list(job.bars.extra),
        "quoted": job.bars.spread is not None,
        "account": {name: getattr(job, name) is not None for name in ACCOUNT},
    }


def _node(node: RunNode) -> dict[str, Any]:
    about = asdict(node)
    del about["ready"]
    return about


def _write_description(folder: Path, description: Mapping[str, Any]) -> None:
    (folder / FILE).write_text(json.dumps(description), encoding="utf-8")


@contextmanager
def _made_beside(folder: Path) -> Iterator[Path]:
    """Yield a new folder beside a place, which takes that place when all went well and is gone otherwise."""
    beside = unfinished(folder)
    with _writing(folder):
        try:
            beside.mkdir(parents=True)
            yield beside
            beside.rename(folder)
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise


def _sync(place: Path) -> None:
    """Wait until a file, or what a folder lists, is on the disk; Windows knows this of files only."""
    if os.name == "nt" and place.is_dir():
        return
    number = os.open(place, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        cause, remedy = fault(error, "home")
        raise RunError(
            Message(
                "The run can't be saved in '{folder}': {cause}. {remedy}",
                folder=shown_path(folder),
                cause=cause,
                remedy=remedy,
            )
        ) from error
    except (ValueError, LookupError, TypeError) as error:
        cause = fault(error, "read").cause
        raise RunError(
            Message(
                "The run in '{folder}' can't be read: {cause}. Run it again.", folder=shown_path(folder), cause=cause
            )
        ) from error
