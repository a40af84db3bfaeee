"""LineStream: a text stream that passes on what is written to it line by line."""

from __future__ import annotations

import io
from collections.abc import Callable

MOST_LINE = 4_000
"""Maximum length of a line before it is passed on."""


class LineStream(io.TextIOWrapper):
    """A text stream, with bytes below it as usual, that passes its lines to a function.

    Args:
        take: called with each line, without its end.
    """

    def __init__(self, take: Callable[[str], None]) -> None:
        self._lines = _Lines(take)
        super().__init__(self._lines, encoding="utf-8", errors="replace", newline="\n", write_through=True)

    def end_line(self) -> None:
        """Pass on a line that has no end yet."""
        self._lines.end_line()

    def close(self) -> None:
        """Stay open: third-party code may close what it prints to."""

    def isatty(self) -> bool:
        """Return False: it is not a terminal."""
        return False


class _Lines(io.BufferedIOBase):
    def __init__(self, take: Callable[[str], None]) -> None:
        super().__init__()
        self._take = take
        self._rest = b""

    name = "<output of a plugin>"

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        content = bytes(data)  # type: ignore[call-overload]  # anything with a buffer
        *lines, self._rest = (self._rest + content).split(b"\n")
        for line in lines:
            self._pass(line)
        if len(self._rest) > MOST_LINE:
            self._end_line()
        return len(content)

    def flush(self) -> None:
        """Keep a line that has not ended."""

    def end_line(self) -> None:
        """Pass on an incomplete line."""
        if self._rest:
            self._end_line()

    def close(self) -> None:
        """Stay open."""

    def _end_line(self) -> None:
        rest, self._rest = self._rest, b""
        self._pass(rest)

    def _pass(self, line: bytes) -> None:
        self._take(line.decode("utf-8", "replace").rstrip("\r"))
