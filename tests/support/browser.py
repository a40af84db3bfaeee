"""A headless Chromium, driven as a person would use it. A page that logs an error, or asks others, fails the test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.support.supervised import PATIENCE_S

PHONE = (390, 844)
DESK = (1280, 800)
_NAMES = ("chromium", "chromium-browser", "google-chrome")


@contextmanager
def page(*, size: tuple[int, int] = DESK, dark: bool = False) -> Iterator[Page]:
    """Give an empty page of a browser."""
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        pytest.skip(f"there is no browser: none of {', '.join(_NAMES)}")
    faults: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if dark else "light"
        )
        context.set_default_timeout(PATIENCE_S * 1000)
        made = context.new_page()
        made.on("pageerror", lambda error: faults.append(str(error)))
        made.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        made.on("request", lambda asked: faults.append(asked.url) if _is_outside(asked.url) else None)
        try:
            yield made
        finally:
            browser.close()
    assert faults == [], faults


def _is_outside(url: str) -> bool:
    return not url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "file:", "data:", "blob:", "about:"))


def fits(made: Page) -> bool:
    """Return whether nothing of a page is wider than the window."""
    return bool(made.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))
