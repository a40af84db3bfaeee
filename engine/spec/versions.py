"""The `quantcrafter:` line: which version of the format a file is in."""

from __future__ import annotations

from quantcrafter.engine.api.errors import Severity, SpecError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.spec.compose import compose
from quantcrafter.engine.spec.migrations import KEY, format_version, is_older, migrate, version_in
from quantcrafter.engine.spec.source import ProblemLog
from quantcrafter.engine.spec.tree import Mapping

OLD_FORMAT = "old_format"
"""The code of the finding that a file is of an older format."""


def version_is_good(root: Mapping, log: ProblemLog) -> bool:
    """Return whether a file's content can be read; note a problem where it is not of the current format."""
    node = root.get(KEY)
    if node is None:
        message = Message("The file doesn't say that it is a QuantCrafter file.")
        log.add(
            "version",
            message,
            Message("Begin with 'quantcrafter: {format_version}'.", format_version=format_version()),
            at=root.place,
            path=KEY,
        )
        return True
    version, current = version_in(root), format_version()
    if version == current:
        return True
    fault, remedy = why_not_read(version)
    log.add("version", fault, remedy, at=node.place, path=KEY, field=KEY)
    return version is None or (version < current and not is_older(version))


def why_not_read(version: int | None) -> tuple[Message, Message]:
    """Return why a file of another version than the current one can't be read, and the remedy."""
    current = format_version()
    write = Message("Write 'quantcrafter: {current}'.", current=current)
    if version is None:
        return Message("The version of the format must be a whole number."), write
    if version > current:
        message = Message(
            "This file needs a newer QuantCrafter: its format is {version}, this one reads {current}.",
            version=version,
            current=current,
        )
        return message, Message("Update QuantCrafter.")
    if is_older(version):
        message = Message(
            "The file is of format {version}, an older one; this QuantCrafter writes format {current}.",
            version=version,
            current=current,
        )
        return message, Message("Migrate it: quantcrafter migrate FILE --write")
    return Message(
        "The format {version} is unknown, this QuantCrafter reads {current}.", version=version, current=current
    ), write


def in_current_format(root: Mapping, text: str, log: ProblemLog) -> Mapping | None:
    """Return the tree of a file in the current format: migrated in memory where it is of an older one.

    Places in it are those of the text as it was. Return None after noting why a file can't be migrated.
    """
    version = version_in(root)
    if not is_older(version):
        return root
    file = root.source.file
    try:
        migrated = migrate(text, file)
    except SpecError as error:
        log.problems += error.problems
        return None
    made = compose(migrated.text, file, log) if migrated is not None else None
    if not isinstance(made, Mapping):
        return None
    made.source.original = root.source.text
    message = Message(
        "The file is of format {version}, an older one; it was read as format {format_version}.",
        version=version,
        format_version=format_version(),
    )
    at = made.entries[KEY].value.place
    remedy = Message("To write it in the new format: quantcrafter migrate FILE --write")
    log.add(OLD_FORMAT, message, remedy, at=at, path=KEY, field=KEY, severity=Severity.WARNING)
    return made
