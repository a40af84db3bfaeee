"""The web page in a browser, as a trader uses it: at a desk and on a phone, light and dark, by mouse and keyboard."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from quantcrafter.engine.api.home import home
from quantcrafter.engine.live.api_files import address_file, api_token, base_url
from quantcrafter.engine.live.places import workers_folder
from quantcrafter.engine.live.status_file import read_status
from quantcrafter.engine.server.settings import ApiSettings
from quantcrafter.engine.server.users import UserBook, UserRole
from tests.support.api_server import client, registered, served
from tests.support.browser import DESK, PHONE, fits, page
from tests.support.live_cases import STOPPED
from tests.support.orchestrators import cleaned_up, started
from tests.support.supervised import SLOW, wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Run a worker, and give the address of the API that is served with it."""
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("QUANTCRAFTER_API", "on")
    monkeypatch.setenv("QUANTCRAFTER_API_PORT", "0")
    (tmp_path / "one.yaml").write_text(STOPPED.replace("bars: 160", "bars: 4000"), encoding="utf-8")
    registered("real", mode="live")
    with cleaned_up(), started(str(tmp_path / "one.yaml"), "--feed", SLOW, home=tmp_path / "home"):
        wait_until(lambda: base_url() is not None)
        wait_until(lambda: state() == "running")
        yield str(base_url())


def state() -> str:
    found = read_status(workers_folder() / "one")
    return "" if found is None else found.state


def log_in(shown: Page, base: str, token: str) -> None:
    shown.goto(base)
    shown.get_by_label("Token").fill(token)
    shown.get_by_role("button", name="Log in").click()
    shown.get_by_role("heading", name="Workers").wait_for()
    shown.wait_for_load_state()  # a click before the script has run does nothing


def check_list(shown: Page) -> None:
    live, paper = shown.get_by_role("table", name="Real money"), shown.get_by_role("table", name="Paper")
    assert live.get_by_role("link").all_text_contents() == ["real"]
    assert paper.get_by_role("link").all_text_contents() == ["one"]
    row = paper.locator("tr[data-worker=one]")
    assert "Small" in row.inner_text()
    row.get_by_text("s ago").wait_for()
    assert shown.get_by_text("total").count() == 0


def check_worker(shown: Page) -> None:
    shown.get_by_role("link", name="one").click()
    shown.locator("#chart .main-svg").first.wait_for()
    names = shown.locator("#chart .legendtext").all_text_contents()
    assert {"Price", "fast", "slow"} <= set(names)
    assert "No long entry" in shown.locator("#why").inner_text() or "Position" in shown.locator("#why").inner_text()
    shown.locator("#orders tbody tr").first.wait_for()
    shown.get_by_role("log").get_by_text("The worker began.").wait_for(state="attached")
    assert fits(shown)


def check_actions(shown: Page) -> None:
    shown.get_by_role("button", name="Pause").click()
    dialog = shown.get_by_role("dialog")
    assert "enters no positions until it is resumed" in dialog.inner_text()
    dialog.get_by_role("button", name="Cancel").click()
    assert state() == "running"
    shown.get_by_role("button", name="Pause").focus()
    shown.keyboard.press("Enter")
    dialog.get_by_role("button", name="Pause").focus()
    shown.keyboard.press("Enter")
    shown.get_by_text("Pause: done.").wait_for()
    shown.locator(".state[data-value=paused]").wait_for()
    assert state() == "paused"
    shown.get_by_role("button", name="Resume").click()
    shown.get_by_role("dialog").get_by_role("button", name="Resume").click()
    shown.locator(".state[data-value=running]").wait_for()


@pytest.mark.parametrize(("size", "dark"), [(DESK, False), (PHONE, True)])
def test_a_trader_sees_workers_a_chart_and_reasons_and_acts_after_a_confirmation(
    running: str, size: tuple[int, int], *, dark: bool
) -> None:
    with page(size=size, dark=dark) as shown:
        log_in(shown, running, api_token())
        check_list(shown)
        assert fits(shown)
        check_worker(shown)
        check_actions(shown)
        shown.get_by_role("link", name="API").click()
        shown.get_by_text("POST /kill").wait_for()
        assert fits(shown)
        shown.get_by_role("link", name="Runs").click()
        shown.get_by_text("There are no stored runs.").wait_for()
        shown.get_by_role("button", name="Log out").click()
        shown.get_by_label("Token").wait_for()
    kept = shown.url
    assert kept.endswith("/login")


def test_a_viewer_has_no_buttons_and_sees_their_own_workers() -> None:
    registered("hers", user_id="ann")
    registered("other")
    token = UserBook().add("ann", UserRole.VIEWER)
    with served(home()) as base, page() as shown:
        log_in(shown, base, token)
        assert shown.get_by_role("main").get_by_role("link").all_text_contents() == ["hers"]
        assert shown.get_by_role("main").get_by_role("button").count() == 0
        shown.get_by_role("link", name="hers").click()
        shown.get_by_text("The worker has not begun yet.").wait_for()
        assert shown.get_by_role("main").get_by_role("button").count() == 0


def test_texts_of_others_are_no_markup() -> None:
    registered("<img src=x onerror=alert(1)>", user_id="a")
    with client() as api:
        text = api.get("/", headers={"accept": "text/html"}).text
        assert "<img" not in text
        assert "&lt;img src=x" in text
        assert api.get("/assets/../page.css").status_code == 404
        assert api.get("/assets/base.html").status_code == 404


def test_the_schema_is_open_only_where_configured() -> None:
    with client(ApiSettings(open_schema=True), token="") as stranger:
        assert stranger.get("/openapi.json").status_code == 200
        assert "POST /kill" in stranger.get("/docs").text
        assert stranger.get("/assets/page.css").status_code == 200
        assert stranger.get("/status").status_code == 401
    with client(token="") as stranger:
        assert stranger.get("/docs").status_code == 401


@pytest.mark.skipif(os.name != "posix", reason="a process is stopped by a signal")
def test_the_page_says_that_the_server_is_silent() -> None:
    registered("one")
    with served(home()) as base, page() as shown:
        log_in(shown, base, api_token())
        # The page hears the server from then on: stopped before, it never gets its script.
        listens = "() => typeof source === 'object' && source?.readyState === EventSource.OPEN"
        wait_until(lambda: shown.evaluate(listens))
        pid = int(json.loads(address_file().read_text(encoding="utf-8"))["pid"])
        os.kill(pid, signal.SIGSTOP)
        try:
            shown.get_by_text("The server has been silent").wait_for()
        finally:
            os.kill(pid, signal.SIGCONT)
        shown.locator("body:not(.stale)").wait_for()
        assert "silent" not in shown.locator("#said").inner_text()
