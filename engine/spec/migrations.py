"""Older versions of the format: how a file of one is brought to the next, by edits of its text.

A migration looks at a document and says what to change, each change with a sentence for the user. Comments, order,
anchors and alignment stay, as with every other edit (`StrategyFile`). Block files are migrated by the same functions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from quantcrafter.engine.api.errors import Problem, SpecError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.spec import model
from quantcrafter.engine.spec.source import ProblemLog
from quantcrafter.engine.spec.tree import Mapping as MappingNode
from quantcrafter.engine.spec.tree import Scalar

if TYPE_CHECKING:
    from quantcrafter.engine.spec.document import StrategyFile
    from quantcrafter.engine.spec.edits import DocumentPath

KEY = "quantcrafter"
_PERHAPS_OTHER = re.compile(r"quantcrafter['\"]?[ \t]*:[ \t]*([^\s,}]*)")


@dataclass(frozen=True, slots=True)
class SetValue:
    """Gives the place at `path` a value, and makes it if it doesn't exist; see `StrategyFile.set`."""

    path: DocumentPath
    value: Any
    sentence: str

    def apply(self, document: StrategyFile) -> None:
        """Make the edit."""
        document.set(self.path, self.value)


@dataclass(frozen=True, slots=True)
class RenameKey:
    """Gives the key at `path` another name, in its place."""

    path: DocumentPath
    new_key: str
    sentence: str

    def apply(self, document: StrategyFile) -> None:
        """Make the edit."""
        document.rename(self.path, self.new_key)


@dataclass(frozen=True, slots=True)
class RemoveEntry:
    """Removes the key or list item at `path` with its value and the comment on its line."""

    path: DocumentPath
    sentence: str

    def apply(self, document: StrategyFile) -> None:
        """Make the edit."""
        document.remove(self.path)


MigrationEdit = SetValue | RenameKey | RemoveEntry
Migration = Callable[["StrategyFile"], Sequence[MigrationEdit]]
"""Returns the edits that bring a document to the next version, made in this order; the version itself is not theirs."""

MIGRATIONS: dict[int, Migration] = {}
"""By the version a migration starts from. Version 1 is the first, so there is none yet."""


@dataclass(frozen=True, slots=True)
class Migrated:
    """A text in this program's format; the version and the text that it was made from; a sentence for each change."""

    text: str
    version: int
    before: str
    changes: tuple[str, ...]


def format_version() -> int:
    """Return the version of the format that this program reads and writes."""
    return model.FORMAT_VERSION


def version_in(root: MappingNode) -> int | None:
    """Return the version that a file says it has; None where it says none that is a whole number."""
    node = root.get(KEY)
    value = node.value if isinstance(node, Scalar) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def version_of_text(text: str) -> int | None:
    """Return the version that a text says it has; None where it says none, or is no YAML mapping."""
    from quantcrafter.engine.spec.compose import compose

    found = set(_PERHAPS_OTHER.findall(text))
    if found == {str(format_version())}:  # by far the most texts, and reading one takes time
        return format_version()
    root = compose(text, "", ProblemLog()) if found else None
    return version_in(root) if isinstance(root, MappingNode) else None


def is_older(version: int | None) -> bool:
    """Return whether a version is an older one that can be migrated."""
    return version is not None and version < format_version() and version in MIGRATIONS


def migrate(text: str, file: str = "") -> Migrated | None:
    """Return a text of an older version in this program's format, None where there is nothing to migrate.

    Raises:
        SpecError: an edit can't be made in this text.
    """
    if not is_older(version_of_text(text)):
        return None
    from quantcrafter.engine.spec.document import StrategyFile  # it stands on what reads files, which stands on this

    document = StrategyFile.loads(text, file)
    version = int(document.get((KEY,)))
    changes: list[str] = []
    for step in range(version, format_version()):
        try:
            for edit in _migration_from(step)(document.copy()):
                edit.apply(document)
                changes.append(edit.sentence)
            document.set((KEY,), step + 1)
        except SpecError as error:
            raise SpecError([_refused(version, error.problems[0], file)]) from error
    return Migrated(document.text, version, text, tuple(changes))


def _migration_from(version: int) -> Migration:
    migrations: Mapping[int, Migration] = MIGRATIONS
    if version not in migrations:
        raise SpecError(
            [
                Problem(
                    "version",
                    Message("No migration leads on from format {version}.", version=version),
                    Message("Update QuantCrafter."),
                )
            ]
        )
    return migrations[version]


def _refused(version: int, problem: Problem, file: str) -> Problem:
    message = Message(
        "The file is of format {version}, an older one, and can't be migrated: {message}",
        version=version,
        message=problem.message,
    )
    return Problem("version", message, problem.remedy, file, 1, 1, problem.path)
