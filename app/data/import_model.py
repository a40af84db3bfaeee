"""What the import dialog knows of each file. No Qt."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from quantcrafter.app.data.draft import SourceDraft
from quantcrafter.app.data.texts import span_text
from quantcrafter.app.document.edits import UNSET
from quantcrafter.app.inspector.fields import Field, FieldKind, fields_of
from quantcrafter.app.inspector.subjects import InstrumentFields
from quantcrafter.app.services.i18n import tr, translated
from quantcrafter.engine.api import Catalog
from quantcrafter.engine.api.extra_columns import FILE_ROLES
from quantcrafter.engine.api.wording import shown_path
from quantcrafter.engine.data.providers.column_roles import checked_names
from quantcrafter.engine.data.providers.glance import Glance
from quantcrafter.engine.runtime.compute_process.jobs.preview import Preview, PreviewRequest
from quantcrafter.engine.runtime.compute_process.jobs.store import FileImport

FURTHER = "+"
"""Stands for the role of a further column, which nodes read by a name of its own."""
_PARQUET = (".parquet", ".pq")


@dataclass
class FileDraft:
    """One file: how it is read, what was seen of it, whether bad bars are mended and whether it is imported at all."""

    path: Path
    draft: SourceDraft
    seen: Preview | None = None
    repair: bool = False
    wanted: bool = True
    waiting: bool = field(default=True)
    glance: Glance = field(default_factory=Glance)

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols to import."""
        return tuple(name for part in self.draft.symbol.split(",") if (name := part.strip()))

    @property
    def is_ready(self) -> bool:
        """Whether it can be imported as it is."""
        seen = self.seen
        usable = seen is not None and not seen.error and (self.repair or not seen.is_refused)
        return usable and bool(self.symbols) and not self.waiting

    def request(self) -> PreviewRequest:
        """Return the request for the bars of the first symbol (else the file's name) in the file's timeframe."""
        first = next(iter(self.symbols), self.path.name.partition(".")[0])
        return PreviewRequest(self.draft.provider, self.draft.options, first, market=self.draft.market)

    def take(self, seen: Preview) -> bool:
        """Note what was seen; return whether another look is needed, as the file names other symbols than guessed."""
        self.seen = seen
        if seen.glance.rows:  # an option that makes no sense leaves what was seen before
            self.glance = seen.glance
        others = not set(self.symbols) <= set(seen.symbols) and seen.error_field == "symbol"
        if seen.symbols and (others or not self.symbols):
            self.draft.set(("symbol",), ", ".join(seen.symbols))
            return True
        return False

    def pick(self, column: int, role: str) -> None:
        """Take a column, from 0, for a role, or as a further one; '' leaves it to be told by its name again."""
        if role == FURTHER:
            role = self._name_of(column)
        written = self.draft.options.get("columns")
        chosen = dict(written) if isinstance(written, Mapping) else {}
        chosen = {name: place for name, place in chosen.items() if name != role and place != column + 1}
        if role:
            chosen[role] = column + 1
        self.draft.set(("columns",), chosen or UNSET)

    def _name_of(self, column: int) -> str:
        """Return a name for a further column: that of the file, as far as it can be one."""
        taken = {name for name, place in self.glance.roles if place != column}
        header = self.glance.names[column] if column < len(self.glance.names) else ""
        plain = re.sub(r"[^A-Za-z0-9_]+", "_", header).strip("_").lower()
        by_header = [plain, f"{plain}_value"] if plain else []
        tried = [*by_header, f"column_{column + 1}"]
        return next((name for name in tried if name not in taken and _can_name(name)), tried[-1])

    def as_import(self) -> FileImport:
        """Return the order to import it."""
        options = {name: value for name, value in self.draft.options.items() if name != "path"}
        return FileImport(str(self.path), self.symbols, options, self.repair, self.draft.market)

    @property
    def state(self) -> str:
        """What is to be said about it in a few words."""
        seen = self.seen
        if self.waiting or seen is None:
            return tr("Reading…")
        if seen.error:
            return _reason(translated(seen.error).partition("\n")[0], self.path)
        if not self.symbols:
            return tr("Enter the symbol. It can't be determined from the file name.")
        return self._state_of_bars(seen)

    def _state_of_bars(self, seen: Preview) -> str:
        bad = sum(finding.count for finding in seen.findings if finding.is_error)
        if bad and not self.repair:
            return tr("Errors: {count}. Repair them, or correct the file.", count=f"{bad:,}")
        if bad:
            return tr("Errors to repair: {count}", count=f"{bad:,}")
        if told := len(seen.findings) + len(seen.notes):
            return tr("Ready, with notes: {count}", count=told)
        return tr("Ready")

    @property
    def span(self) -> str:
        """The first and the last bar."""
        seen = self.seen
        if seen is None or not seen.count:
            return ""
        return span_text(seen.first_ns, seen.last_ns, seen.timeframe, seen.session)


def _can_name(name: str) -> bool:
    """Return whether a further column can have this name; one that is nearly that of a price can't."""
    try:
        checked_names({name: name})
    except ValueError:
        return False
    return name not in FILE_ROLES


def _reason(text: str, path: Path) -> str:
    """Return an error without the file that it is about, which stands beside it."""
    _subject, found, reason = text.partition(f"{shown_path(path)}: ")
    return f"{reason[:1].upper()}{reason[1:]}" if found else text


def file_draft(catalog: Catalog, path: Path, symbol: str = "") -> FileDraft:
    """Return the draft of a file, with the symbol that its name gives away."""
    from quantcrafter.engine.data.store.symbol_guess import symbol_in

    provider = "parquet" if path.name.lower().endswith(_PARQUET) else "csv"
    base = Field(
        "symbol",
        ("symbol",),
        InstrumentFields,
        FieldKind.TEXT,
        help=tr("The symbol of the bars. Separate several symbols in one file with commas."),
        required=True,
    )
    market = next(field for field in fields_of(InstrumentFields) if field.name == "market")
    market = replace(market, help=tr("The market of the bars: its trading hours, holidays and time zone."))
    written = {"symbol": symbol or symbol_in(str(path)) or "", "data": provider, "path": str(path)}
    return FileDraft(path, SourceDraft(catalog, (base, market), written, hidden=("path",)))
