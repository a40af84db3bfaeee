"""SourceDraft: the entry of an instrument or a feed while its data source is being chosen. No Qt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from quantcrafter.app.document.document import Document
from quantcrafter.app.document.edits import UNSET, Edit, SetField, SetValues
from quantcrafter.app.document.view import Scope
from quantcrafter.app.inspector.fields import Field, FieldKind, fields_of
from quantcrafter.app.inspector.form import Form
from quantcrafter.app.inspector.subjects import InstrumentFields
from quantcrafter.app.services.i18n import tr, translated
from quantcrafter.engine.api import Catalog, Problem, Severity
from quantcrafter.engine.runtime.compute_process.jobs.preview import Preview, PreviewRequest

DATA = "data"
_FIRST = ("symbol", "timeframe", "market")
ZONES = (
    *("UTC", "America/New_York", "America/Chicago", "America/Los_Angeles", "EST", "Europe/London", "Europe/Berlin"),
    *("Europe/Zurich", "Europe/Athens", "Europe/Moscow", "Asia/Kolkata", "Asia/Singapore", "Asia/Shanghai"),
    *("Asia/Hong_Kong", "Asia/Tokyo", "Australia/Sydney"),
)
"""Zones of markets, brokers and programs that write files of bars."""


_OTHER = object()


class DraftForm(Form):
    """The fields of a draft; what is wrong with it is what its bars show."""

    def __init__(self, fields: Sequence[Field], written: Mapping[str, Any], problems: Sequence[Problem]) -> None:
        super().__init__(fields, [written], problems)

    @property
    def subject(self) -> tuple[object, ...]:
        return ("data source",)

    def concerns(self, problem: Problem, field: Field) -> bool:
        return problem.field == field.path[0]

    def edits(self, field: Field, value: Any) -> tuple[Edit, ...]:
        return (SetField(field.path, value),)


class SourceDraft:
    """What is written about a source, apart from the document until it is taken over.

    Args:
        catalog: the installed components.
        base: the fields that belong to the entry whatever its provider is.
        written: the entry as it is in the document.
        default: the provider of an entry that names none.
        hidden: parameters of the provider that the form leaves out.
    """

    def __init__(
        self,
        catalog: Catalog,
        base: Sequence[Field],
        written: Mapping[str, Any],
        default: str = "",
        hidden: Sequence[str] = (),
    ) -> None:
        self.catalog = catalog
        self.values = {name: value for name, value in written.items() if name != "use"}
        self._before = dict(self.values)
        self._base = tuple(field for field in base if field.name != DATA)
        self._default = default
        self._hidden = frozenset(hidden)
        self._left: dict[str, dict[str, Any]] = {}

    @property
    def provider(self) -> str:
        """The name of the chosen provider."""
        return str(self.values.get(DATA, self._default))

    @property
    def symbol(self) -> str:
        """The symbol, '' while there is none."""
        symbol = self.values.get("symbol", "")
        return symbol if isinstance(symbol, str) else ""

    @property
    def market(self) -> str:
        """The name of the chosen market, '' while there is none."""
        market = self.values.get("market", "")
        return market if isinstance(market, str) else ""

    @property
    def options(self) -> dict[str, Any]:
        """The written parameters of the provider."""
        names = {field.name for field in self._own_fields()}
        return {name: value for name, value in self.values.items() if name in names}

    def choose(self, name: str) -> None:
        """Take another provider; the parameters of the one before are restored when it is chosen again."""
        before, types = self.options, self._types()
        self._left[self.provider] = before
        for option in before:
            del self.values[option]
        self.values[DATA] = name
        again = self._left.get(name)
        if again is None:  # what both know by one name is meant for both, such as the path of a file
            there = self._types()
            again = {option: value for option, value in before.items() if there.get(option, _OTHER) == types[option]}
        self.values |= again

    def set(self, path: tuple[str, ...], value: Any) -> None:
        """Write a value, or take it out when it is UNSET."""
        if value is UNSET:
            self.values.pop(path[0], None)
        else:
            self.values[path[0]] = value

    def form(self, seen: Preview | None) -> DraftForm:
        """Return the form: the entry's own fields with what the source offers, and then the provider's."""
        taken = {*self._hidden, *(field.name for field in self._base)}
        own = [_with_zones(field) for field in self._own_fields() if field.name not in taken]
        base = [_offering(self._with_markets(field), seen) for field in self._base]
        fields = [
            *(field for field in own if field.required),
            *(field for field in base if field.name in _FIRST),
            *(field for field in own if not field.required),
            *(field for field in base if field.name not in _FIRST),
        ]
        return DraftForm(fields, self.values, () if seen is None else _problems(seen))

    def request(self, folder: str) -> PreviewRequest:
        """Return the request for a preview of the bars."""
        timeframe = self.values.get("timeframe")
        if timeframe is None:
            timeframe = next((field.default for field in self._base if field.name == "timeframe"), None)
        return PreviewRequest(self.provider, self.options, self.symbol, str(timeframe or "1d"), folder, self.market)

    def changes(self) -> dict[str, Any]:
        """Return what differs from the document by field; UNSET for what is to go."""
        gone = {name: UNSET for name in self._before if name not in self.values}
        new = {
            name: value
            for name, value in self.values.items()
            if name not in self._before or not _same(value, self._before[name])
        }
        return {**gone, **new}

    def _with_markets(self, field: Field) -> Field:
        """Return the field of a market with those that are installed to pick from."""
        if field.name != "market":
            return field
        return replace(field, suggestions=tuple(market.name for market in self.catalog.markets))

    def _types(self) -> dict[str, Any]:
        """Return the type of each parameter of the provider."""
        provider = self.catalog.provider(self.provider)
        fields = {} if provider is None else provider.model_fields
        return {field.name: fields[field.name].annotation for field in self._own_fields()}

    def _own_fields(self) -> tuple[Field, ...]:
        provider = self.catalog.provider(self.provider)
        return fields_of(provider) if provider is not None else ()


def instrument_draft(document: Document, index: int) -> SourceDraft:
    """Return the draft of an instrument."""
    listed = document.values.get("instruments")
    entry = listed[index] if isinstance(listed, list) and index < len(listed) else {}
    written = entry if isinstance(entry, Mapping) else {}
    return SourceDraft(document.catalog, fields_of(InstrumentFields), written)


def feed_draft(document: Document, node: str, scope: Scope) -> SourceDraft:
    """Return the draft of a feed node."""
    cls = document.component(node, scope)
    base = [field for field in fields_of(cls) if not field.is_port] if cls is not None else []
    default = next((str(field.default) for field in base if field.name == DATA), "")
    return SourceDraft(document.catalog, base, document.graph(scope).nodes[node].values, default)


def instrument_edits(index: int, changes: Mapping[str, Any]) -> tuple[Edit, ...]:
    """Return what writes the changes of a draft into an instrument."""
    return tuple(SetField(("instruments", index, name), value) for name, value in changes.items())


def feed_edits(node: str, changes: Mapping[str, Any]) -> tuple[Edit, ...]:
    """Return what writes the changes of a draft into a feed node."""
    return (SetValues(node, dict(changes)),) if changes else ()


def relative(path: str, folder: Path | None) -> str:
    """Return a path as the strategy's file should have it: relative below its folder."""
    full = Path(path)
    if folder is not None and full.is_absolute() and full.is_relative_to(folder):
        return full.relative_to(folder).as_posix()
    return full.as_posix()


def _with_zones(field: Field) -> Field:
    """Return a field of a time zone with the usual ones to pick from; others may be typed."""
    return replace(field, suggestions=ZONES) if field.name == "timezone" and field.kind is FieldKind.TEXT else field


def _offering(field: Field, seen: Preview | None) -> Field:
    """Return a field with what the source offers for it."""
    if seen is None:
        return field
    if field.name == "symbol" and seen.symbols:
        return replace(field, suggestions=seen.symbols)
    if field.name == "timeframe" and seen.timeframes:
        return replace(field, suggestions=seen.timeframes, kind=FieldKind.TIMEFRAME)
    return field


def _problems(seen: Preview) -> tuple[Problem, ...]:
    """Return what the bars show to be wrong with a field."""
    if not seen.error:
        return ()
    found, text = seen.error_field, translated(seen.error).partition("\n")[0]
    if seen.timeframes and seen.timeframe and seen.timeframe not in seen.timeframes:
        found, text = "timeframe", tr("Available from the source: {choices}.", choices=", ".join(seen.timeframes))
    return (Problem("data", text, severity=Severity.ERROR, field=found),) if found else ()


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def provider_names(catalog: Catalog) -> tuple[str, ...]:
    """Return the names of every installed provider."""
    return catalog.provider_names()


def provider_help(catalog: Catalog, name: str) -> str:
    """Return the first paragraph of a provider's help."""
    provider = catalog.provider(name)
    return translated(provider.help().split("\n\n")[0].replace("\n", " ")) if provider is not None else ""
