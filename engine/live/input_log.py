"""The log of a worker: one SQLite file that holds all that its state is made of.

1. An input is committed before it is acted on, and a command before it is sent.
2. Inputs are numbered from 1. Outputs have the number of their input and a place among its outputs.
3. `histories` holds the bars that columns are computed on: those before an anchor, and at each snapshot those that came
   since the last one.
4. A snapshot holds the state after an input, and `books` the rows of the ledger since the snapshot before.

Bars are committed without waiting for the disk: after a power cut the latest may be missing, which the feed then brings
again. Everything about orders at a broker waits (`durable`). After the end of a process nothing is missing.
"""

from __future__ import annotations

import json
import sqlite3
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple, Self

from quantcrafter.engine.api import Bars, Ledger, RunError
from quantcrafter.engine.api.locks import try_lock
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.transaction import transaction
from quantcrafter.engine.api.wording import shown_path
from quantcrafter.engine.live.inputs import (
    Anchored,
    LiveInput,
    LiveOutput,
    dumped,
    kind_of,
    read_input,
    time_of,
    written_input,
)
from quantcrafter.engine.live.log_copy import copy_log
from quantcrafter.engine.live.packed import joined_bars, pack_bars, pack_ledger, unpack_bars, unpack_ledger
from quantcrafter.engine.storage import Database, Schema
from quantcrafter.engine.trading_calendar.zones import DAY_NS

LOG, LOCK = "log.db", "lock"
CLASS_VENUE = "class"
"""The venue in the log of a strategy class, whose engine fills its orders."""
_LOOKED_AT_S = 0.2
"""For how long a lock is asked for again: who looks whether a worker is running holds it for a moment."""
TIMEOUT_S = 5.0
_EARLIER = "strategy_before_"
"""With the number of an anchor: what `meta` says of the strategy that was changed there."""

SCHEMA = Schema(
    1,
    {
        "meta": "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
        "histories": (
            "CREATE TABLE histories (anchor INTEGER NOT NULL, name TEXT NOT NULL, upto INTEGER NOT NULL, "
            "bars BLOB NOT NULL, PRIMARY KEY (anchor, name, upto)) WITHOUT ROWID"
        ),
        "inputs": (
            "CREATE TABLE inputs (seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, ts_ns INTEGER NOT NULL, "
            "body TEXT NOT NULL)"
        ),
        "outputs": (
            "CREATE TABLE outputs (seq INTEGER NOT NULL, n INTEGER NOT NULL, kind TEXT NOT NULL, "
            "ts_ns INTEGER NOT NULL, client_order_id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (seq, n)) "
            "WITHOUT ROWID"
        ),
        "snapshots": ("CREATE TABLE snapshots (seq INTEGER PRIMARY KEY, anchor INTEGER NOT NULL, state BLOB NOT NULL)"),
        "books": "CREATE TABLE books (seq INTEGER PRIMARY KEY, ledger BLOB NOT NULL)",
    },
)


class NumberedInput(NamedTuple):
    """An input with its number."""

    seq: int
    given: LiveInput


class NumberedAnchor(NamedTuple):
    """An anchor with the number of its input."""

    given: Anchored
    seq: int


class NumberedOutput(NamedTuple):
    """An output with the number of its input and its place among the outputs of that."""

    seq: int
    n: int
    given: LiveOutput


@dataclass(frozen=True, slots=True)
class Kept:
    """The state after input `seq`, with the number of its anchor."""

    seq: int
    anchor: int
    state: str


def log_database(path: Path) -> Database:
    """Return the database of a worker's log, or of a recording."""
    of_worker = Message(
        "Keep the file for inspection, and start the worker anew in another data folder, or remove the worker's folder."
    )
    of_recording = Message(
        "It is no recording, or a part of one. Make it again from the worker's log: quantcrafter recording WORKER "
        "OUT.qcflight"
    )
    return Database(
        path=path,
        schema=SCHEMA,
        name=Message("log of a worker") if path.name == LOG else Message("recording"),
        place=path,
        error=RunError,
        if_damaged=of_worker if path.name == LOG else of_recording,
        timeout_s=TIMEOUT_S,
        write_ahead=True,
    )


class InputLog:
    """The log of one worker, in its folder. Only one process at a time may have it open to write."""

    def __init__(self, database: Database, connection: sqlite3.Connection, stack: ExitStack) -> None:
        self._database, self._connection, self._stack = database, connection, stack
        self._durable = True
        connection.execute("PRAGMA cache_size = -256")
        # The last inputs may have been bars that were dropped, behind a snapshot.
        last = "SELECT max((SELECT coalesce(max(seq), 0) FROM inputs), (SELECT coalesce(max(seq), 0) FROM snapshots))"
        self._next = 1 + int(self._one(last))
        self._anchor = int(self._one("SELECT coalesce(max(anchor), -1) FROM histories"))

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Return the log of a folder to write to; both are made if they don't exist.

        Raises:
            RunError: another process has it open, or it can't be used.
        """
        with ExitStack() as stack:
            stack.enter_context(locked(folder))
            database = log_database(folder / LOG)
            return cls(database, stack.enter_context(database.open()), stack.pop_all())

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return a log, or a recording, to read; its worker may be running.

        Raises:
            RunError: there is none, or it can't be used.
        """
        if not path.is_file():
            raise RunError(Message("There is no log '{path}'.", path=shown_path(path)))
        if not has_log(path):
            whole = log_database(path)
            raise RunError(
                Message(
                    "The {name} '{path}' is empty. {remedy}",
                    name=whole.name,
                    path=shown_path(path),
                    remedy=whole.if_damaged,
                )
            )
        with ExitStack() as stack:
            database = log_database(path)
            connection = stack.enter_context(database.open())
            return cls(database, connection, stack.pop_all())

    # ------------------------------------------------------------------ writing

    def append(self, inputs: Sequence[LiveInput], outputs: Iterable[NumberedOutput] = (), *, durable: bool) -> int:
        """Commit inputs, with outputs of earlier ones, and return the number of the first.

        Args:
            inputs: what came in, in order.
            outputs: what came out of earlier inputs; those that are there already are left as they are.
            durable: wait until it is on the disk.

        Raises:
            RunError: it can't be written; nothing of it is.
        """
        first = self._next
        with self._writing(durable=durable) as connection:
            self._put_inputs(connection, inputs)
            self._put_outputs(connection, outputs)
        self._next = first + len(inputs)
        return first

    def anchor(self, given: Anchored, histories: Mapping[str, Bars]) -> int:
        """Commit the input that begins the histories, with their bars, and return its number.

        Raises:
            RunError: it can't be written; nothing of it is.
        """
        first = self._next
        with self._writing(durable=True) as connection:
            self._put_inputs(connection, [given])
            rows = [(given.number, name, first, pack_bars(bars)) for name, bars in histories.items()]
            connection.executemany("INSERT INTO histories VALUES (?, ?, ?, ?)", rows)
        self._next, self._anchor = first + 1, given.number
        return first

    def anchor_again(
        self,
        given: Anchored,
        histories: Mapping[str, Bars],
        state: str,
        ledger: Ledger,
        outputs: Sequence[LiveOutput],
        *,
        about: Mapping[str, Any] | None = None,
    ) -> None:
        """Commit an input that begins the histories anew, with its outputs and a snapshot after it.

        `about` says of which strategy it is from there on, if that has changed (`about_strategy`).

        Raises:
            RunError: it can't be written; nothing of it is.
        """
        seq, before = self._next, {} if about is None else self.meta()
        with self._writing(durable=True) as connection:
            self._put_inputs(connection, [given])
            if about is not None:
                earlier = {name: before.get(name) for name in about}
                meta = {**about, f"{_EARLIER}{given.number}": earlier}
                values = [(name, dumped(value)) for name, value in meta.items()]
                connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", values)
            rows = [(given.number, name, seq, pack_bars(bars)) for name, bars in histories.items()]
            connection.executemany("INSERT INTO histories VALUES (?, ?, ?, ?)", rows)
            self._put_outputs(connection, [NumberedOutput(seq, n, each) for n, each in enumerate(outputs)])
            packed = zlib.compress(state.encode(), 1)
            connection.execute("INSERT INTO snapshots VALUES (?, ?, ?)", (seq, given.number, packed))
            connection.execute("INSERT INTO books VALUES (?, ?)", (seq, pack_ledger(ledger)))
        self._next, self._anchor = seq + 1, given.number

    def put_outputs(self, outputs: Iterable[NumberedOutput], *, durable: bool) -> None:
        """Commit outputs; those that are there already are left as they are.

        Raises:
            RunError: it can't be written; nothing of it is.
        """
        with self._writing(durable=durable) as connection:
            self._put_outputs(connection, outputs)

    def keep(
        self,
        kept: Kept,
        ledger: Ledger,
        bars: Mapping[str, Bars],
        outputs: Iterable[NumberedOutput] = (),
        *,
        older: int = 1,
    ) -> None:
        """Commit a snapshot, with what was booked and the bars that came since the one before.

        Args:
            kept: the snapshot.
            ledger: the rows since the last one.
            bars: by name, the bars since the last one.
            outputs: what came out of inputs.
            older: how many earlier snapshots to keep.

        Raises:
            RunError: it can't be written; nothing of it is.
        """
        packed = zlib.compress(kept.state.encode(), 1)
        with self._writing(durable=True) as connection:
            self._put_outputs(connection, outputs)
            connection.execute("INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?)", (kept.seq, kept.anchor, packed))
            connection.execute("INSERT OR REPLACE INTO books VALUES (?, ?)", (kept.seq, pack_ledger(ledger)))
            rows = [(kept.anchor, name, kept.seq, pack_bars(each)) for name, each in bars.items() if len(each)]
            connection.executemany("INSERT OR REPLACE INTO histories VALUES (?, ?, ?, ?)", rows)
            connection.execute(
                "DELETE FROM snapshots WHERE seq NOT IN (SELECT seq FROM snapshots ORDER BY seq DESC LIMIT ?)",
                (1 + older,),
            )

    def compact(self, most: int) -> int:
        """Drop the oldest bars among the inputs if there are more than `most`; return how many were dropped.

        Only those go that a kept snapshot has behind it: the histories have their values. Everything else stays, so
        that `events` shows it.

        Raises:
            RunError: it can't be written.
        """
        oldest = self._one("SELECT coalesce(min(seq), 0) FROM snapshots")
        count = self._one("SELECT count(*) FROM inputs WHERE kind IN ('bar', 'clock') AND seq <= ?", oldest)
        if count <= most:
            return 0
        with self._writing(durable=True) as connection:
            done = connection.execute("DELETE FROM inputs WHERE kind IN ('bar', 'clock') AND seq <= ?", (oldest,))
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('compacted', ?)", (dumped(oldest),))
            connection.execute("DELETE FROM histories WHERE anchor < (SELECT min(anchor) FROM snapshots)")
        return int(done.rowcount)

    def set_meta(self, **values: Any) -> None:
        """Commit values about the worker by name; they are plain values for JSON.

        Raises:
            RunError: it can't be written.
        """
        with self._writing(durable=True) as connection:
            rows = [(name, dumped(value)) for name, value in values.items()]
            connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", rows)

    # ------------------------------------------------------------------ reading

    @property
    def last_seq(self) -> int:
        """The number of the last input; 0 if there is none."""
        return self._next - 1

    @property
    def has_anchor(self) -> bool:
        """Whether the worker has begun: there are histories."""
        return self._anchor >= 0

    @property
    def compacted(self) -> int:
        """Up to which input bars were dropped; 0 for none."""
        return int(self.meta().get("compacted", 0))

    def meta(self) -> dict[str, Any]:
        """Return what is known about the worker, by name."""
        return {name: json.loads(value) for name, value in self._rows("SELECT name, value FROM meta")}

    def strategy_of(self, anchor: int) -> dict[str, Any] | None:
        """Return what the log says of the strategy from an anchor on, if it was changed since; None for today's."""
        found = {int(name.removeprefix(_EARLIER)): value for name, value in self.meta().items() if _EARLIER in name}
        later = [number for number in found if number > anchor]
        return found[min(later)] if later else None

    def inputs(self, after: int = 0, upto: int | None = None, kinds: Sequence[str] = ()) -> Iterator[NumberedInput]:
        """Yield the inputs after one number, up to another; of some kinds alone, if any are named."""
        most = self._next if upto is None else upto
        of_kinds = f"AND kind IN ({', '.join('?' * len(kinds))}) " if kinds else ""
        query = f"SELECT seq, kind, body FROM inputs WHERE seq > ? AND seq <= ? {of_kinds}ORDER BY seq"  # noqa: S608
        for seq, kind, body in self._rows(query, after, most, *kinds):
            yield NumberedInput(seq, read_input(kind, body))

    def outputs(self, after: int = 0, upto: int | None = None) -> Iterator[NumberedOutput]:
        """Yield the outputs of the inputs after one number, up to another, in their order."""
        most = self._next if upto is None else upto
        query = (
            "SELECT seq, n, kind, ts_ns, client_order_id, body FROM outputs WHERE seq > ? AND seq <= ? ORDER BY seq, n"
        )
        found = self._rows(query, after, most)
        for seq, n, kind, ts_ns, order, body in found:
            yield NumberedOutput(seq, n, LiveOutput(kind, ts_ns, order, json.loads(body)))

    def fills_of_latest_day(self) -> int:
        """Return how many fills there were since the UTC day of the latest bars began."""
        latest = self._one("SELECT max(ts_ns) FROM inputs WHERE kind = 'bar'")
        begin = 0 if latest is None else latest // DAY_NS * DAY_NS
        return int(self._one("SELECT count(*) FROM outputs WHERE kind = 'filled' AND ts_ns >= ?", begin))

    def was_filled(self, order: str, execution: str) -> bool:
        """Return whether the outputs have an execution of an order."""
        query = "SELECT body FROM outputs WHERE client_order_id = ? AND kind = 'filled'"
        return any(json.loads(body).get("execution") == execution for (body,) in self._rows(query, order))

    def anchored(self, number: int | None = None) -> NumberedAnchor:
        """Return the input that began the histories, of anchor `number` or the latest one.

        Raises:
            RunError: there is none.
        """
        for seq, kind, body in self._rows(
            "SELECT seq, kind, body FROM inputs WHERE kind = 'anchored' ORDER BY seq DESC"
        ):
            given = read_input(kind, body)
            if isinstance(given, Anchored) and number in (None, given.number):
                return NumberedAnchor(given, seq)
        raise RunError(Message("The log of a worker has no beginning: it was never started."))

    def snapshots(self) -> tuple[int, ...]:
        """Return the numbers of the inputs that snapshots were taken after."""
        return tuple(seq for (seq,) in self._rows("SELECT seq FROM snapshots ORDER BY seq"))

    def kept(self, upto: int | None = None) -> Kept | None:
        """Return the latest snapshot, of those up to an input if given; None if there is none."""
        most = self._next if upto is None else upto
        rows = self._rows("SELECT seq, anchor, state FROM snapshots WHERE seq <= ? ORDER BY seq DESC LIMIT 1", most)
        found = next(iter(rows), None)
        return None if found is None else Kept(found[0], found[1], _text(found[2]))

    def histories(self, anchor: int, upto: int) -> dict[str, Bars]:
        """Return the bars of an anchor as far as a snapshot, or the anchor's input, knew them, by name."""
        parts: dict[str, list[Bars]] = {}
        query = "SELECT name, bars FROM histories WHERE anchor = ? AND upto <= ? ORDER BY name, upto"
        for name, bars in self._rows(query, anchor, upto):
            parts.setdefault(name, []).append(unpack_bars(bars))
        return {name: joined_bars(each) for name, each in parts.items()}

    def books(self, upto: int) -> list[Ledger]:
        """Return what was booked until a snapshot, one part for each snapshot."""
        query = "SELECT ledger FROM books WHERE seq <= ? ORDER BY seq"
        return [unpack_ledger(ledger) for (ledger,) in self._rows(query, upto)]

    def copy_to(self, path: Path) -> None:
        """Write the whole log to a new file of its own, as it is now.

        Raises:
            DamagedLogError: the log is damaged.
            RunError: it can't be written, or the file exists.
        """
        copy_log(self._connection, self._database.path, path)

    def close(self) -> None:
        """Close the files."""
        self._stack.close()

    def __enter__(self) -> Self:
        """Return the log."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close the files."""
        self.close()

    # ------------------------------------------------------------------ details

    def _put_inputs(self, connection: sqlite3.Connection, inputs: Sequence[LiveInput]) -> None:
        rows = [
            (self._next + number, kind_of(each), time_of(each), written_input(each))
            for number, each in enumerate(inputs)
        ]
        connection.executemany("INSERT INTO inputs VALUES (?, ?, ?, ?)", rows)

    def _put_outputs(self, connection: sqlite3.Connection, outputs: Iterable[NumberedOutput]) -> None:
        rows = [(seq, n, each.kind, each.ts_ns, each.client_order_id, dumped(each.body)) for seq, n, each in outputs]
        connection.executemany("INSERT OR IGNORE INTO outputs VALUES (?, ?, ?, ?, ?, ?)", rows)

    @contextmanager
    def _writing(self, *, durable: bool) -> Iterator[sqlite3.Connection]:
        try:
            if durable != self._durable:
                self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
                self._durable = durable
            with transaction(self._connection):
                yield self._connection
        except sqlite3.Error as error:
            raise self._database.failure(error) from error

    def _rows(self, query: str, *values: Any) -> Iterator[Any]:
        try:
            yield from self._connection.execute(query, values)
        except sqlite3.Error as error:
            raise self._database.failure(error) from error

    def _one(self, query: str, *values: Any) -> Any:
        return next(self._rows(query, *values))[0]


def _text(packed: bytes) -> str:
    try:
        return zlib.decompress(packed).decode()
    except (zlib.error, UnicodeDecodeError) as error:
        raise RunError(
            Message("A part of a worker's log is damaged: {error}.", error=f"{type(error).__name__}: {error}")
        ) from error


@contextmanager
def locked(folder: Path) -> Iterator[IO[bytes]]:
    """Hold the lock of a worker's folder.

    Raises:
        RunError: another process holds it, or the folder can't be used.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stream = (folder / LOCK).open("ab")
    except OSError as error:
        raise log_database(folder / LOG).failure(error) from error
    with stream:
        until = time.monotonic() + _LOOKED_AT_S
        while not (is_ours := try_lock(stream)) and time.monotonic() < until:
            time.sleep(_LOOKED_AT_S / 20)
        if not is_ours:
            raise RunError(
                Message(
                    "The worker '{key}' is running already, in another process. Stop it first: 'quantcrafter status' "
                    "lists the workers.",
                    key=folder.name,
                )
            )
        yield stream


def has_log(path: Path) -> bool:
    """Return whether a log has any content; what is new may be in the file beside it alone."""
    return path.exists() and any(
        each.exists() and each.stat().st_size > 0 for each in (path, path.with_name(f"{path.name}-wal"))
    )


def is_running(folder: Path) -> bool:
    """Return whether a process has the worker of a folder open."""
    try:
        with (folder / LOCK).open("ab") as stream:
            return not try_lock(stream)
    except OSError:
        return False
