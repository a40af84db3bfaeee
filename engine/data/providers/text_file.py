"""Reading a text file that may be hostile: packed without end, full of zeros, or one endless line.

The file is gone through once in small pieces, which only counts; what breaks a limit is refused there, having taken a
few megabytes. Then it is read whole, at most as many bytes as were counted.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from quantcrafter.engine.api import DataError, open_regular
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.os_errors import fault
from quantcrafter.engine.data.limits import (
    MAX_BLANK_BYTES,
    MAX_BLANK_LINES,
    MAX_EQUAL_LINES,
    MAX_LINE_BYTES,
    MAX_RATIO,
    RATIO_FREE_BYTES,
    max_file_bytes,
    max_rows,
    raise_it,
)
from quantcrafter.engine.data.providers.archives import PIECE, is_packed, unpacked
from quantcrafter.engine.data.providers.encodings import Encoding, as_utf8

_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bzip2", b"PK\x03\x04": "zip", b"\xfd7zXZ": "xz"}
_MEGABYTE = 1e6
_BLANK = b' ,;\t|\r\n"'
_QUOTE_STARTS = frozenset(b',;\t|\n\r "')
_WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".ods", ".numbers")
_SUFFIXES = (".bz2", ".zst", ".xz", ".7z", ".lz4", ".rar", ".tar")


def open_data(path: Path, subject: str) -> BinaryIO:
    """Open a data file.

    Raises:
        DataError: it cannot be opened, or is not a regular file.
    """
    try:
        return open_regular(path)
    except OSError as error:
        raise unread(error, subject) from error


def unread(error: Exception, subject: str) -> DataError:
    """Return the error for a file that cannot be read."""
    cause, remedy = fault(error, "read", otherwise=Message("Get the file again."))
    return DataError(
        Message("{subject}: the file can't be read: {cause}. {remedy}", subject=subject, cause=cause, remedy=remedy),
        field="path",
    )


class Wrapping(NamedTuple):
    """What the user says of a file's encoding, and which file of an archive is meant."""

    encoding: Encoding = "auto"
    member: str | None = None


_PLAIN = Wrapping()


def read_head(path: Path, subject: str, size: int, wrapping: Wrapping = _PLAIN) -> bytes:
    """Return the first bytes of a file, unpacked and in UTF-8.

    Raises:
        DataError: it cannot be read.
    """
    parts: list[bytes] = []
    with open_data(path, subject) as file:
        for piece in _pieces(file, path, subject, wrapping):
            parts.append(piece)
            size -= len(piece)
            if size <= 0:
                break
    head = b"".join(parts)
    return head[: len(head) + size] if size < 0 else head


def read_whole(path: Path, subject: str, wrapping: Wrapping = _PLAIN) -> bytes:
    """Return a file's bytes, unpacked and in UTF-8.

    Raises:
        DataError: it cannot be read, or breaks a limit; the message says which.
    """
    with open_data(path, subject) as file:
        count = _Check(subject, _size(file) if is_packed(path) else 0)
        if not is_packed(path) and _size(file) > max_file_bytes():
            sparse = _zeros_at(file)
            raise _binary(subject, sparse) if sparse is not None else too_large(subject, _size(file))
        for piece in _pieces(file, path, subject, wrapping):
            count.take(piece)
        file.seek(0)
        whole = io.BytesIO()  # hands its bytes out without a copy, unlike joining
        for piece in _pieces(file, path, subject, wrapping):
            whole.write(piece[: count.size - whole.tell()])
        return whole.getvalue()


class _Check:
    """Counts what goes by, and refuses what breaks a limit.

    Args:
        subject: what the message begins with.
        packed: the size of the packed file; 0 where it is not packed.
    """

    def __init__(self, subject: str, packed: int) -> None:
        self.subject = subject
        self.size = self.lines = 0
        self._packed = packed
        self._line = 0  # bytes since the last line's end
        self._in_quotes = False
        self._quoted = 0  # bytes since the last quote, while a quoted cell is open
        self._equal: bytes | None = None
        self._equals = 0
        self._limits = max_file_bytes(), max_rows()

    def take(self, piece: bytes) -> None:
        """Count one piece."""
        zero = piece.find(b"\x00")
        if zero >= 0:
            raise _binary(self.subject, self.size + zero)
        self.size += len(piece)
        breaks = piece.count(b"\n") or piece.count(b"\r")
        self.lines += breaks
        self._check_sizes()
        self._check_line(piece, breaks)
        self._check_quotes(piece)
        self._check_equal(piece, breaks)

    def _check_sizes(self) -> None:
        most_bytes, most_lines = self._limits
        if self._packed and self.size > RATIO_FREE_BYTES and self.size > MAX_RATIO * self._packed:
            raise DataError(
                Message(
                    "{subject}: the file unpacks to more than {max_ratio} times its size of {packed:,} bytes, "
                    "which no table of bars does. Unpack it yourself and check its contents.",
                    subject=self.subject,
                    max_ratio=MAX_RATIO,
                    packed=self._packed,
                ),
                field="path",
            )
        if self.size > most_bytes:
            raise too_large(self.subject)
        if self.lines > most_lines + 1:
            raise too_many_rows(self.subject)

    def _check_line(self, piece: bytes, breaks: int) -> None:
        last = max(piece.rfind(b"\n"), piece.rfind(b"\r"))
        first = len(piece) if not breaks else min(i for sign in b"\n\r" if (i := piece.find(sign)) >= 0)
        self._line += first
        longest = self._line
        if breaks:
            self._line = len(piece) - last - 1
        if longest > MAX_LINE_BYTES:
            number = self.lines - breaks + 1
            raise DataError(
                Message(
                    "{subject}: line {number:,} is longer than {max_line_bytes:,} bytes, so the file is not a "
                    "table of bars. Give a text file with one bar a line.",
                    subject=self.subject,
                    number=number,
                    max_line_bytes=MAX_LINE_BYTES,
                ),
                field="path",
            )

    def _check_quotes(self, piece: bytes) -> None:
        if b'"' not in piece:
            self._quoted += len(piece) if self._in_quotes else 0
            if self._quoted > MAX_LINE_BYTES:
                raise DataError(
                    Message(
                        "{subject}: a quoted cell before line {lines:,} is longer than "
                        "{max_line_bytes:,} bytes: its quote is not closed. Correct the file.",
                        subject=self.subject,
                        lines=self.lines + 1,
                        max_line_bytes=MAX_LINE_BYTES,
                    ),
                    field="path",
                )
            return
        if piece.count(b'"') % 2:
            self._in_quotes = not self._in_quotes
        last = piece.rfind(b'"')
        if last > 0 and piece[last - 1] not in _QUOTE_STARTS:  # a quote within a cell opens none
            self._in_quotes = False
        self._quoted = len(piece) - last if self._in_quotes else 0

    def _check_equal(self, piece: bytes, breaks: int) -> None:
        """Count how often one line stands in a row; whole pieces of it are told by one comparison."""
        start = piece.find(b"\n") + 1
        end = piece.find(b"\n", start) + 1
        line = piece[start:end] if start and end else None
        count = piece.count(line) if line and breaks * len(line) >= len(piece) - 2 * len(line) else 0
        if not line or count < breaks - 1:
            self._equal, self._equals = None, 0
            return
        self._equals = self._equals + count if line == self._equal else count
        self._equal = line
        blank = not line.strip(_BLANK)
        most = min(MAX_BLANK_LINES, MAX_BLANK_BYTES // len(line)) if blank else MAX_EQUAL_LINES
        if self._equals > most:
            raise DataError(
                Message(
                    "{subject}: the same line is repeated more than {most:,} times in a row, up to line "
                    "{lines:,}. Each bar must have a time of its own. Correct the file.",
                    subject=self.subject,
                    most=most,
                    lines=self.lines,
                ),
                field="path",
            )


def _pieces(file: BinaryIO, path: Path, subject: str, wrapping: Wrapping) -> Iterator[bytes]:
    name = path.name.lower()
    if name.endswith(_WORKBOOKS):
        raise DataError(
            Message("{subject}: a workbook is not a text file. Save its sheet as CSV.", subject=subject), field="path"
        )
    if name.endswith(_SUFFIXES):
        raise DataError(
            Message(
                "{subject}: files ending in '{suffix}' are not unpacked; .gz and .zip are. Unpack it first.",
                subject=subject,
                suffix=path.suffix,
            ),
            field="path",
        )
    try:
        packed = is_packed(path)
        raw = unpacked(file, path, subject, wrapping.member) if packed else iter(lambda: file.read(PIECE), b"")
        yield from as_utf8(_checked(raw, subject, packed=packed), wrapping.encoding)
    except OSError as error:
        raise unread(error, subject) from error


def _checked(pieces: Iterator[bytes], subject: str, *, packed: bool) -> Iterator[bytes]:
    for number, piece in enumerate(pieces):
        if number == 0:
            _refuse_archive(piece, subject, packed=packed)
        yield piece


def _refuse_archive(piece: bytes, subject: str, *, packed: bool) -> None:
    kind = next((name for magic, name in _MAGIC.items() if piece.startswith(magic)), None)
    if kind is not None:
        if packed:
            raise DataError(
                Message("{subject}: the file is an archive within an archive. Unpack it first.", subject=subject),
                field="path",
            )
        raise DataError(
            Message(
                "{subject}: the file is compressed with {kind}, but its name doesn't end so. Unpack it first.",
                subject=subject,
                kind=kind,
            ),
            field="path",
        )


def _size(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size


def _zeros_at(file: BinaryIO) -> int | None:
    """Return where the zeros of a sparse file begin, None where its first and last megabyte have none."""
    for start in (0, max(0, _size(file) - PIECE)):
        file.seek(start)
        place = file.read(PIECE).find(b"\x00")
        if place >= 0:
            return start + place
    return None


def _binary(subject: str, place: int) -> DataError:
    return DataError(
        Message(
            "{subject}: the file is not UTF-8 text: byte {place:,} is zero. Save it as CSV in UTF-8.",
            subject=subject,
            place=place + 1,
        ),
        field="path",
    )


def too_large(subject: str, size: int = 0) -> DataError:
    """Return the error for a file that is larger than the limit, unpacked."""
    most = max_file_bytes() / _MEGABYTE
    found = Message("{size:,.0f} MB", size=size / _MEGABYTE) if size else Message("more")
    return DataError(
        Message(
            "{subject}: a file can have at most {most:,.0f} MB, unpacked; this one has {found}. {raise_it}",
            subject=subject,
            most=most,
            found=found,
            raise_it=raise_it(),
        ),
        field="path",
    )


def too_many_rows(subject: str, count: int = 0) -> DataError:
    """Return the error for a file with more rows than the limit."""
    found = f"{count:,}" if count else Message("more")
    message = Message(
        "{subject}: a file can have at most {max_rows:,} rows; this one has {found}. {raise_it}",
        subject=subject,
        max_rows=max_rows(),
        found=found,
        raise_it=raise_it(),
    )
    return DataError(message, field="path")
