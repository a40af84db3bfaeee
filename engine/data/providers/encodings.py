"""The encoding of a text file: detected by its byte order mark or its bytes, and converted to UTF-8 piece by piece."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Literal

from quantcrafter.engine.data.providers.column_names import known_words

Encoding = Literal[
    "auto", "utf-8", "utf-16", "cp1252", "cp1250", "cp1251", "cp1254", "gb18030", "big5", "shift_jis", "cp949"
]

HEAD_BYTES = 65_536
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_OTHERS = ("cp932", "cp949", "cp950", "cp1251", "cp1250", "cp1254", "koi8_r", "mac_roman")
"""Encodings that are taken where the header has known words in them, and none as it would be read otherwise."""

_HEADER_LINES = 30
_CHINESE = re.compile(rb"(?:[\x00-\x7f]|[\xa1-\xf7][\xa1-\xfe])*[\xa1-\xf7]?")
_MANY = 0.7


def encoding_of(head: bytes, given: Encoding = "auto") -> str:
    """Return the encoding of a file with this beginning: `given`, or as detected from its mark or its bytes.

    Text that is no UTF-8 is taken for Chinese (GB 18030) where its bytes beyond ASCII come in pairs as there, else for
    Western European (Windows-1252), as spreadsheets write it; for another encoding where its header has more names of
    columns in that one. UTF-16 without a mark is taken in the order in which more of its signs are ASCII, else as
    Windows writes it.
    """
    if given == "utf-16" and not head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16-be" if head[::2].count(0) > head[1::2].count(0) else "utf-16-le"
    if given != "auto":
        return given
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    pairs = len(head) // 2
    if pairs:
        for start, name in ((1, "utf-16-le"), (0, "utf-16-be")):
            zeros = head[start : 2 * pairs : 2].count(0)
            if zeros > _MANY * pairs and head[1 - start : 2 * pairs : 2].count(0) < (1 - _MANY) * pairs:
                return name
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return _by_header(head, "gb18030" if _CHINESE.fullmatch(head) else "cp1252")
    return "utf-8"


def _by_header(head: bytes, usual: str) -> str:
    """Return the encoding in which the most columns of the header are known by name: the usual one if none has more."""
    best, most = usual, _known(head, usual)
    for name in _OTHERS:
        if (found := _known(head, name)) > most:
            best, most = name, found
    return best


def _known(head: bytes, encoding: str) -> int:
    lines = head.decode(encoding, errors="replace").splitlines()[:_HEADER_LINES]
    return max((known_words(re.split(r'[",;\t|]+', line)) for line in lines), default=0)


def as_utf8(pieces: Iterator[bytes], given: Encoding = "auto") -> Iterator[bytes]:
    """Yield a text's pieces in UTF-8; line ends of carriage returns alone become line feeds."""
    waiting: list[bytes] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= HEAD_BYTES:
            break
    head = b"".join(waiting)
    name = encoding_of(head[:HEAD_BYTES], given)
    decoder = None if name == "utf-8" else codecs.getincrementaldecoder(name)(errors="replace")

    def text(piece: bytes, *, final: bool = False) -> bytes:
        return piece if decoder is None else decoder.decode(piece, final).encode("utf-8", errors="replace")

    first = text(head)
    only_returns = b"\n" not in first[:HEAD_BYTES] and b"\r" in first
    if first:
        yield _lines(first, only_returns=only_returns)
    for piece in pieces:
        yield _lines(text(piece), only_returns=only_returns)
    if decoder is not None and (rest := text(b"", final=True)):
        yield _lines(rest, only_returns=only_returns)


def _lines(piece: bytes, *, only_returns: bool) -> bytes:
    return piece.replace(b"\r", b"\n") if only_returns else piece
