"""`examples/log_viewer.html`, opened from disk in a browser, as an operator would use it."""

from __future__ import annotations

import pytest

from quantcrafter.engine.api.home import home
from quantcrafter.engine.live.api_files import log_stream_url
from quantcrafter.engine.orchestrator.worker_log import note_in
from tests.support.api_server import registered, served
from tests.support.browser import PHONE, fits, page
from tests.support.command_line import ROOT

pytestmark = pytest.mark.slow

VIEWER = (ROOT / "examples" / "log_viewer.html").as_uri()


def url_of(key: str, base: str) -> str:
    found = log_stream_url(key, base=base)
    assert found is not None
    return found


@pytest.mark.parametrize("size", [(1280, 800), PHONE])
def test_logs_are_read_filtered_paused_and_followed_side_by_side(size: tuple[int, int]) -> None:
    one, two = registered("one"), registered("two")
    for number in range(200):
        note_in(one, f"line {number}", level="INFO")
    note_in(one, "it failed", level="ERROR")
    with served(home()) as base, page(size=size) as shown:
        shown.goto(VIEWER)
        shown.get_by_label("Address").fill(url_of("one", base))
        shown.keyboard.press("Enter")
        log = shown.get_by_role("log", name="Log of one")
        log.get_by_text("it failed").wait_for()
        assert log.locator("li").count() == 100
        failed, plain = (log.get_by_text(text).first for text in ("it failed", "line 199"))
        assert failed.evaluate("each => getComputedStyle(each).color") != plain.evaluate(
            "each => getComputedStyle(each).color"
        )
        assert log.evaluate("each => each.scrollHeight - each.scrollTop - each.clientHeight") < 8
        assert fits(shown)

        shown.get_by_label("Address").fill(url_of("two", base))
        shown.get_by_role("button", name="Connect").click()
        other = shown.get_by_role("log", name="Log of two")
        other.get_by_text("first").wait_for()
        note_in(two, "only of two")
        other.get_by_text("only of two").wait_for()
        assert log.get_by_text("only of two").count() == 0

        part = shown.locator("section").first
        part.get_by_role("searchbox").fill("line 15")
        assert log.locator("li:visible").count() == 10
        part.get_by_role("searchbox").fill("")
        part.get_by_role("combobox").select_option("ERROR")
        assert log.locator("li:visible").count() == 1
        part.get_by_role("combobox").select_option("All levels")

        log.evaluate("each => { each.scrollTop = 0 }")
        part.locator(".follow[aria-pressed=false]").wait_for()
        note_in(one, "while reading")
        log.get_by_text("while reading").wait_for(state="attached")
        assert log.evaluate("each => each.scrollTop") == 0
        part.get_by_role("button", name="Follow").click()
        assert log.evaluate("each => each.scrollHeight - each.scrollTop - each.clientHeight") < 8

        part.get_by_role("button", name="Pause").click()
        note_in(one, "while paused")
        part.get_by_text("paused, 1 lines wait").wait_for()
        assert log.get_by_text("while paused").count() == 0
        part.get_by_role("button", name="Go on").click()
        log.get_by_text("while paused").wait_for()
        part.get_by_role("button", name="Close").click()
        assert shown.locator("section").count() == 1
