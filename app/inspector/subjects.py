"""Which form belongs to which selection. No Qt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from quantcrafter.app.document.document import Document
from quantcrafter.app.document.view import NodeView, Scope
from quantcrafter.app.inspector import fields as schema
from quantcrafter.app.inspector import typed_values
from quantcrafter.app.inspector.content import block_body, content, inner_node, mapping_at
from quantcrafter.app.inspector.fields import FieldKind, fields_of
from quantcrafter.app.inspector.form import FileForm, NodeForm, common_fields
from quantcrafter.app.services.i18n import tr
from quantcrafter.engine.api import (
    Catalog,
    Component,
    FeedNode,
    PathParam,
    PortType,
    Role,
    RunSettings,
    Timeframe,
    param,
)
from quantcrafter.engine.api.settings import (
    Continuous,
    Currency,
    Funding,
    InstrumentKind,
    InstrumentMargin,
    Settlement,
    Spread,
    Swap,
)
from quantcrafter.engine.runtime.running.engines import Engines, engine_choices, modes_of


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError(tr("A value is required."))
    return text


class StrategyFields(BaseModel):
    """What heads a strategy file."""

    name: Annotated[str, AfterValidator(_not_blank)] = param("The strategy's name.")
    description: str = Field(
        "", description="What the strategy does, in one or two sentences.", json_schema_extra={"long": True}
    )


class OwnParameterFields(BaseModel):
    """What a node says of parameters that differ between instruments."""

    per_instrument: dict[str, Any] = param(
        "Parameters of single instruments, such as AAPL: {timeperiod: 20}, or the name of one of their values, such as "
        "timeperiod: fast.",
        default={},
        advanced=True,
    )


_DIFFERING = (Role.INDICATOR, Role.LOGIC, Role.ADVISOR, Role.FILTER)


class UniverseFields(BaseModel):
    """Where the symbols of several instruments come from: one of these, with some to leave out."""

    symbols: tuple[str, ...] = param("The symbols.", default=(), advanced=True)
    file: PathParam | None = param(
        "A CSV file with a column symbol and what else is said of each, or a text with a symbol in each line.",
        default=None,
        advanced=True,
    )
    files: str | None = param(
        "Data files, such as bars/*.csv. The name of each is a symbol.", default=None, advanced=True
    )
    query: str | None = param(
        "A pattern for the symbols that the data provider knows, such as * for all.", default=None, advanced=True
    )
    exclude: tuple[str, ...] = param("Symbols to leave out.", default=(), advanced=True)


class InstrumentFields(BaseModel):
    """What every instrument has, whatever its data provider."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    symbol: Annotated[str, AfterValidator(_not_blank)] = param("The symbol to trade, such as AAPL or BTCUSDT.")
    data: str = param("The data provider that supplies the bars.")
    timeframe: Timeframe = param("Length of a bar, such as 5m, 1h or 1d.", default=Timeframe(1, "d"))
    market: str | None = param(
        "Provides hours and holidays, tick size, lot size and currency. The default is chosen by the symbol's suffix.",
        default=None,
    )
    tick_size: float | None = param(
        "The smallest price increment. The default comes from the market or the prices.", default=None, gt=0
    )
    lot_size: float | None = param(
        "The smallest quantity increment. The default comes from the market or the volumes.", default=None, gt=0
    )
    min_quantity: float = param("The minimum quantity of an order.", default=0.0, ge=0, advanced=True)
    currency: Currency | None = param(
        "Currency of the prices. The default is the account's currency.", default=None, advanced=True
    )
    borrow_percent: float | None = param(
        "Borrow fee per year. The default is that of the run.", default=None, unit="%", ge=0, advanced=True
    )
    kind: InstrumentKind = param(
        "spot: paid in full. contract: held on margin, such as forex, futures, CFDs and perpetuals.", default="spot"
    )
    multiplier: float = param(
        "What one unit of a contract gains when the price rises by one.", default=1.0, gt=0, advanced=True
    )
    pip_size: float | None = param("The size of one pip, such as 0.0001.", default=None, gt=0, advanced=True)
    buy_duty_percent: float | None = param(
        "A tax on the value of what is bought; that of the market if left out.",
        default=None,
        unit="%",
        ge=0,
        advanced=True,
    )
    sell_duty_percent: float | None = param(
        "A tax on the value of what is sold; that of the market if left out.",
        default=None,
        unit="%",
        ge=0,
        advanced=True,
    )
    spread: Spread = param("Distance of bid and ask.", default=Spread(), advanced=True)
    funding_percent: float | None = param(
        "What long positions of a perpetual pay to short ones every eight hours, of their value.",
        default=None,
        unit="%",
        ge=-100,
        le=100,
        advanced=True,
    )
    funding: Funding = param("Fundings that change, from a file.", default=Funding(), advanced=True)
    swap: Swap = param("What positions earn overnight.", default=Swap(), advanced=True)
    expiry: date | None = param("The last day on which a contract trades.", default=None, advanced=True)
    continuous: Continuous = param(
        "A continuous series of futures contracts, and when it is rolled.", default=None, advanced=True
    )
    quote_unit: Literal["pence", "pounds"] | None = param(
        "pence: prices are in pence, which are converted to pounds. It takes the place of a currency.",
        default=None,
        advanced=True,
    )
    tick_table: str | None = param(
        "The table of ticks that depend on the price, such as hkex. The default is that of the market.",
        default=None,
        advanced=True,
    )
    settlement: Settlement | None = param(
        "t+0: a position can be closed at once. t+1: from the next session on. The default is that of the market.",
        default=None,
        advanced=True,
    )
    price_limit_percent: float | None = param(
        "How far prices of a session can move from the last close before it. 0: no limit. The default is that of the "
        "market.",
        default=None,
        unit="%",
        ge=0,
        lt=100,
        advanced=True,
    )
    trading_days: float | None = param(
        "Trading days per year. The default is that of the market.", default=None, gt=0, advanced=True
    )
    margin: InstrumentMargin = param(
        "Margin that positions require. The default is that of the run.", default=InstrumentMargin(), advanced=True
    )
    on_bad_bars: Literal["refuse", "repair"] = param(
        "What to do about impossible bars.", default="refuse", advanced=True
    )
    values: dict[str, str | float] = param(
        "What is said of the instrument by names of your own, such as sector: technology.", default={}, advanced=True
    )
    universe: UniverseFields = param(
        "Several instruments with the same settings in place of one.", default=UniverseFields(), advanced=True
    )


def node_form(document: Document, ids: Sequence[str], scope: Scope) -> NodeForm:
    """Return the form of one node, or of what several nodes have in common."""
    models = [node_fields(document, node, scope) for node in ids]
    if len(ids) == 1:
        node = document.graph(scope).nodes[ids[0]]
        return BlockForm(document, node, scope) if node.block else NodeForm(document, ids, scope, models[0])
    return NodeForm(document, ids, scope, common_fields(models))


def node_fields(document: Document, node_id: str, scope: Scope) -> tuple[schema.Field, ...]:
    """Return the fields of a node: ports and parameters, for a feed also those of its provider."""
    cls = document.component(node_id, scope)
    if cls is None:
        return ()
    fields = fields_of(cls)
    if cls.role in _DIFFERING:
        fields = (*fields, *fields_of(OwnParameterFields))
    if not issubclass(cls, FeedNode):
        return fields
    name = document.graph(scope).nodes[node_id].values.get("data", cls.model_fields["data"].default)
    return with_provider(document.catalog, fields, str(name))


def with_provider(catalog: Catalog, fields: Sequence[schema.Field], name: str) -> tuple[schema.Field, ...]:
    """Return fields with the providers to choose from, and those of the chosen provider behind them."""
    names = catalog.provider_names()
    kind = FieldKind.CHOICE if name in names else FieldKind.TEXT
    choosing = [
        replace(field, kind=kind, choices=names, suggestions=names) if field.name == "data" else field
        for field in fields
    ]
    provider = catalog.provider(name)
    taken = {field.name for field in fields}
    own = fields_of(provider, (), typed_values.provider_title(name)) if provider is not None else ()
    return (*choosing, *(field for field in own if field.name not in taken))


def head_form(document: Document) -> FileForm:
    """Return the form of the strategy's name and description."""
    return FileForm(fields_of(StrategyFields), content(document), (), document.problems)


def run_form(document: Document) -> FileForm:
    """Return the form of the run settings."""
    values_now = content(document)
    run = [_of_run(document, field, values_now) for field in fields_of(RunSettings, ("run",))]
    return FileForm(run, values_now, (), document.problems)


def _of_run(document: Document, field: schema.Field, values_now: Mapping[str, Any]) -> schema.Field:
    match field.path:
        case ("run", "engine"):
            return with_engines(document.catalog, field, values_now)
        case ("run", "mode"):
            return with_modes(document.catalog, field, values_now)
        case ("run", "benchmark"):
            return replace(field, suggestions=_benchmarks(document, values_now))
    return field


def _benchmarks(document: Document, values_now: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the instruments and feeds of a strategy, with which it can be compared."""
    listed, data = values_now.get("instruments"), values_now.get("data")
    entries = [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []
    feeds = data if isinstance(data, Mapping) else {}
    known = document.graph().nodes
    classes = {name: document.component(name) for name in feeds if name in known}
    return (
        *(str(each["symbol"]) for each in entries if "symbol" in each),
        *(name for name, cls in classes.items() if cls is not None and issubclass(cls, FeedNode)),
    )


def with_modes(catalog: Catalog, field: schema.Field, values_now: Mapping[str, Any]) -> schema.Field:
    """Return the field of the mode with those in which the chosen engine can run to choose from, and the others."""
    if not isinstance(catalog, Engines):
        return field
    run = values_now.get("run")
    engine = run.get("engine", "native") if isinstance(run, Mapping) else "native"
    able = modes_of(str(engine), catalog)
    hint = tr("The engine '{engine}' can't run in this mode.", engine=engine)
    others = tuple((str(mode), hint) for mode in field.choices if mode not in able)
    return replace(field, choices=able, suggestions=able, barred=others)


def with_engines(catalog: Catalog, field: schema.Field, values_now: Mapping[str, Any]) -> schema.Field:
    """Return the field of the engine with the installed engines as choices, and how to install the others."""
    if not isinstance(catalog, Engines):
        return field
    found = engine_choices(catalog)
    names = tuple(choice.name for choice in found if choice.installed)
    run = values_now.get("run")
    written = run.get("engine", field.default) if isinstance(run, Mapping) else field.default
    known = written in [choice.name for choice in found]
    missing = tuple((choice.name, choice.command) for choice in found if not choice.installed)
    kind = FieldKind.CHOICE if known else FieldKind.TEXT
    return replace(field, kind=kind, choices=names, suggestions=names, unavailable=missing)


def instrument_count(document: Document) -> int:
    """Return how many instruments the document lists."""
    listed = content(document).get("instruments")
    return len(listed) if isinstance(listed, list) else 0


def instrument_form(document: Document, index: int) -> FileForm:
    """Return the form of one instrument, with the fields of its data provider."""
    listed = content(document).get("instruments")
    entry = listed[index] if isinstance(listed, list) and index < len(listed) else {}
    written = entry if isinstance(entry, Mapping) else {}
    fields = with_provider(document.catalog, fields_of(InstrumentFields), str(written.get("data", "")))
    names = tuple(market.name for market in document.catalog.markets)
    fields = tuple(replace(each, suggestions=names) if each.path[-1:] == ("market",) else each for each in fields)
    fields = tuple(_of_universe(written, fields))
    return FileForm(fields, written, ("instruments", index), document.problems)


def _of_universe(written: Mapping[str, Any], fields: Sequence[schema.Field]) -> Iterator[schema.Field]:
    """Yield the fields of an instrument as it is written: a universe has no symbol, and may be a list alone."""
    universe = written.get("universe")
    for field in fields:
        if field.path[0] == "universe":
            plain_list = isinstance(universe, list)
            if plain_list and field.name != "symbols":
                continue
            shown = replace(field, advanced=universe is None)
            yield replace(shown, path=("universe",)) if plain_list else shown
        elif field.name == "symbol" and universe is not None:
            yield replace(field, required=False, optional=True)
        else:
            yield field


def new_instrument(document: Document) -> dict[str, Any]:
    """Return what a further instrument starts with: the last one's data and timeframe, and a symbol not yet taken."""
    listed = content(document).get("instruments")
    known = [entry for entry in listed if isinstance(entry, Mapping)] if isinstance(listed, list) else []
    taken = {entry.get("symbol") for entry in known}
    symbol = next(name for name in (*_SYMBOLS, *(f"SYMBOL{n}" for n in range(len(taken) + 1))) if name not in taken)
    like = known[-1] if known else {}
    entry = {"symbol": symbol, "data": like.get("data", "sample")}
    return entry | {key: like[key] for key in ("timeframe", "market", "tick_size", "lot_size") if key in like}


_SYMBOLS = ("AAPL", "IBM", "MSFT", "GOOG", "FB")


class BlockForm(NodeForm):
    """The exposed inputs and parameters of one use of a block."""

    def __init__(self, document: Document, node: NodeView, scope: Scope) -> None:
        self._inner: dict[str, Mapping[str, Any]] = {}
        body = block_body(document, node.use)
        super().__init__(document, (node.id,), scope, (*_input_fields(node), *self._parameters(document, body)))

    def siblings(self, field: schema.Field) -> Mapping[str, Any]:
        return self._inner.get(field.path[0], {})

    def _parameters(self, document: Document, body: Mapping[str, Any]) -> list[schema.Field]:
        found = []
        for name, targets in mapping_at(body, "parameters").items():
            target = targets[0] if isinstance(targets, list) and targets else targets
            inner, _, field_name = str(target).partition(".")
            role, written = inner_node(body, inner)
            cls = document.catalog.component(role, str(written.get("use"))) if role is not None else None
            field = next((field for field in fields_of(cls) if field.name == field_name), None) if cls else None
            if field is None:
                found.append(schema.Field(str(name), (str(name),), Component, FieldKind.TEXT))
                continue
            self._inner[str(name)] = {key: value for key, value in written.items() if key != "use"}
            inside = written.get(field_name, field.default)
            required = field.required and field_name not in written
            found.append(replace(field, path=(str(name),), default=inside, required=required))
        return found


def _input_fields(node: NodeView) -> list[schema.Field]:
    return [
        schema.Field(
            port.name,
            (port.name,),
            Component,
            FieldKind.REFERENCES if port.many else FieldKind.REFERENCE,
            help=port.description,
            required=port.required,
            port=port.type or PortType.SERIES,
            numbers=port.type in (PortType.SERIES, None),
        )
        for port in node.inputs
    ]
