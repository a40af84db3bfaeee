"""Notices through apprise to a server on this computer: counted, limited, tried again, and never with the address."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from io import StringIO
from pathlib import Path

import pytest

from quantcrafter.engine.api import RunError
from quantcrafter.engine.config.settings import NoticeSettings
from quantcrafter.engine.notices import channel as channel_module
from quantcrafter.engine.notices.channel import MOST_WAITING, Channel
from quantcrafter.engine.notices.channel_spec import channels_of
from quantcrafter.engine.notices.daily import Daily, next_due
from quantcrafter.engine.notices.heartbeat import Heartbeat
from quantcrafter.engine.notices.notice import NoticeSeverity, OperatorNotice
from quantcrafter.engine.notices.outlet import NoticeOutlet, WarningsAsNotices, outlet_of, try_channels
from quantcrafter.engine.notices.sender import AppriseSender
from tests.support.notice_server import NoticeServer, notice_server
from tests.support.supervised import wait_until

SECRET = "hushhush-4711"  # noqa: S105 - it opens nothing


@pytest.fixture
def server() -> Iterator[NoticeServer]:
    with notice_server() as found:
        yield found


@contextmanager
def channel(
    server: NoticeServer, least: str = "info", per_minute: int = 10, repeat_s: float = 600.0
) -> Iterator[Channel]:
    spec = channels_of([f"phone {least} {server.address(SECRET)}"])[0]
    made = Channel(spec.name, spec.least, AppriseSender(spec), per_minute=per_minute, repeat_s=repeat_s)
    try:
        yield made
    finally:
        made.close(5.0)


def alarm(text: str) -> OperatorNotice:
    return OperatorNotice("w1", NoticeSeverity.ALARM, text)


def info(text: str) -> OperatorNotice:
    return OperatorNotice("w1", NoticeSeverity.INFO, text)


def test_what_waits_is_one_message_the_most_severe_first_and_the_same_notice_is_counted(server: NoticeServer) -> None:
    with channel(server) as phone:
        phone.put(info("A bar came twice."))
        for _ in range(3):
            phone.put(alarm("The broker is lost."))
        phone.start()
        wait_until(lambda: server.came)
    assert len(server.came) == 1
    assert server.came[0]["title"] == "QuantCrafter: alarm"
    assert server.came[0]["type"] == "failure"
    assert phone.status()["sent"] == 2
    assert server.came[0]["message"] == "w1: The broker is lost. (3 times)\nw1: A bar came twice."


def test_a_channel_sends_what_is_as_severe_as_it_is_told(server: NoticeServer) -> None:
    with channel(server, least="warning") as phone:
        phone.put(info("no"))
        phone.put(OperatorNotice("w1", NoticeSeverity.WARNING, "yes"))
        phone.start()
        wait_until(lambda: server.came)
        assert phone.status()["waiting"] == 0
    assert server.text() == "w1: yes"


def test_a_notice_that_was_sent_lately_waits_and_is_counted(server: NoticeServer) -> None:
    with channel(server, repeat_s=0.4) as phone:
        phone.start()
        phone.put(alarm("again"))
        wait_until(lambda: server.came)
        began = time.monotonic()
        for _ in range(5):
            phone.put(alarm("again"))
        wait_until(lambda: len(server.came) == 2)
        assert time.monotonic() - began > 0.2
    assert [each["message"] for each in server.came] == ["w1: again", "w1: again (5 times)"]


def test_no_more_messages_a_minute_are_sent_than_allowed(server: NoticeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel_module, "_MINUTE_S", 0.5)
    with channel(server, per_minute=2) as phone:
        phone.start()
        began, came = time.monotonic(), []
        for number in range(3):
            phone.put(info(f"number {number}"))
            wait_until(partial(_came, server, number + 1))
            came.append(time.monotonic() - began)
    assert came[2] >= 0.4
    assert "number 2" in server.text()


def test_an_alarm_does_not_wait_for_the_limit_of_other_messages(server: NoticeServer) -> None:
    with channel(server, per_minute=1) as phone:
        phone.start()
        phone.put(info("one"))
        wait_until(lambda: server.came)
        phone.put(info("two"))
        phone.put(alarm("now"))
        wait_until(lambda: len(server.came) == 2)
    assert server.came[1]["message"].splitlines()[0] == "w1: now"


def test_a_dead_channel_keeps_its_notices_tells_of_it_once_and_delivers_them_when_it_is_back(
    server: NoticeServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(channel_module, "_FIRST_PAUSE_S", 0.05)
    server.status = 500
    with caplog.at_level(logging.INFO), channel(server) as phone:
        phone.start()
        phone.put(alarm("first"))
        wait_until(lambda: phone.status()["failures"] >= 2)
        phone.put(alarm("second"))
        phone.put(alarm("first"))
        status = phone.status()
        assert status["state"] == "failing"
        assert "500" in status["error"]
        assert status["waiting"] == 2
        server.status = 200
        wait_until(lambda: phone.status()["state"] == "ok" and not phone.status()["waiting"])
    assert sorted(server.text().splitlines()) == ["w1: first (2 times)", "w1: second"]
    told = [each.getMessage() for each in caplog.records if each.name == "quantcrafter.notices"]
    assert [each.partition(":")[0] for each in told] == [
        "The channel 'phone' can't send notices, which wait",
        "The channel 'phone' works again.",
    ]
    assert SECRET not in caplog.text + str(status)


def test_putting_never_waits_for_a_channel_that_hangs_and_other_channels_go_on(server: NoticeServer) -> None:
    server.answers.clear()
    with notice_server() as good, ExitStack() as stack, channel(good) as other:
        slow = stack.enter_context(channel(server))
        outlet = NoticeOutlet([slow, other], Heartbeat(Path("unused")))
        slow.start()
        other.start()
        began = time.monotonic()
        for number in range(2_000):
            outlet.tell(info(f"number {number}"))
        outlet.tell(alarm("The broker is lost."))
        assert time.monotonic() - began < 1.0
        wait_until(lambda: "The broker is lost." in good.text())
        assert slow.status()["sent"] == 0
        server.answers.set()


def test_of_too_many_notices_the_least_severe_are_left_out_and_their_number_is_told(server: NoticeServer) -> None:
    with channel(server) as phone:
        phone.put(alarm("The broker is lost."))
        for number in range(MOST_WAITING + 50):
            phone.put(info(f"number {number}"))
        assert phone.status()["waiting"] == MOST_WAITING
        assert phone.status()["left_out"] == 51
        phone.start()
        wait_until(lambda: server.came)
    first = server.came[0]["message"].splitlines()
    assert first[0] == "w1: The broker is lost."
    assert first[-1] == "51 more notices were left out: too many waited."
    assert f"number {MOST_WAITING + 49}" in server.text()
    assert "number 49" not in server.text()
    assert all(len(each["message"]) < 3_500 for each in server.came)


def test_closing_sends_what_waits_and_does_not_hang_on_a_dead_channel(server: NoticeServer) -> None:
    server.answers.clear()
    with notice_server() as good:
        both = NoticeOutlet(
            [
                Channel("dead", NoticeSeverity.INFO, _sender(server)),
                Channel("good", NoticeSeverity.INFO, _sender(good)),
            ],
            Heartbeat(Path("unused-heartbeat-never-started")),
        )
        for each in both._channels:
            each.start()
        both.tell(info("the last"))
        began = time.monotonic()
        both.close()
        assert time.monotonic() - began < 8.0
        assert good.text() == "w1: the last"
    server.answers.set()


def _came(server: NoticeServer, count: int) -> bool:
    return len(server.came) >= count


def _sender(server: NoticeServer) -> AppriseSender:
    return AppriseSender(channels_of([f"x info {server.address(SECRET)}"])[0])


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["phone json://127.0.0.1/hushhush-4711"], "entry 1 must be NAME SEVERITY ADDRESS"),
        (["phone loud json://127.0.0.1/hushhush-4711"], "entry 1 must be NAME SEVERITY ADDRESS"),
        (["a info json://127.0.0.1", "a alarm json://127.0.0.1"], "two channels 'a'"),
        (["a info keyring:NO_SUCH_SECRET"], "there is no secret 'NO_SUCH_SECRET'"),
    ],
)
def test_a_channel_that_is_not_as_it_must_be_is_named_without_its_address(texts: list[str], said: str) -> None:
    with pytest.raises(RunError) as raised:
        channels_of(texts)
    assert said in str(raised.value)
    assert SECRET not in str(raised.value)


@pytest.mark.logs_errors
@pytest.mark.parametrize("address", ["hushhush-4711", "nosuch://hushhush-4711", "tgram://hushhush-4711"])
def test_an_address_that_apprise_can_not_use_is_refused_without_being_shown(
    address: str, capfd: pytest.CaptureFixture[str]
) -> None:
    heard = StringIO()
    handler = logging.StreamHandler(heard)
    logging.getLogger().addHandler(handler)
    with pytest.raises(RunError, match="an address that apprise can't use") as raised:
        AppriseSender(channels_of([f"phone info {address}"])[0])
    logging.getLogger().removeHandler(handler)
    assert SECRET not in str(raised.value) + heard.getvalue() + "".join(capfd.readouterr())


def test_an_address_can_be_a_secret_of_the_environment(server: NoticeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHONE", server.address(SECRET))
    assert try_channels(NoticeSettings(channels=("phone alarm keyring:PHONE",))) == {"phone": ""}
    assert server.text() == "This is a test of the notices."


def test_the_heartbeat_asks_and_writes_while_the_main_loop_turns(server: NoticeServer, tmp_path: Path) -> None:
    heart = Heartbeat(tmp_path / "heartbeat", f"http://127.0.0.1:{server.port}/ping/{SECRET}", every_s=0.1)
    heart.start()
    try:
        until = time.monotonic() + 30
        while len(server.asked) < 3:
            assert time.monotonic() < until
            heart.turned()
            time.sleep(0.01)
        first = (tmp_path / "heartbeat").read_text()
        assert abs((datetime.now(UTC) - datetime.fromisoformat(first.strip())).total_seconds()) < 30
        time.sleep(0.35)  # the loop stands still, and the heart with it
        asked = len(server.asked)
        time.sleep(0.35)
        assert len(server.asked) == asked
        server.status = 500
        until = time.monotonic() + 30
        while not heart.status()["error"]:
            assert time.monotonic() < until
            heart.turned()
            time.sleep(0.01)
        assert "500" in heart.status()["error"]
        assert SECRET not in str(heart.status())
    finally:
        heart.close()


@pytest.mark.parametrize(
    ("now", "zone", "due"),
    [
        ("2024-05-01T10:00", "UTC", "2024-05-01T22:30"),
        ("2024-05-01T22:30", "UTC", "2024-05-02T22:30"),
        ("2024-05-01T10:00", "Asia/Shanghai", "2024-05-01T14:30"),
        ("2024-03-30T22:00", "Europe/Berlin", "2024-03-31T20:30"),
    ],
)
def test_the_summary_is_due_at_the_time_of_the_zone(now: str, zone: str, due: str) -> None:
    found = next_due(datetime.fromisoformat(now).replace(tzinfo=UTC), "22:30", zone)
    assert found == datetime.fromisoformat(due).replace(tzinfo=UTC)


def test_the_summary_is_sent_once_a_day() -> None:
    times = iter(
        [*(datetime(2024, 5, 1, 22, minute, tzinfo=UTC) for minute in range(58)), datetime(2024, 5, 2, 23, tzinfo=UTC)]
    )
    last, sent = [datetime(2024, 5, 1, 21, tzinfo=UTC)], []

    def clock() -> datetime:
        last[0] = next(times, last[0])
        return last[0]

    daily = Daily("22:30", "UTC", lambda: sent.append(last[0]), clock=clock, look_s=0.001)
    daily.start()
    wait_until(lambda: len(sent) == 2)
    time.sleep(0.05)
    daily.close()
    assert sent == [datetime(2024, 5, 1, 22, 30, tzinfo=UTC), datetime(2024, 5, 2, 23, tzinfo=UTC)]


@pytest.mark.logs_errors
def test_warnings_of_the_orchestrator_are_notices_and_those_of_channels_are_not(
    server: NoticeServer, tmp_path: Path
) -> None:
    outlet = outlet_of(NoticeSettings(channels=(f"phone info {server.address(SECRET)}",)), tmp_path, list)
    handler, ours = WarningsAsNotices(outlet), logging.getLogger("quantcrafter")
    ours.addHandler(handler)
    try:
        logging.getLogger("quantcrafter.notices").warning("a channel is dead")
        logging.getLogger("quantcrafter.orchestrator").warning("%s: the host process ended", "host-1")
        logging.getLogger("quantcrafter.orchestrator").error("the disk is full")
    finally:
        ours.removeHandler(handler)
    outlet.start()
    outlet.close()
    assert server.text().splitlines() == [
        "orchestrator: the disk is full",
        "orchestrator: host-1: the host process ended",
    ]
