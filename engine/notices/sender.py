"""Sends one message by apprise, and says why it could not be sent without showing the address."""

from __future__ import annotations

import importlib.util
import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.notices.channel_spec import ChannelSpec
from quantcrafter.engine.notices.notice import NoticeSeverity

if TYPE_CHECKING:
    import apprise

MASK = "***"
_SHORTEST_SECRET = 4
_MOST_REASON = 300


class Sender(Protocol):
    """Sends messages to one place."""

    def send(self, title: str, body: str, severity: NoticeSeverity) -> None:
        """Send one message.

        Raises:
            RunError: it was not accepted; the error shows no part of the address.
        """
        ...


class AppriseSender:
    """Sends to an address of apprise.

    Args:
        spec: the channel.

    Raises:
        RunError: apprise is not installed, or can't use the address.
    """

    def __init__(self, spec: ChannelSpec) -> None:
        if importlib.util.find_spec("apprise") is None:
            raise RunError(Message('Notices need apprise. Run: pip install "quantcrafter[notices]"'))
        import apprise

        self._hidden = parts_of(spec.address)
        with _heard():  # what apprise logs of an address that it can't use has the address in it
            service = apprise.Apprise.instantiate(spec.address, suppress_exceptions=True)
        if service is None:
            raise RunError(
                Message(
                    "The channel '{name}' has an address that apprise can't use ({scheme}). Correct it: see its "
                    "list of services.",
                    name=spec.name,
                    scheme=_scheme(spec.address),
                )
            )
        self._service = service

    def send(self, title: str, body: str, severity: NoticeSeverity) -> None:
        """Send one message, and wait for the answer; see `Sender`."""
        with _heard() as reasons:
            try:
                is_sent = self._service.notify(body=body, title=title, notify_type=_type_of(severity))
            except Exception as error:  # noqa: BLE001 - of a service: whatever it is, it is a failed delivery
                is_sent = False
                reasons.append(f"{type(error).__name__}: {error}")
        if not is_sent:
            raise RunError(Message("{reason}", reason=self._shown(" ".join(reasons) or "the service refused it")))

    def _shown(self, text: str) -> str:
        for each in self._hidden:
            text = text.replace(each, MASK)
        return text[:_MOST_REASON]


def _type_of(severity: NoticeSeverity) -> apprise.NotifyType:
    from apprise import NotifyType

    types = {
        NoticeSeverity.INFO: NotifyType.INFO,
        NoticeSeverity.WARNING: NotifyType.WARNING,
        NoticeSeverity.ALARM: NotifyType.FAILURE,
    }
    return types[severity]


def parts_of(address: str) -> tuple[str, ...]:
    """Return what of an address must not be shown: the whole and each of its parts, the longest first."""
    rest = address.partition("://")[2]
    parts = {part for text in (rest, unquote(rest)) for part in re.split(r"[/:@?&=,;]+", text)}
    found = {address, rest, *(each for each in parts if len(each) >= _SHORTEST_SECRET)}
    return tuple(sorted(filter(None, found), key=len, reverse=True))


def _scheme(address: str) -> str:
    """Return the scheme of an address; of a text without one nothing, as it may be a secret."""
    scheme, between, _ = address.partition("://")
    return f"{scheme}://" if between and scheme.isalnum() and len(scheme) < 20 else MASK  # noqa: PLR2004 - long ones


class _Listener(logging.Handler):
    """Collects what apprise logs, for the thread that asked."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.by_thread: dict[int, list[str]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        heard = self.by_thread.get(threading.get_ident())
        if heard is not None:
            heard.append(record.getMessage())


_LISTENER = _Listener()


@contextmanager
def _heard() -> Iterator[list[str]]:
    """Collect what apprise logs as warnings in this thread; nothing of it goes anywhere else."""
    theirs = logging.getLogger("apprise")
    if _LISTENER not in theirs.handlers:
        theirs.addHandler(_LISTENER)
        theirs.propagate = False
    reasons = _LISTENER.by_thread[threading.get_ident()] = []
    try:
        yield reasons
    finally:
        del _LISTENER.by_thread[threading.get_ident()]
