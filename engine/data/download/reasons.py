"""What servers say beside the bars: their clock, how long to wait, and why a request failed, in few words."""

from __future__ import annotations

import re

from quantcrafter.engine.api.message import Message

_LONGEST = 160
_CURL = re.compile(r"curl: \(\d+\) (.*?)\.? See https", re.DOTALL)
_CLOSED = ("RemoteDisconnected", "IncompleteRead", "ProtocolError", "ChunkedEncodingError", "ConnectionResetError")


def moment_of(text: str) -> int | None:
    """Return the time of an HTTP header `Date` in UTC ns, None if there is none."""
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return round(moment.timestamp()) * 1_000_000_000


def seconds_of(text: str) -> float:
    """Return the seconds that a header `Retry-After` asks to wait, 0 if it doesn't say."""
    return float(text) if text.strip().isdigit() else 0.0


def one_line(text: str) -> str:
    """Return a text of others in one line without a full stop, shortened if it is long."""
    line = " ".join(text.split()).rstrip(".")
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 3]}..."


def reason_of_request(error: BaseException) -> str:
    """Return why a request failed: what the system says, else the status of the answer, else what the error says."""
    chain = [error]
    while (following := chain[-1].__cause__ or chain[-1].__context__) is not None and following not in chain:
        chain.append(following)
    for each in reversed(chain):
        if isinstance(each, OSError) and each.strerror and type(each).__name__ not in _CLOSED:
            return one_line(str(each.strerror))
    if any(type(each).__name__ in _CLOSED for each in chain):
        return Message("the connection was closed")
    if any("timeout" in type(each).__name__.lower() for each in chain):
        return Message("it didn't answer in time")
    for each in chain:
        status = getattr(getattr(each, "response", None), "status_code", None)
        if status:
            return Message("it answered with status {status}", status=str(status))
    of_curl = _CURL.search(str(error))
    return one_line(of_curl[1] if of_curl else str(error))
