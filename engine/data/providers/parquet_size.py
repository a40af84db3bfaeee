"""How large a Parquet file would be in memory, from its own description, before any of it is read.

A Parquet file ends with its description, the length of that in four bytes, and `PAR1`. The description is written in
Thrift's compact protocol; only the few numbers that count are taken from it. Source: parquet-format's parquet.thrift
(FileMetaData, RowGroup) and Thrift's compact protocol specification.
"""

from __future__ import annotations

import os
from typing import Any, BinaryIO, NamedTuple

from quantcrafter.engine.api import DataError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.data.limits import MAX_COLUMNS, MAX_FOOTER_BYTES, max_file_bytes, max_rows
from quantcrafter.engine.data.providers.text_file import too_large, too_many_rows

_MAGIC = b"PAR1"
_TAIL = 8
_DEEPEST = 16
_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT, _UUID = 1, 2, 3, 7, 8, 9, 10, 11, 12, 13
_SCHEMA, _ROWS, _GROUPS, _GROUP_BYTES = 2, 3, 4, 2  # the numbers of the fields
_MEGABYTE = 1e6


class ParquetSize(NamedTuple):
    """What a file says of itself: rows, columns, and bytes of its pages unpacked."""

    rows: int
    columns: int
    unpacked: int


def check_size(file: BinaryIO, subject: str) -> None:
    """Refuse a file that is none, or would take too much memory.

    Raises:
        DataError: it is no Parquet file, or breaks a limit; the message says which.
    """
    size = read_size(file, subject)
    if size.rows > max_rows():
        raise too_many_rows(subject, size.rows)
    if size.columns > MAX_COLUMNS:
        raise DataError(
            Message(
                "{subject}: a table can have at most {max_columns:,} columns, this one has {columns:,}. Keep "
                "those of times, prices and volume.",
                subject=subject,
                max_columns=MAX_COLUMNS,
                columns=size.columns,
            ),
            field="path",
        )
    if size.unpacked > max_file_bytes():
        raise too_large(subject, size.unpacked)


def read_size(file: BinaryIO, subject: str) -> ParquetSize:
    """Return what a Parquet file says of its own size.

    Raises:
        DataError: it is no Parquet file.
    """
    length = os.fstat(file.fileno()).st_size
    file.seek(max(0, length - _TAIL))
    tail = file.read(_TAIL)
    footer = int.from_bytes(tail[:4], "little")
    if length < _TAIL + len(_MAGIC) or tail[4:] != _MAGIC or footer > length - _TAIL:
        raise _no_parquet(subject)
    if footer > MAX_FOOTER_BYTES:
        raise DataError(
            Message(
                "{subject}: the file's metadata can have at most {max_footer_bytes} MB, it has {footer:,.0f} MB. "
                "Write it again, with fewer columns and larger row groups.",
                subject=subject,
                max_footer_bytes=MAX_FOOTER_BYTES >> 20,
                footer=footer / _MEGABYTE,
            ),
            field="path",
        )
    file.seek(length - _TAIL - footer)
    try:
        fields = _Compact(file.read(footer)).struct({_SCHEMA: None, _ROWS: None, _GROUPS: {_GROUP_BYTES: None}})
        groups = fields[_GROUPS]
        return ParquetSize(fields[_ROWS], len(fields[_SCHEMA]), sum(max(0, group[_GROUP_BYTES]) for group in groups))
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise _no_parquet(subject) from error
    finally:
        file.seek(0)


def _no_parquet(subject: str) -> DataError:
    return DataError(
        Message("{subject}: the file is not a readable Parquet file. Write it again.", subject=subject),
        field="path",
    )


Wanted = dict[int, Any]


class _Compact:
    """Reads Thrift's compact protocol; what is not wanted is ignored."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def struct(self, wanted: Wanted | None, depth: int = 0) -> dict[int, Any]:
        """Return the wanted fields of the structure here: numbers, and lists."""
        if depth > _DEEPEST:
            raise ValueError
        found: dict[int, Any] = {}
        number = 0
        while head := self._byte():
            step, kind = head >> 4, head & 15
            number = number + step if step else self._zigzag()
            if kind in (_TRUE, _FALSE):
                continue
            value = self._value(kind, (wanted or {}).get(number), depth)
            if wanted is not None and number in wanted:
                found[number] = value
        return found

    def _value(self, kind: int, wanted: Wanted | None, depth: int) -> Any:
        if kind in (_TRUE, _FALSE, _BYTE):  # in a list a truth value is a byte
            return self._byte()
        if kind < _DOUBLE:
            return self._zigzag()
        if kind in (_DOUBLE, _BINARY, _UUID):
            self._skip({_DOUBLE: 8, _UUID: 16}.get(kind) or self._varint())
            return None
        if kind in (_LIST, _SET):
            return self._list(wanted, depth)
        if kind == _STRUCT:
            return self.struct(wanted, depth + 1)
        raise ValueError  # nothing in a Parquet file's description is a map

    def _list(self, wanted: Wanted | None, depth: int) -> list[Any]:
        if depth > _DEEPEST:
            raise ValueError
        head = self._byte()
        count = self._varint() if head >> 4 == 15 else head >> 4  # noqa: PLR2004 - longer lists say so
        if count > len(self._data):
            raise ValueError
        return [self._value(head & 15, wanted, depth + 1) for _ in range(count)]

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _skip(self, count: int) -> None:
        self._at += count

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:  # noqa: PLR2004 - the highest bit says that more follows
                return value
            if shift > 63:  # noqa: PLR2004 - 64 bits
                raise ValueError

    def _zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
