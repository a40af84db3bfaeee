"""NoticeOutlet: all channels, the heartbeat and the summary of the day, as an orchestrator has them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from quantcrafter.engine.api.message import Message
from quantcrafter.engine.config.settings import NoticeSettings
from quantcrafter.engine.notices.channel import Channel
from quantcrafter.engine.notices.channel_spec import channels_of, secret_of
from quantcrafter.engine.notices.daily import Daily
from quantcrafter.engine.notices.heartbeat import Heartbeat
from quantcrafter.engine.notices.notice import NoticeSeverity, OperatorNotice
from quantcrafter.engine.notices.sender import AppriseSender

HEARTBEAT = "heartbeat"
"""The file that is written every minute, in the folder of the orchestrator."""
SUMMARY = "daily summary"
TEST = "test"
_CLOSE_S = 5.0


class NoticeOutlet:
    """Sends notices through channels. No method waits for a channel, apart from `close`.

    Args:
        channels: where notices go.
        heartbeat: beats while `turned` is called.
        daily: sends the summary of the day; None for none.
    """

    def __init__(self, channels: Sequence[Channel], heartbeat: Heartbeat, daily: Daily | None = None) -> None:
        self._channels, self._heartbeat, self._daily = channels, heartbeat, daily

    def start(self) -> None:
        """Begin to send."""
        for each in self._channels:
            each.start()
        self._heartbeat.start()
        if self._daily is not None:
            self._daily.start()

    def tell(self, notice: OperatorNotice, count: int = 1) -> None:
        """Have a notice sent that came so often. Can be called in any thread."""
        for each in self._channels:
            each.put(notice, count)

    def turned(self) -> None:
        """Note that the main loop turns."""
        self._heartbeat.turned()

    def status(self) -> dict[str, Any]:
        """Return what became of the notices of each channel, and the heartbeat, as plain values without addresses."""
        return {
            "channels": {each.name: each.status() for each in self._channels},
            "heartbeat": self._heartbeat.status(),
        }

    def close(self) -> None:
        """Send what waits once more, for a few seconds at most, and end."""
        if self._daily is not None:
            self._daily.close()
        self._heartbeat.close()
        until = time.monotonic() + _CLOSE_S
        for each in self._channels:
            each.close(0.0)
        for each in self._channels:
            each.close(max(0.0, until - time.monotonic()))


def outlet_of(settings: NoticeSettings, folder: Path, summary: Callable[[], Iterable[str]]) -> NoticeOutlet:
    """Return the outlet of a configuration; it is not started.

    Args:
        settings: the configuration.
        folder: where the file of the heartbeat is written.
        summary: gives the lines of the summary of the day.

    Raises:
        RunError: a channel is not as it must be, apprise can't use its address or is not installed, or there is no such
            secret.
    """
    channels = [
        Channel(
            each.name,
            each.least,
            AppriseSender(each),
            per_minute=settings.per_minute,
            repeat_s=settings.repeat_s,
        )
        for each in channels_of(settings.channels)
    ]
    address = secret_of(settings.heartbeat_url, "notices.heartbeat_url")

    def send() -> None:
        notice = OperatorNotice(SUMMARY, NoticeSeverity.INFO, "\n".join(summary()))
        for each in channels:
            each.put(notice)

    daily = Daily(settings.daily_summary, settings.timezone, send) if settings.daily_summary else None
    return NoticeOutlet(channels, Heartbeat(folder / HEARTBEAT, address), daily)


def try_channels(settings: NoticeSettings) -> dict[str, str]:
    """Send one message through each channel, and return by name why it was not sent, '' if it was.

    Raises:
        RunError: see `outlet_of`.
    """
    from quantcrafter.engine.api import RunError

    found = {}
    for each in channels_of(settings.channels):
        try:
            AppriseSender(each).send(f"QuantCrafter: {TEST}", Message("This is a test of the notices."), each.least)
        except RunError as error:
            found[each.name] = str(error)
        else:
            found[each.name] = ""
    return found


class WarningsAsNotices(logging.Handler):
    """Sends what the orchestrator logs as warnings and errors; what is logged of channels is not sent."""

    def __init__(self, outlet: NoticeOutlet) -> None:
        super().__init__(logging.WARNING)
        self._outlet = outlet

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith("quantcrafter.notices"):
            return
        severity = NoticeSeverity.ALARM if record.levelno >= logging.ERROR else NoticeSeverity.WARNING
        self._outlet.tell(OperatorNotice("orchestrator", severity, record.getMessage()))
