"""What servers say beside the bars: their clock, how long to wait, and why a request failed, in few words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from quantcrafter.engine.api.message import Message

_LONGEST = 160
_SERVER_FAULT = 500
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
    chain = _chain(error)
    for each in reversed(chain):
        if isinstance(each, OSError) and each.strerror and type(each).__name__ not in _CLOSED:
            return one_line(str(each.strerror))
    if any(type(each).__name__ in _CLOSED for each in chain):
        return Message("the connection was closed")
    if any("timeout" in type(each).__name__.lower() for each in chain):
        return Message("it didn't answer in time")
    if status := _status(chain):
        return Message("it answered with status {status}", status=str(status))
    of_curl = _CURL.search(str(error))
    return one_line(of_curl[1] if of_curl else str(error))


def is_fault_of_server(error: BaseException) -> bool:
    """Return whether a request failed as the server has a fault, which may pass: its status is 500 or more."""
    return _status(_chain(error)) >= _SERVER_FAULT


def _status(chain: Sequence[BaseException]) -> int:
    """Return the status of the answer that errors tell of, 0 if they don't."""
    found = (getattr(getattr(each, "response", None), "status_code", None) for each in chain)
    return next((int(status) for status in found if status), 0)


def _chain(error: BaseException) -> list[BaseException]:
    """Return an error and those that it was raised from."""
    chain = [error]
    while (following := chain[-1].__cause__ or chain[-1].__context__) is not None and following not in chain:
        chain.append(following)
    return chain
