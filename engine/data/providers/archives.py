"""Unpacks gzip and zip files that may be malicious, piece by piece."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from quantcrafter.engine.api import DataError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.wording import first_of, shown_path
from quantcrafter.engine.data.limits import MAX_FOOTER_BYTES, MAX_MEMBERS

PIECE = 1 << 20
_PACKED_PIECE = 1 << 16
_GZIP = 31  # zlib's number for a gzip header and its check sum
_END_RECORD = b"PK\x05\x06"
_END_BYTES, _COMMENT_BYTES = 22, 1 << 16
_TABLES = (".csv", ".tsv", ".txt")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_NAMED = 5
PACKED = (".gz", ".zip")


def is_packed(path: Path | str) -> bool:
    """Return whether the file is unpacked when it is read, as its name says."""
    return str(path).lower().endswith(PACKED)


def unpacked(file: BinaryIO, path: Path, subject: str, member: str | None = None) -> Iterator[bytes]:
    """Yield the content of a packed file in pieces; of a zip archive that of its table, or of the member named.

    Raises:
        DataError: it cannot be unpacked, or holds no table or several.
    """
    if path.name.lower().endswith(".zip"):
        return _unzipped(file, subject, member)
    return _gunzipped(file, subject)


def names_of_table(file: BinaryIO, subject: str, member: str | None = None) -> tuple[str, bool]:
    """Return the name of the table in a zip archive, or of the member named, and whether the archive has no other.

    Raises:
        DataError: it is no complete archive, or has no such table, or several.
    """
    _check_directory(file, subject)
    try:
        with zipfile.ZipFile(file) as archive:
            files = [info for info in archive.infolist() if not info.is_dir() and not _is_hidden(info.filename)]
    except (zipfile.BadZipFile, NotImplementedError, EOFError, struct.error, ValueError) as error:
        raise _broken(subject, Message("it is not a complete zip archive"), ".zip") from error
    chosen = _table(files, subject, member)
    others = [info for info in files if info is not chosen and info.filename.lower().endswith(_TABLES)]
    return chosen.filename, member is None or not others


def _gunzipped(file: BinaryIO, subject: str) -> Iterator[bytes]:
    """Yield the content of a gzip file, member by member."""
    make: Callable[[], zlib._Decompress] = lambda: zlib.decompressobj(_GZIP)  # noqa: E731
    member, members, waiting = make(), 0, file.read(_PACKED_PIECE)
    if not waiting:
        raise _broken(subject, Message("it is empty"))
    while waiting:
        try:
            piece = member.decompress(waiting, PIECE)
        except zlib.error as error:
            if members and not waiting.strip(b"\x00"):
                return  # zeros that fill up a tape's block
            raise _broken(subject, Message("it is not compressed with gzip") if not members else str(error)) from error
        members = members or 1
        if piece:
            yield piece
        if member.eof:
            waiting = member.unused_data or file.read(_PACKED_PIECE)
            if not waiting:
                return
            members += 1
            if members > MAX_MEMBERS:
                message = Message(
                    "{subject}: a .gz file can have at most {max_members:,} parts. Pack it again.",
                    subject=subject,
                    max_members=MAX_MEMBERS,
                )
                raise DataError(message, field="path")
            member = make()
        else:
            waiting = member.unconsumed_tail or file.read(_PACKED_PIECE)
    raise _broken(subject, Message("it ends in the middle"))


def _broken(subject: str, why: str, ending: str = ".gz") -> DataError:
    return DataError(
        Message(
            "{subject}: the file can't be unpacked: {why}. Fetch or pack it again; a file that is not packed "
            "must not end in {ending}.",
            subject=subject,
            why=why,
            ending=ending,
        ),
        field="path",
    )


def _unzipped(file: BinaryIO, subject: str, member: str | None) -> Iterator[bytes]:
    """Yield the content of the one table in a zip archive, or of the member of that name."""
    _check_directory(file, subject)
    try:
        with zipfile.ZipFile(file) as archive:
            info = _table(archive.infolist(), subject, member)
            name = shown_path(info.filename)
            if info.flag_bits & 1:
                raise DataError(
                    Message("{subject}: '{name}' is encrypted. Unpack it first.", subject=subject, name=name),
                    field="path",
                )
            if info.compress_type not in _METHODS:
                raise DataError(
                    Message(
                        "{subject}: '{name}' is compressed with a method other than deflate. Unpack it first.",
                        subject=subject,
                        name=name,
                    ),
                    field="path",
                )
            with archive.open(info) as packed:
                while piece := packed.read(PIECE):
                    yield piece
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, struct.error, ValueError) as error:
        raise _broken(subject, Message("it is not a complete zip archive"), ".zip") from error


def _check_directory(file: BinaryIO, subject: str) -> None:
    """Refuse an archive whose list of members alone would take the memory that its content does not."""
    size = os.fstat(file.fileno()).st_size
    file.seek(max(0, size - _END_BYTES - _COMMENT_BYTES))
    tail = file.read()
    file.seek(0)
    place = tail.rfind(_END_RECORD)
    if place < 0 or len(tail) - place < _END_BYTES:
        raise _broken(subject, Message("it is not a complete zip archive"), ".zip")
    (listed,) = struct.unpack("<I", tail[place + 12 : place + 16])
    if listed > MAX_FOOTER_BYTES:
        raise DataError(
            Message(
                "{subject}: the archive's list of files can take at most {max_footer_bytes:,} bytes, this one "
                "takes {listed:,}. Unpack the table that you want.",
                subject=subject,
                max_footer_bytes=MAX_FOOTER_BYTES,
                listed=listed,
            ),
            field="path",
        )


def _table(members: list[zipfile.ZipInfo], subject: str, wanted: str | None) -> zipfile.ZipInfo:
    """Return the one table among the members of an archive; a CSV file before texts that describe it."""
    files = [info for info in members if not info.is_dir() and not _is_hidden(info.filename)]
    if wanted is not None:
        named = [info for info in files if wanted in (info.filename, PurePosixPath(info.filename).name)]
        if len(named) == 1:
            return named[0]
        raise DataError(
            Message(
                "{subject}: the archive has no file '{wanted}'; it has {files}. Change 'member'.",
                subject=subject,
                wanted=shown_path(wanted),
                files=_names(files),
            ),
            field="member",
        )
    tables = [info for info in files if info.filename.lower().endswith(_TABLES)]
    comma = [info for info in tables if info.filename.lower().endswith(".csv")]
    chosen = comma or tables
    if len(chosen) == 1:
        return chosen[0]
    if not chosen:
        raise DataError(
            Message(
                "{subject}: the archive has no table that ends in {tables}; it has {files}. Name one with 'member'.",
                subject=subject,
                tables=", ".join(_TABLES),
                files=_names(files),
            ),
            field="member",
        )
    raise DataError(
        Message(
            "{subject}: the archive has {count:,} tables: {chosen}. Name one with 'member'.",
            subject=subject,
            count=len(chosen),
            chosen=_names(chosen),
        ),
        field="member",
    )


def _is_hidden(name: str) -> bool:
    path = PurePosixPath(name)
    return path.name.startswith(".") or "__MACOSX" in path.parts


def _names(files: list[zipfile.ZipInfo]) -> str:
    if not files:
        return Message("no file at all")
    return first_of([f"'{shown_path(info.filename)}'" for info in files], _NAMED)
