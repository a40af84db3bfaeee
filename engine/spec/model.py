"""The strategy as read from its file: typed, frozen, every part with its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from quantcrafter.engine.api.component import Role
from quantcrafter.engine.api.errors import Problem, Severity
from quantcrafter.engine.api.message import Message, without_stop
from quantcrafter.engine.api.settings import (
    Continuous,
    Funding,
    InstrumentKind,
    InstrumentMargin,
    RunSettings,
    Settlement,
    Spread,
    Swap,
)
from quantcrafter.engine.api.timeframe import Timeframe
from quantcrafter.engine.spec.references import Resolution, Resolver, Scope
from quantcrafter.engine.spec.source import Place
from quantcrafter.engine.spec.tree import Entry, Node, Sequence, content

SECTIONS = tuple(role.value for role in Role)
FORMAT_VERSION = 1
DAY = Timeframe(1, "d")


@dataclass(frozen=True, slots=True)
class Located:
    """The entries of a mapping with their places, and the place of the whole; for a node also that of its `use`."""

    origin: Place
    entries: Mapping[str, Entry] = field(default_factory=dict)
    use: Place | None = None

    def find(self, field_name: str | None = None, index: int | None = None, *, key: bool = False) -> Place:
        """Return the place of a field's value (or its key, or one of its items); of the whole when there is none."""
        entry = self.entries.get(field_name) if field_name is not None else None
        if entry is None:
            return self.use if field_name == "use" and self.use is not None else self.origin
        value = content(entry.value)
        if index is not None and isinstance(value, Sequence) and 0 <= index < len(value.items):
            return value.items[index].place
        empty = entry.value.start == entry.value.end
        return entry.key.place if key or empty else entry.value.place


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """A node, blocks expanded.

    `id` is the expanded id (`fast`, `trend/ema`); `values` are the fields but `use`, as plain values in file order;
    `path` is the node's place in its document. `context` says which use of which block it comes from, as a phrase
    for messages ("in block 'trend' used by 'trend2'"), and is empty for the strategy's own nodes. What reads a node
    with `bypass` reads what the node itself reads; a node with `mute` gives nothing. The nodes of a block that is
    muted, or bypassed and so not read by anyone, are muted with it. `per_instrument` is what is written of parameters
    that differ between instruments, as plain values.
    """

    id: str
    role: Role
    use: str
    values: dict[str, Any]
    path: str
    scope: Scope = field(repr=False)
    located: Located = field(repr=False)
    context: str = ""
    bypass: bool = False
    mute: bool = False
    per_instrument: Any = None

    def place(self, field: str | None = None, index: int | None = None, *, key: bool = False) -> Place:
        """Return where the node, the value (or `key`) of one of its fields, or an item of a list field stands."""
        return self.located.find(field, index, key=key)

    def problem(
        self,
        code: str,
        message: str,
        remedy: str = "",
        *,
        field: str | None = None,
        index: int | None = None,
        key: bool = False,
        severity: Severity = Severity.ERROR,
    ) -> Problem:
        """Return a problem at this node; inside a block the message says which use of it."""
        at = self.place(field, index, key=key)
        if self.context:
            message = Message("{message} ({context}).", message=without_stop(message), context=self.context)
        path = f"{self.path}.{field}" if field else self.path
        path += f".{index}" if index is not None else ""
        return Problem(code, message, remedy, at.file, at.line, at.column, path, self.id, field or "", severity)


UniverseKind = Literal["symbols", "file", "files", "query"]


@dataclass(frozen=True, slots=True)
class UniverseSpec:
    """Where the symbols of a universe come from: a list, a file of symbols, the names of data files, or a query.

    `text` is the path, or the pattern; `exclude` are symbols to leave out.
    """

    kind: UniverseKind
    symbols: tuple[str, ...] = ()
    text: str = ""
    exclude: tuple[str, ...] = ()
    nodes: tuple[Node, ...] = field(default=(), repr=False, compare=False)
    """Where each of the listed symbols stands."""


@dataclass(frozen=True, slots=True)
class InstrumentSpec:
    """An instrument to trade and where its bars come from; `options` are the provider's own parameters.

    Without a `currency` it is that of the account, without `borrow_percent` or `margin` that of the run; without
    `tick_size` or `lot_size` they are told from the market or the data. `values` are what the strategy says of the
    instrument by names of its own, such as its sector. An entry with a `universe` has no symbol: it stands for several
    instruments with the same settings, which it becomes in the graph; `is_member` tells these.
    """

    symbol: str
    data: str
    timeframe: Timeframe = DAY
    market: str = ""
    tick_size: float | None = None
    lot_size: float | None = None
    min_quantity: float = 0.0
    currency: str = ""
    borrow_percent: float | None = None
    kind: InstrumentKind = "spot"
    multiplier: float = 1.0
    pip_size: float | None = None
    margin: InstrumentMargin | None = None
    buy_duty_percent: float = 0.0
    sell_duty_percent: float = 0.0
    spread: Spread | None = None
    funding_percent: float = 0.0
    funding: Funding | None = None
    swap: Swap | None = None
    expiry: date | None = None
    continuous: Continuous | None = None
    settlement: Settlement = "t+0"
    price_limit_percent: float | None = None
    tick_table: str = ""
    trading_days: float | None = None
    on_bad_bars: Literal["refuse", "repair"] = "refuse"
    values: Mapping[str, str | float] = field(default_factory=dict)
    universe: UniverseSpec | None = field(default=None, repr=False)
    is_member: bool = field(default=False, repr=False)
    options: dict[str, Any] = field(default_factory=dict)
    path: str = ""
    located: Located = field(default_factory=lambda: Located(Place()), repr=False)

    def place(self, field: str | None = None, *, key: bool = False) -> Place:
        """Return where the instrument, or the value (or `key`) of one of its fields, stands."""
        return self.located.find(field, key=key)

    @property
    def files(self) -> tuple[tuple[str, str], ...]:
        """The files of its costs, by the keys that name them."""
        named = (("funding", self.funding), ("swap", self.swap))
        return tuple((name, of.file) for name, of in named if of is not None and of.file)

    @property
    def has_changing_costs(self) -> bool:
        """Whether spread, funding or swap change over time."""
        return bool(self.files) or (self.spread is not None and bool(self.spread.column))

    def says(self, field: str) -> bool:
        """Return whether the file itself gives the value of a field."""
        given = self.located.entries
        return field in given or (field == "currency" and "quote_unit" in given)


@dataclass(frozen=True)
class StrategySpec:
    """A strategy file, checked in itself: names, shapes, blocks and settings, but not against what is installed.

    `text` is the file as read; `overrides` are the changes that were made to it on the way, and
    `by_hand` whether the user of this computer typed them; `uses` holds the uses of blocks by expanded id.
    """

    name: str
    description: str
    instruments: tuple[InstrumentSpec, ...]
    nodes: dict[str, NodeSpec]
    run: RunSettings
    layout: dict[str, tuple[float, float]]
    file: str = ""
    base_dir: str = "."
    block_names: tuple[str, ...] = ()
    text: str = field(default="", repr=False)
    overrides: tuple[str, ...] = ()
    by_hand: bool = field(default=False, compare=False)
    run_located: Located = field(default_factory=lambda: Located(Place()), repr=False)
    uses: dict[str, NodeSpec] = field(default_factory=dict, repr=False)
    _resolver: Resolver = field(default_factory=Resolver, repr=False, compare=False)

    def resolve(self, node: NodeSpec, reference: object) -> Resolution:
        """Return what a reference stands for where `node` writes it."""
        return self._resolver.resolve(node.scope, reference)

    def place(self, field: str | None = None, *, key: bool = False) -> Place:
        """Return where the `run` section, or one of its settings, stands."""
        return self.run_located.find(field, key=key)
