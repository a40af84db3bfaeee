"""What every test shares: a user directory of its own, and machine code that is compiled once for all workers."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis.core
import pytest
from hypothesis import HealthCheck, settings
from pytestqt.qtbot import QtBot

from quantcrafter.app.services.garbage import collect_when_due
from quantcrafter.engine.adapters.vnpy.client import VnpyProcess
from quantcrafter.engine.api.compiled import numba_cache_dir
from quantcrafter.engine.simulation import ahead
from tests.support.counts import choose_seed, how_to_repeat, is_interpreted, sample

# Set before any test: child processes and workers find the same compiled code, whatever their user directory is.
os.environ.setdefault("NUMBA_CACHE_DIR", str(numba_cache_dir()))
# Windows are painted into memory; tests that need a real screen start one (see tests/support/screen.py).
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

# Orchestrators of tests serve no API, but where it is tested: it would cost each of them a process.
os.environ.setdefault("QUANTCRAFTER_API", "off")

# A run that was started in the background ignores Ctrl+C, and so would every program that the tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

PATIENCE_MS = 60_000
"""How long a test waits for a Qt signal or condition: a busy machine may be slow, and only a failure waits so long."""

for wait_for in (QtBot.waitSignal, QtBot.waitSignals, QtBot.waitUntil, QtBot.waitCallback, QtBot.waitExposed):
    assert wait_for.__kwdefaults__ is not None
    wait_for.__kwdefaults__["timeout"] = PATIENCE_MS

# Every run explores: its seed is new, or the one that is asked for (see tests/support/counts.py). The clock judges no
# example, and none is kept for the next run: the seed repeats them.
vars(hypothesis.core)["global_force_seed"] = choose_seed()
settings.register_profile(
    "explore",
    deadline=None,
    print_blob=True,
    database=None,
    max_examples=sample(100, of=2000),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("explore")


if is_interpreted():
    # Coverage sees no line of machine code. Whatever asks for the compiled form of its own accord still gets it.
    ahead.SMALL_BARS = sys.maxsize
    vars(ahead)["is_loaded"] = lambda **_: False
    vars(sys.modules["quantcrafter.engine.api.compiled"])["SHORT_ROWS"] = (
        sys.maxsize
    )  # quantcrafter.engine.api.compiled itself is a function

    # A process that is killed has measured nothing: vnpy's is given time to end by itself.
    close_vnpy = VnpyProcess.close

    def close_when_it_has_ended(process: VnpyProcess) -> None:
        assert process._process.stdin is not None
        process._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process._process.wait(60)
        close_vnpy(process)

    VnpyProcess.close = close_when_it_has_ended  # type: ignore[method-assign, assignment]


def pytest_report_header() -> str:
    """Print the seed before the first test."""
    return how_to_repeat()


@pytest.hookimpl(trylast=True)  # after the terminal's own
def pytest_configure(config: pytest.Config) -> None:
    """Name each failure at once: a run that is stopped from outside never comes to its summary."""
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_FailuresAtOnce(terminal), "failures_at_once")


class _FailuresAtOnce:
    """Prints the name and the error of each test when it has failed."""

    def __init__(self, terminal: pytest.TerminalReporter) -> None:
        self._terminal = terminal

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            crash = getattr(report.longrepr, "reprcrash", None)
            why = report.longreprtext if crash is None else crash.message
            self._terminal.write_line("")
            self._terminal.write_line(f"FAILED {report.nodeid} ({report.when}): {why.strip()[:500]}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int) -> None:
    """Print the seed again where a failure is read."""
    if exitstatus:
        terminalreporter.write_line(how_to_repeat())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Destroy Qt's objects in the main thread alone, as the app does: a collection in another one ends the process."""
    if "qapp" in getattr(item, "fixturenames", ()):
        gc.disable()
    elif not gc.isenabled():
        gc.collect()
        gc.enable()
    result = yield
    if not gc.isenabled():
        collect_when_due()
    return result


def pytest_sessionfinish() -> None:
    """Leave nothing to the end of the process, when pytest's own files are closed."""
    gc.collect()
    gc.enable()


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep every test away from the real user's directory."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(home))
    return home


class _Errors(logging.Handler):
    """Keeps what is logged as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(
            f"{record.name}: {record.getMessage()}" + (f" ({record.exc_info[1]!r})" if record.exc_info else "")
        )


@pytest.fixture(autouse=True)
def _no_error_is_logged(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test in whose course an error is logged, except for those that are about that."""
    errors, root = _Errors(), logging.getLogger()
    root.addHandler(errors)
    yield
    root.removeHandler(errors)
    if errors.found and "caplog" not in request.fixturenames and request.node.get_closest_marker("logs_errors") is None:
        pytest.fail("Errors were logged: " + "; ".join(errors.found), pytrace=False)
