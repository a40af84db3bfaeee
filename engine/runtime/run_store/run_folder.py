"""RunFolder: a run in a folder, for reading from any process; it may still grow.

`run.json` describes the run, and `engine.runtime.run_store.run_log` the format of the other files. Columns are named
`bars.<name>`, `market.<name>` (combined flags, filter mask, rates, splits, dividends), `column.<step>.<output>` (and
`.strength` for a signal that has one) and `feed.<feed>.<name>`; the ledger's records have their own names. Reading
needs numpy and the engine's own light modules only.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from quantcrafter.engine.api import (
    Bars,
    CorporateActions,
    DatedAmounts,
    ExecutionColumns,
    InstrumentJob,
    Ledger,
    NightlySwap,
    Problem,
    RunError,
    RunSettings,
    Term,
)
from quantcrafter.engine.api.bars import BAR_COLUMNS, Session
from quantcrafter.engine.api.ledger import (
    BLOCKED_DTYPE,
    CASHFLOW_DTYPE,
    FILL_DTYPE,
    INTERVENTION_DTYPE,
    ORDER_DTYPE,
    OpenPosition,
)
from quantcrafter.engine.api.message import Message, from_json
from quantcrafter.engine.api.os_errors import fault
from quantcrafter.engine.api.round_trips import PART_DTYPE
from quantcrafter.engine.api.settings import InstrumentMargin
from quantcrafter.engine.api.timeframe import Timeframe
from quantcrafter.engine.api.wording import shown_path
from quantcrafter.engine.runtime.results.run_tables import RunTables, daily_returns_of, months_of, output_place
from quantcrafter.engine.runtime.results.run_view import (
    Column,
    Kept,
    RunDecision,
    RunNode,
    RunOrigin,
)
from quantcrafter.engine.runtime.run_store.run_columns import GrownColumns, RunColumns, WholeColumns, description_1
from quantcrafter.engine.runtime.run_store.run_description import decisions_of, node_of, problem_of, started_of
from quantcrafter.engine.runtime.run_store.run_log import LATEST, LogReader, execution_column
from quantcrafter.engine.stats import tables
from quantcrafter.engine.stats.benchmark import Benchmark
from quantcrafter.engine.stats.metrics import Value
from quantcrafter.engine.stats.run_times import RunTimes
from quantcrafter.engine.stats.tables import Table, parts_of_trades

FORMAT = 2
"""1: a .npy file for each column, written whole; 2: commits."""
FILE = "run.json"
TIMES = ("open_ns", "close_ns")
DTYPES = {
    "orders": ORDER_DTYPE,
    "fills": FILL_DTYPE,
    "parts": PART_DTYPE,
    "blocked": BLOCKED_DTYPE,
    "interventions": INTERVENTION_DTYPE,
    "cashflows": CASHFLOW_DTYPE,
}
RECORDS = tuple(DTYPES)
KEPT_AS = {"parts": "trades"}
"""Records whose array has another name than in the ledger: that of versions before trades had several parts."""
CURVES = ("ts_ns", "equity", "cash")
ACCOUNT = {
    "rate_open": 1.0,
    "rate_close": 1.0,
    "split": 1.0,
    "dividend": 0.0,
    "roll": math.nan,
    "spreads": 0.0,
}
"""Columns that only some instruments have, with what they hold for those that have none."""
OPEN_ORDERS = f"{LATEST}orders"
EXTRA = "bars.extra."
"""Further columns of the bars begin with this."""
QUOTED = "bars.spread"
"""The spread of each bar as its source counts it."""
BENCHMARK = "benchmark"
"""The growth of the benchmark at each step."""
TABLES = ("fills", "trades", "parts", "equity")
"""What is kept as tables, named `<table>.<column>`, of a run whose bars and columns are not kept."""
_DAMAGE = (OSError, ValueError, LookupError, TypeError, AttributeError)


class RunFolder(RunTables):
    """A `RunView` of a folder as it was when it was opened. Columns are read-only, and mapped where they can be.

    A folder may hold fills, trades and equity alone (`kept`); asking for the rest of such a run raises RunError.
    """

    def __init__(
        self,
        folder: Path,
        about: Mapping[str, Any],
        columns: RunColumns,
        state: Mapping[str, Any],
        revision: int,
        reader: LogReader | None = None,
    ) -> None:
        """Take what `run.json` says, the columns, and what the commits say together."""
        self.folder = folder
        self.id = folder.name
        self.revision = revision
        self.is_finished: bool = state.get("finished", False)
        self.strategy: str = about["strategy"]
        self.engine: str = about["engine"]
        self.mode: str = about["mode"]
        self.origin = RunOrigin(**{**about["origin"], "overrides": tuple(about["origin"]["overrides"])})
        self.symbols: tuple[str, ...] = tuple(each["symbol"] for each in about["instruments"])
        self.rule_nodes: tuple[str, ...] = tuple(about["rule_nodes"])
        self.warnings: tuple[Problem, ...] = tuple(problem_of(each) for each in about["warnings"])
        self.decisions: tuple[RunDecision, ...] = decisions_of(about)
        self.feeds: tuple[tuple[str, str], ...] = tuple((feed, column) for feed, column in about["feeds"])
        ready = state.get("ready", {})
        self.nodes: Mapping[str, RunNode] = {each["id"]: node_of(each, ready) for each in about["nodes"]}
        self.metrics: Mapping[str, Value] = state.get("metrics", {})
        self.timing: Mapping[str, float] = state.get("timing", {})
        self.findings: tuple[str, ...] = tuple(map(from_json, state.get("findings", ())))
        self.notes: tuple[str, ...] = tuple(map(from_json, state.get("notes", ())))
        self.synthetic: bool = state.get("synthetic", False)
        self.warmup: int = state.get("warmup", 0)
        self.data_hash: str = state.get("data_hash", "")
        self.started = started_of(folder / FILE, about)
        self._about, self._state, self._columns, self._reader = about, state, columns, reader

    @classmethod
    def open(cls, folder: Path) -> RunFolder:
        """Return the run of a folder, as far as it has come.

        Raises:
            RunError: there is none, it is damaged, or a newer version wrote it.
        """
        folder = Path(folder)
        with _readable(folder):
            about = json.loads((folder / FILE).read_text(encoding="utf-8"))
            version = about["format"]
            if version == 1:
                about, state = description_1(about)
                counts = [each["bars"] for each in about["instruments"]]
                return cls(folder, about, WholeColumns(folder, counts), state, 1)
            if version == FORMAT:
                return cls._at(folder, about, LogReader(folder))
        raise RunError(
            Message(
                "The run in '{folder}' has format {version}, not {format}. Run it again.",
                folder=shown_path(folder),
                version=version,
                format=FORMAT,
            )
        )

    @classmethod
    def _at(cls, folder: Path, about: Mapping[str, Any], reader: LogReader) -> RunFolder:
        commits = reader.read()
        if about.get("whole") and not commits:
            raise ValueError(Message("what it holds is damaged"))
        state: dict[str, Any] = {}
        for each in commits:
            if len(each.bars) != len(about["instruments"]):
                raise ValueError(Message("a commit is of other instruments"))
            state.update(each.state)
        columns = GrownColumns(folder, commits, {f"market.{name}": value for name, value in ACCOUNT.items()})
        return cls(folder, about, columns, state, len(commits), reader)

    def latest(self) -> RunFolder:
        """Return the run as far as it has come by now: itself if nothing was added.

        Raises:
            RunError: the folder cannot be read any more.
        """
        if self._reader is None:
            return self
        with _readable(self.folder):
            found = self._at(self.folder, self._about, self._reader)
        return self if found.revision == self.revision else found

    # ------------------------------------------------------------------ what was run

    @cached_property
    def settings(self) -> RunSettings:
        """The run's settings.

        Raises:
            RunError: this version does not know them.
        """
        with _readable(self.folder):
            return RunSettings.model_validate(self._about["settings"])

    @property
    def kept(self) -> Kept:
        """What the folder holds."""
        return "tables" if "tables" in self._state else "all"

    @cached_property
    def instruments(self) -> tuple[InstrumentJob, ...]:
        """The instruments in file order, with bars, combined signal flags and filter mask."""
        self._check_kept()
        with _readable(self.folder):
            return tuple(self._instrument(number, each) for number, each in enumerate(self._about["instruments"]))

    def _instrument(self, number: int, about: Mapping[str, Any]) -> InstrumentJob:
        account: dict[str, Any] = {
            name: self._part(f"market.{name}", number)
            for name in ACCOUNT
            if self._columns.has(f"market.{name}") and about.get("account", {}).get(name, True)
        }
        margin = about.get("margin")
        return InstrumentJob(
            symbol=about["symbol"],
            bars=self._bars(number, about, account),
            tick_size=about["tick_size"],
            lot_size=about["lot_size"],
            flags=self._part("market.flags", number, np.uint8),
            allowed=self._part("market.allowed", number, np.bool_),
            further=tuple(self._further(number, each) for each in range(1, len(self.decisions))),
            first_bar=self._state["first_bars"][number] if "first_bars" in self._state else 0,
            kind=about.get("kind", "spot"),
            multiplier=about.get("multiplier", 1.0),
            currency=about.get("currency", ""),
            min_quantity=about.get("min_quantity", 0.0),
            borrow_percent=about.get("borrow_percent", 0.0),
            pip_size=about.get("pip_size"),
            buy_duty_percent=about.get("buy_duty_percent", 0.0),
            sell_duty_percent=about.get("sell_duty_percent", 0.0),
            trading_days=about.get("trading_days"),
            spread=about.get("spread", 0.0),
            quotes=about.get("quotes", "mid"),
            funding_percent=about.get("funding_percent", 0.0),
            funding=_dated(about.get("funding")),
            swap=_swap(about.get("swap")),
            expiry_day=about.get("expiry_day"),
            expires=about.get("expires", False),
            contracts=tuple((since, name) for since, name in about.get("contracts", ())),
            settlement=about.get("settlement", "t+0"),
            price_limits=tuple((since, percent) for since, percent in about.get("price_limits", ())),
            limit_amounts=tuple((below, amount) for below, amount in about.get("limit_amounts", ())),
            limit_rounding=about.get("limit_rounding", "nearest"),
            tick_tables=tuple((since, tuple(map(tuple, bands))) for since, bands in about.get("tick_tables", ())),
            terms={name: Term(*term) for name, term in about.get("terms", {}).items()},
            values=about.get("values", {}),
            margin=None if margin is None else InstrumentMargin.model_validate(margin),
            **account,
        )

    def _further(self, instrument: int, execution: int) -> ExecutionColumns:
        return ExecutionColumns(
            self._part(execution_column("flags", execution), instrument, np.uint8),
            self._part(execution_column("allowed", execution), instrument, np.bool_),
        )

    def _bars(self, number: int, about: Mapping[str, Any], account: Mapping[str, Column]) -> Bars:
        session = {**about["session"], "weekdays": tuple(about["session"]["weekdays"])}
        columns: dict[str, Any] = {name: self._part(f"bars.{name}", number, np.int64) for name in TIMES}
        columns |= {name: self._part(f"bars.{name}", number, np.float64) for name in BAR_COLUMNS}
        columns["extra"] = {name: self._part(f"{EXTRA}{name}", number) for name in about.get("extra", ())}
        columns["spread"] = self._part(QUOTED, number) if about.get("quoted") else None
        return Bars(
            symbol=about["symbol"],
            timeframe=Timeframe.parse(about["timeframe"]),
            **columns,
            session=Session(**session),
            source=about["source"],
            synthetic=about["synthetic"],
            actions=CorporateActions(account["split"], account["dividend"]) if "split" in account else None,
        )

    # ------------------------------------------------------------------ what it did

    @property
    def bars(self) -> int:
        """How many steps there were."""
        return len(self.equity) if self.kept == "tables" else len(self.ledger.ts_ns)

    @cached_property
    def ledger(self) -> Ledger:
        """Orders, fills, trades, equity and the rest of what was booked."""
        self._check_kept()
        empty = _no_rows()
        arrays: dict[str, Any] = {
            name: self._whole(KEPT_AS.get(name, name), getattr(empty, name)) for name in (*RECORDS, *CURVES)
        }
        if self._columns.has(OPEN_ORDERS):
            orders = np.concatenate([arrays["orders"], self._whole(OPEN_ORDERS, empty.orders)])
            arrays["orders"] = orders[np.argsort(orders["id"], kind="stable")]
        held = tuple(OpenPosition(**each) for each in self._state.get("open_positions", ()))
        return Ledger(**arrays, open_positions=held)

    @cached_property
    def benchmark(self) -> Benchmark | None:
        """What the run is compared with; None without a benchmark, and while the run goes on."""
        name = self._state.get("benchmark")
        return None if name is None else Benchmark(name, self._whole(BENCHMARK, np.empty(0)))

    @cached_property
    def fills(self) -> Table:
        """Every execution, in the order in which they happened."""
        return tables.fills_table(self.ledger, self.instruments) if self.kept == "all" else self._table("fills")

    @cached_property
    def trades(self) -> Table:
        """Every closed trade, from flat to flat."""
        return tables.trades_table(self.ledger, self.instruments) if self.kept == "all" else self._table("trades")

    @cached_property
    def parts(self) -> Table:
        """Every part in which a position was closed, with the row of its trade."""
        if self.kept == "all":
            return tables.parts_table(self.ledger, self.instruments)
        return self._table("parts") if "parts" in self._state["tables"] else parts_of_trades(self.trades)

    @cached_property
    def equity(self) -> Table:
        """Time (`ts_ns`, UTC) and equity (`value`) of every step."""
        return tables.equity_table(self.ledger) if self.kept == "all" else self._table("equity")

    @cached_property
    def times(self) -> RunTimes:
        """How the times of the run are shown: in the zones of its exchanges."""
        if self.kept == "all":
            return RunTimes.of(self.instruments)
        with _readable(self.folder):
            known = self._about["instruments"]
            zones = {each["symbol"]: each["session"]["timezone"] for each in known}
            return RunTimes(zones, any(Timeframe.parse(each["timeframe"]).is_intraday for each in known))

    @cached_property
    def daily_returns(self) -> Column:
        """Change of the equity from one trading day to the next, as fractions."""
        if self._columns.has("daily_returns"):
            return self._whole("daily_returns", np.empty(0))
        return daily_returns_of(self)

    @cached_property
    def months(self) -> Mapping[int, Mapping[int, float]]:
        """Returns in percent by year and month, 0 being the whole year."""
        if "months" not in self._state:
            return months_of(self)
        kept = self._state["months"]
        return {int(year): {int(month): value for month, value in months.items()} for year, months in kept.items()}

    # ------------------------------------------------------------------ columns

    def column(self, node: str, output: str = "", instrument: int = 0) -> Column:
        """Return an output column aligned to the instrument's own bars, shape (n,); flags for a signal.

        Raises:
            KeyError: there is no such node or output.
        """
        return self._part(self._column_name(node, output), instrument)

    def strength(self, node: str, output: str = "", instrument: int = 0) -> Column | None:
        """Return the strength of a signal output, or None where it has none."""
        name = f"{self._column_name(node, output)}.strength"
        return self._part(name, instrument) if self._columns.has(name) else None

    def feed_column(self, feed: str, column: str, instrument: int = 0) -> Column:
        """Return a column of a feed's bars that some node read, aligned to the instrument's own bars.

        Raises:
            KeyError: no node read it.
        """
        if (feed, column) not in self.feeds:
            raise KeyError(f"{feed}.{column}")
        return self._part(f"feed.{feed}.{column}", instrument)

    def _column_name(self, node: str, output: str) -> str:
        step, place = output_place(self.nodes, node, output)
        return f"column.{step}.{place}"

    def _table(self, name: str) -> Table:
        return Table({column: self._table_column(f"{name}.{column}") for column in self._state["tables"][name]})

    def _table_column(self, name: str) -> Column:
        column = self._whole(name)
        words = self._state["words"].get(name)
        return column if words is None else np.array(words or [""], np.str_)[column]

    def _check_kept(self) -> None:
        """Refuse what only a whole run has.

        Raises:
            RunError: bars and columns are not kept.
        """
        if self.kept != "all":
            raise RunError(
                Message(
                    "Only fills, trades and equity of the run in '{folder}' are saved. Run it again.",
                    folder=shown_path(self.folder),
                )
            )

    def _part(self, name: str, instrument: int, kind: Any = np.float64) -> Column:
        self._check_kept()
        if not any(self._columns.bars):
            return np.empty(0, kind)
        with self._having(name):
            return self._columns.part(name, instrument)

    def _whole(self, name: str, empty: Column | None = None) -> Column:
        """Return records, or `empty`: a run kept before there were some of them has no array of these."""
        if empty is not None and not self._columns.has(name):
            return empty
        with self._having(name):
            return self._columns.whole(name, None if empty is None else empty.dtype)

    @contextmanager
    def _having(self, name: str) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError, KeyError) as error:
            cause = fault(error, "read").cause
            text = Message(
                "The run in '{folder}' is missing '{name}': {cause}. Run it again.",
                folder=shown_path(self.folder),
                name=name,
                cause=cause,
            )
            raise RunError(text) from error


def _no_rows() -> Ledger:
    kinds: dict[str, Any] = {name: np.zeros(0, dtype) for name, dtype in DTYPES.items()}
    return Ledger(**kinds, ts_ns=np.zeros(0, np.int64), equity=np.zeros(0), cash=np.zeros(0))


@contextmanager
def _readable(folder: Path) -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        cause = fault(error, "read").cause
        raise RunError(
            Message(
                "The run in '{folder}' can't be read: {cause}. Run it again.", folder=shown_path(folder), cause=cause
            )
        ) from error


def _swap(kept: Mapping[str, Any] | None) -> NightlySwap | None:
    return None if not kept else NightlySwap(**{**kept, "dated": _dated(kept.get("dated"))})


def _dated(kept: Mapping[str, Any] | None) -> DatedAmounts | None:
    if kept is None:
        return None
    amounts = (np.array(kept[name], np.float64) for name in ("long", "short"))
    return DatedAmounts(np.array(kept["times_ns"], np.int64), *amounts)
