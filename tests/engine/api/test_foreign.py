"""Calls into third-party code: whatever it raises, changes or prints ends with the call."""

from __future__ import annotations

import contextlib
import locale
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from quantcrafter.engine.api import foreign as guard
from quantcrafter.engine.api.foreign import EscapedError, ForeignCall, TooLongError, foreign, reason_of


class Heard:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, bool]] = []
        self.slow_calls: list[str] = []
        self.pressed = False

    def printed(self, call: ForeignCall | None, text: str, *, warning: bool) -> None:
        self.lines.append((call.who if call else "", text, warning))

    def slow(self, call: ForeignCall, seconds: float) -> None:
        self.slow_calls.append(f"{call.who} {call.doing} {seconds >= call.slow_s}")

    def interrupted(self) -> bool:
        return self.pressed

    def restore(self) -> None:
        """There is nothing of ours."""


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Iterator[Heard]:
    """Return a listener that is listening."""
    monkeypatch.setattr(os, "_exit", os._exit)
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    monkeypatch.setattr(guard, "_LOOK_S", 0.01)
    listener = Heard()
    guard.listen(listener)
    yield listener
    guard.listen(None)


class Boom(BaseException):
    """No error, and none of Python's."""


@pytest.mark.parametrize(
    ("raised", "text"),
    [
        (SystemExit(0), "SystemExit: 0"),
        (SystemExit(), "SystemExit"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (GeneratorExit(), "GeneratorExit"),
        (Boom("two\nlines"), "Boom: two lines"),
    ],
)
def test_what_would_end_the_program_becomes_an_error(heard: Heard, raised: BaseException, text: str) -> None:
    del heard
    with pytest.raises(EscapedError) as caught, foreign("X", "working"):
        raise raised
    assert str(caught.value) == text
    assert reason_of(caught.value).startswith(text)


def test_a_pressed_ctrl_c_is_no_fault_of_the_code_and_cannot_be_swallowed(heard: Heard) -> None:
    heard.pressed = True
    with pytest.raises(KeyboardInterrupt), foreign("X", "working"):
        pass
    with pytest.raises(KeyboardInterrupt), foreign("X", "working"):
        raise SystemExit(0)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
def test_without_a_listener_ctrl_c_reaches_the_script_and_cannot_be_swallowed() -> None:
    with pytest.raises(KeyboardInterrupt), foreign("X", "working"):
        signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), foreign("X", "working"), contextlib.suppress(BaseException):
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_without_a_listener_a_keyboard_interrupt_that_nobody_pressed_is_an_error() -> None:
    with pytest.raises(EscapedError, match="KeyboardInterrupt"), foreign("X", "working"):
        raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_handlers_of_ctrl_c_stay_while_others_code_runs(heard: Heard) -> None:
    del heard
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    with foreign("X", "working"):
        for number, handler in before.items():
            signal.signal(number, signal.SIG_IGN)
            assert signal.getsignal(number) is handler
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    signal.signal(signal.SIGTERM, before[signal.SIGTERM])


def test_os_exit_does_not_end_the_program_with_a_success(heard: Heard) -> None:
    del heard
    with pytest.raises(EscapedError, match="SystemExit: 0"), foreign("X", "working"):
        os._exit(0)


def test_prints_and_warnings_are_told_with_a_name_and_never_reach_stdout(
    heard: Heard, capfd: pytest.CaptureFixture[str]
) -> None:
    with foreign("X", "working"):
        print("one\ntwo")  # noqa: T201
        sys.stdout.buffer.write(b"bytes\n")
        print("no end", end="")  # noqa: T201
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("odd", stacklevel=1)
    assert [line for line in heard.lines if not line[2]] == [
        ("X", text, False) for text in ("one", "two", "bytes", "no end")
    ]
    (warning,) = [line for line in heard.lines if line[2]]
    assert warning[1].startswith("UserWarning: odd (test_foreign.py:")
    assert capfd.readouterr().out == ""


def test_a_stream_that_was_kept_never_leads_to_stdout(heard: Heard) -> None:
    before = sys.stdout
    with foreign("X", "working"):
        kept = sys.stdout
        sys.stdout.close()
    kept.write("later\n")
    assert heard.lines == [("", "later", False)]
    assert sys.stdout is before
    assert not before.closed


CHANGES: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
    "folder": (lambda: os.chdir("/"), os.getcwd),
    "stdout": (lambda: setattr(sys, "stdout", None), lambda: sys.stdout),
    "stderr": (lambda: setattr(sys, "stderr", None), lambda: sys.stderr),
    "numpy": (lambda: np.seterr(all="raise"), np.geterr),
    "recursion": (lambda: sys.setrecursionlimit(5000), sys.getrecursionlimit),
    "warnings": (lambda: warnings.simplefilter("ignore"), lambda: list(warnings.filters)),
    "show": (lambda: setattr(warnings, "showwarning", None), lambda: warnings.showwarning),
    "signal": (lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN), lambda: signal.getsignal(signal.SIGTERM)),
    "locale": (lambda: locale.setlocale(locale.LC_ALL, "C"), lambda: locale.setlocale(locale.LC_ALL)),
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("raises", [False, True])
def test_what_is_changed_in_the_process_is_put_back(name: str, *, raises: bool) -> None:
    change, look = CHANGES[name]
    before = look()
    try:
        with foreign("X", "working"):
            change()
            if raises:
                raise SystemExit
    except EscapedError:
        assert raises
    assert look() == before


def test_a_call_that_takes_long_is_told_of_while_it_runs(heard: Heard) -> None:
    with foreign("Plugin 'x'", "loading", slow_s=0.02):
        until = time.monotonic() + 5.0
        while not heard.slow_calls and time.monotonic() < until:
            time.sleep(0.01)
        seen = list(heard.slow_calls)
    assert seen[:1] == ["Plugin 'x' loading True"]


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there is no such timer")
@pytest.mark.parametrize("swallow", [False, True])
def test_a_call_with_a_limit_is_ended_even_while_it_sleeps(*, swallow: bool) -> None:
    def work() -> None:
        with foreign("X", "loading", limit_s=0.05):
            try:
                time.sleep(60)
            except BaseException:
                if not swallow:
                    raise
                time.sleep(60)

    begun = time.monotonic()
    with pytest.raises(TooLongError, match="took longer than 0 s"):
        work()
    assert time.monotonic() - begun < 30
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_a_thread_in_a_call_leaves_the_others_alone(heard: Heard) -> None:
    inside, leave = threading.Event(), threading.Event()

    def work() -> None:
        with foreign("thread", "working"):
            inside.set()
            leave.wait(10)

    worker = threading.Thread(target=work)
    stdout = sys.stdout
    worker.start()
    inside.wait(10)
    with foreign("X", "working"):
        print("mine")  # noqa: T201
    leave.set()
    worker.join()
    assert heard.lines == [("X", "mine", False)]
    assert sys.stdout is stdout


TRACED_AFTER_A_LIMIT = """
import sys, threading, time
from quantcrafter.engine.api.foreign import TooLongError, foreign

def call(limit_s, sleep_s):
    try:
        with foreign("X", "loading", limit_s=limit_s):
            time.sleep(sleep_s)
    except TooLongError:
        print("too long")

for limit_s, sleep_s in ((60, 0), (0.05, 0.5)):
    thread = threading.Thread(target=call, args=(limit_s, sleep_s))
    thread.start()
    thread.join()

def traced():
    return "traced"

sys.settrace(lambda *_: None)
print(traced())
"""


def test_a_program_can_be_traced_after_a_call_with_a_limit_in_a_thread() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", TRACED_AFTER_A_LIMIT], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.stdout.split("\n") == ["too long", "traced", ""], ran.stderr


def test_an_error_that_cannot_be_printed_is_told_all_the_same() -> None:
    class RudeError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert reason_of(RudeError()) == "RudeError: (it can't be printed)"
