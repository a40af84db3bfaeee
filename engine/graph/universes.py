"""Universes: an entry of `instruments:` that stands for several becomes each of them.

1. The symbols are listed, read from a file, told from the names of data files, or those that the data provider knows.
2. Each becomes an entry with the settings of the universe, what the file says of it, and `{symbol}` put in.
3. A symbol that comes twice is an error, with both of its places: nothing is merged.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from pydantic import ValidationError

from quantcrafter.engine.api import Catalog, DataError, DataProvider, PathRefusedError, Problem, QuantCrafterError
from quantcrafter.engine.api.folders import check_place, expanded
from quantcrafter.engine.api.foreign import calling, is_own, reason_of, with_origin
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.opening import open_named
from quantcrafter.engine.api.wording import listed, shown_path
from quantcrafter.engine.graph.suggest import owner_problem, parameter_problems
from quantcrafter.engine.spec import InstrumentSpec
from quantcrafter.engine.spec.instruments import COLUMNS, member_of
from quantcrafter.engine.spec.limits import MAX_FILE_BYTES, MAX_INSTRUMENTS
from quantcrafter.engine.spec.model import UniverseSpec
from quantcrafter.engine.spec.source import Place, ProblemLog, Source
from quantcrafter.engine.spec.tree import Scalar
from quantcrafter.engine.spec.universe_entries import Member, cell

_WILD = frozenset("*?[")
_FIRST = "\ufeff"


class Universes:
    """Turns entries with a universe into instruments, and collects what is wrong with them.

    `refused` are the files that the strategy names, and may not read.
    """

    def __init__(self, catalog: Catalog, base_dir: str) -> None:
        self._catalog, self._base_dir = catalog, base_dir
        self._log = ProblemLog()
        self._own: list[Problem] = []
        self.refused: list[str] = []

    @property
    def problems(self) -> list[Problem]:
        """What is wrong."""
        return [*self._own, *self._log.in_order()]

    def expanded(self, specs: Sequence[InstrumentSpec]) -> tuple[InstrumentSpec, ...]:
        """Return all instruments, those of a universe in its place."""
        made: dict[str, InstrumentSpec] = {}
        for spec in specs:
            for each in [spec] if spec.universe is None else self._instruments(spec, spec.universe):
                if each.symbol in made:
                    self._twice(each, made[each.symbol])
                elif len(made) == MAX_INSTRUMENTS:
                    text = Message(
                        "A strategy can have at most {max_instruments:,} instruments, with its universes it has more.",
                        max_instruments=MAX_INSTRUMENTS,
                    )
                    self._fault(spec, text, Message("Split them between several files."))
                    return tuple(made.values())
                else:
                    made[each.symbol] = each
        return tuple(made.values())

    def _instruments(self, spec: InstrumentSpec, universe: UniverseSpec) -> Iterator[InstrumentSpec]:
        try:
            members, columns = self._members(spec, universe)
        except PathRefusedError as error:
            self.refused += [error.file] if error.file else []
            self._fault(spec, error.reason, error.remedy, "folder" if error.file else "path")
            return
        except QuantCrafterError as error:
            self._fault(spec, str(error), "")
            return
        symbols = [str(member.symbol.value) for member in members]
        strange = [name for name in universe.exclude if name not in symbols]
        if strange:
            text = Message("'exclude' names {names}, which the universe doesn't have.", names=listed(strange, 3))
            self._fault(spec, text, Message("Remove it."))
        if symbols and set(symbols) <= set(universe.exclude):
            text = Message("'exclude' leaves none of the {count:,} symbols of the universe.", count=len(symbols))
            self._fault(spec, text, Message("Leave one in."))
        for member in members:
            if str(member.symbol.value) not in universe.exclude:
                made = member_of(spec, member, columns, self._log)
                if made is not None:
                    yield made

    def _twice(self, spec: InstrumentSpec, before: InstrumentSpec) -> None:
        first, second = (_whence(each.place("symbol")) for each in (before, spec))
        text = Message("The symbol '{symbol}' occurs twice.", symbol=spec.symbol)
        if first != second:
            text = Message(
                "The symbol '{symbol}' occurs twice: {first} and {second}.",
                symbol=spec.symbol,
                first=first,
                second=second,
            )
        place = spec.place("symbol")
        self._own.append(
            Problem(
                "duplicate_symbol",
                text,
                Message("Remove one of them."),
                place.file,
                place.line,
                place.column,
                f"{spec.path}.universe",
                field="universe",
            )
        )

    def _fault(self, spec: InstrumentSpec, message: str, remedy: str, code: str = "universe") -> None:
        self._own.append(owner_problem(spec, code, message, remedy, "universe"))

    # ------------------------------------------------------------------ where the symbols come from

    def _members(self, spec: InstrumentSpec, universe: UniverseSpec) -> tuple[list[Member], tuple[str, ...]]:
        """Return the members, and the columns of their file that are keys of an instrument or of its provider."""
        if universe.kind == "symbols":
            return [Member(node) for node in universe.nodes if isinstance(node, Scalar)], ()
        if universe.kind == "file":
            return self._of_file(spec, universe.text)
        if universe.kind == "files":
            return self._of_files(spec, universe.text), ()
        return self._of_query(spec, universe.text), ()

    def _of_query(self, spec: InstrumentSpec, pattern: str) -> list[Member]:
        provider = self._catalog.provider(spec.data)
        before = len(self._own)
        names = () if provider is None else self._known(spec, provider)
        if provider is None or len(self._own) > before:
            return []
        if not names:
            text = Message("The data provider '{name}' doesn't say which symbols it has.", name=spec.data)
            self._fault(spec, text, Message("Use 'symbols', 'file' or 'files'."))
            return []
        found = [name for name in sorted(names) if fnmatchcase(name, pattern)]
        if not found:
            text = Message("No symbol of '{name}' matches '{pattern}'.", name=spec.data, pattern=pattern)
            self._fault(spec, text, Message("It has {count:,}: {names}.", count=len(names), names=listed(names, 6)))
        return [Member(_scalar(spec, name)) for name in found]

    def _known(self, spec: InstrumentSpec, provider: type[DataProvider]) -> tuple[str, ...]:
        """Return the symbols that a provider knows.

        Raises:
            DataError: it can't tell.
        """
        who = with_origin(Message("Data provider '{name}'", name=spec.data), provider)
        try:
            with calling(who, Message("listing its symbols"), provider):
                return tuple(provider.model_validate(dict(spec.options)).known_symbols(self._base_dir))
        except ValidationError as error:
            self._own += parameter_problems(error, provider, spec, who, self._log.suggest)
            return ()
        except Exception as error:
            if is_own(provider) or isinstance(error, QuantCrafterError):
                raise
            text = Message("{who} failed while it listed its symbols: {reason}.", who=who, reason=reason_of(error))
            raise DataError(text) from error

    def _of_files(self, spec: InstrumentSpec, pattern: str) -> list[Member]:
        provider = self._catalog.provider(spec.data)
        if provider is None:
            return []
        options = provider.path_parameters()
        if len(options) != 1:
            text = Message("The data provider '{name}' reads no files.", name=spec.data)
            self._fault(spec, text, Message("Use 'symbols', 'file' or 'query'."))
            return []
        if options[0] in spec.options:
            text = Message("The paths come from 'files', so '{name}' can't be given as well.", name=options[0])
            self._fault(spec, text, Message("Remove it."))
            return []
        whole = expanded(pattern, self._base_dir)
        folder, name = whole.parent, whole.name
        if _WILD & set(str(folder)):
            text = Message("'files' can have wildcards in the name of the file only, was '{text}'.", text=pattern)
            self._fault(spec, text, Message("Write one entry for each folder."))
            return []
        check_place(whole.with_name("any"), self._base_dir, pattern)
        try:
            found = sorted(each for each in folder.iterdir() if fnmatchcase(each.name, name) and each.is_file())
        except OSError:
            found = []
        found = [each for each in found if not each.name.startswith(".")]
        if not found:
            text = Message("No file matches '{pattern}'.", pattern=shown_path(str(whole)))
            self._fault(spec, text, Message("Check the path. In a strategy file, it is relative to the file's folder."))
        written = Path(pattern).parent
        return [
            Member(_scalar(spec, each.stem), option=(options[0], (written / each.name).as_posix())) for each in found
        ]

    def _of_file(self, spec: InstrumentSpec, path: str) -> tuple[list[Member], tuple[str, ...]]:
        with open_named(path, self._base_dir) as file:
            data = file.read(MAX_FILE_BYTES + 1)
        said = shown_path(path)
        if len(data) > MAX_FILE_BYTES:
            text = Message("'{said}' can have at most {limit:,} bytes, has more.", said=said, limit=MAX_FILE_BYTES)
            self._fault(spec, text, Message("Split it between several universes."))
            return [], ()
        try:
            source = Source(path, data.decode("utf-8").removeprefix(_FIRST))
        except UnicodeDecodeError:
            self._fault(spec, Message("'{said}' is not UTF-8 text.", said=said), Message("Save it as UTF-8."))
            return [], ()
        is_table = path.lower().endswith(".csv")
        members = list(self._rows(spec, source) if is_table else _lines(source))
        if not members and not self._own:
            self._fault(spec, Message("'{said}' has no symbol.", said=said), Message("Write one in each line."))
        return members, self._columns(spec)

    def _columns(self, spec: InstrumentSpec) -> tuple[str, ...]:
        provider = self._catalog.provider(spec.data)
        return COLUMNS if provider is None else (*COLUMNS, *provider.model_fields)

    def _rows(self, spec: InstrumentSpec, source: Source) -> Iterator[Member]:
        """Yield the rows of a CSV file."""
        reader = csv.reader(io.StringIO(source.text, newline=""), strict=True)
        starts, line, names = source.line_starts, 0, list[str]()
        try:
            for cells in reader:
                at = starts[min(line, len(starts) - 1)]
                line = reader.line_num
                row = [each.strip() for each in cells]
                if not any(row):
                    continue
                if not names:
                    names = [each.lower() if each.lower() == "symbol" else each for each in row]
                    if not self._header_is_good(spec, source, names):
                        return
                    continue
                if len(row) > len(names):
                    text = Message(
                        "Line {line} has {count} cells, the header {named}.",
                        line=line,
                        count=len(row),
                        named=len(names),
                    )
                    self._in_file(source, at, text)
                    return
                texts = dict(zip(names, row, strict=False))
                symbol = texts.pop("symbol", "")
                if not symbol:
                    self._in_file(source, at, Message("Line {line} has no symbol.", line=line))
                    return
                yield Member(
                    Scalar(source, at, at + len(symbol), symbol),
                    {name: cell(source, at, text) for name, text in texts.items() if text},
                )
        except csv.Error as error:
            self._in_file(
                source, starts[min(line, len(starts) - 1)], Message("This is not valid CSV: {error}.", error=error)
            )

    def _header_is_good(self, spec: InstrumentSpec, source: Source, names: Sequence[str]) -> bool:
        if "symbol" not in names:
            self._in_file(source, 0, Message("There is no column 'symbol'; there are {names}.", names=listed(names, 6)))
            return False
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            self._in_file(source, 0, Message("The column '{name}' occurs twice.", name=twice))
            return False
        barred = next((name for name in names if name in ("data", "values", "universe")), None)
        if barred is not None:
            self._in_file(source, 0, Message("A column can't be called '{name}'.", name=barred))
            return False
        return bool(spec.path)

    def _in_file(self, source: Source, offset: int, message: str) -> None:
        self._log.add("universe", message, "", at=source.place(offset), path="instruments", field="universe")


def _lines(source: Source) -> Iterator[Member]:
    """Yield the symbols of a text: one in each line, without what follows a #."""
    starts = source.line_starts
    for start, end in zip(starts, [*starts[1:], len(source.text)], strict=True):
        symbol = source.text[start:end].partition("#")[0].strip()
        if symbol:
            yield Member(Scalar(source, start, start + len(symbol), symbol))


def _scalar(spec: InstrumentSpec, symbol: str) -> Scalar:
    """Return a symbol that stands where the universe does."""
    at = spec.located.entries["universe"].value
    return Scalar(at.source, at.start, at.end, symbol)


def _whence(place: Place) -> str:
    return Message("line {line} of {file}", line=place.line, file=place.file) if place.file else f"line {place.line}"
