"""Plugins that misbehave, installed as packages, and the command line as a user runs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command_line import ROOT, clean_environment, quantcrafter
from tests.support.plugin_packages import install

STRATEGY = """\
quantcrafter: 1
name: with a plugin
instruments: [{symbol: X, data: synthetic, timeframe: 1d, bars: 80}]
indicators:
  p: {use: bad.x, input: bars.close}
  fast: {use: ta.SMA, input: bars.close, timeperiod: 5}
advisors:
  x: {use: crossover, fast: fast, slow: p}
money:
  s: {use: fixed_quantity, quantity: 1}
execution:
  e: {use: market, signals: [x], money: s}
"""

COMPONENT = '''
import os, signal, sys, time, warnings
import numpy as np

KEPT = []

class X(Indicator):
    """Do a thing."""
    name = "bad.x"
    input: SeriesInput = port("The line.")

    def compute(self, input):
{body}
        return input

@hookimpl
def register_indicators():
    return [X]
'''
NODE = "Node 'p' (bad.x of plugin 'bad')"


@pytest.fixture
def strategy(tmp_path: Path) -> str:
    file = tmp_path / "strategy.yaml"
    file.write_text(STRATEGY, encoding="utf-8")
    return str(file)


def _computes(tmp_path: Path, body: str) -> str:
    """Install a plugin whose component computes so, and return the folder that holds it."""
    install(tmp_path / "site", "bad", COMPONENT.format(body=textwrap.indent(textwrap.dedent(body), " " * 8)))
    return str(tmp_path / "site")


BY_INTERFACE = """
i = dict(input.__array_interface__)
i['data'] = (i['data'][0], False)
h = type('H', (), {})()
h.__array_interface__ = i
np.asarray(h)[:] = 1.0
"""
WRITES = "it writes into its input, which is read-only"
FAULTS = {
    "writes into its input": ("input[:] = 1.0", "it writes into its input, which is read-only"),
    "makes it writeable": ("input.flags.writeable = True\ninput[:] = 1.0", "cannot set WRITEABLE flag to True"),
    "makes its base writeable": ("b = input.base\nb.flags.writeable = True\nb[:] = 1.0", WRITES),
    "goes by the array interface": (BY_INTERFACE, WRITES),
    "goes by its address": ("import ctypes\nctypes.memset(input.ctypes.data, 1, input.nbytes)", WRITES),
    "sorts it": ("input.sort()", "it writes into its input"),
    "sys.exit": ("sys.exit(0)", "SystemExit: 0"),
    "os._exit": ("os._exit(0)", "SystemExit: 0"),
    "os.execv": ("os.execv(sys.executable, [sys.executable, '-c', ''])", "it calls os.execv"),
    "leaves as the program ends": (
        "import atexit\natexit.register(os._exit, 0)\nraise ValueError('x')",
        "ValueError: x",
    ),
    "an error that can't be printed": (
        "raise type('E', (Exception,), {'__str__': lambda self: sys.exit(0)})",
        "E: (it can't be printed)",
    ),
    "its own Ctrl-C": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "cancels": ("raise RunCancelledError('')", "RunCancelledError"),
    "says the file is wrong": ("raise SpecError([])", "SpecError"),
}


@pytest.mark.parametrize(
    ("command", "fault"),
    [*(("run", name) for name in FAULTS), ("lookahead", "writes into its input"), ("lookahead", "goes by its address")],
)
def test_a_component_that_fails_is_named_in_one_line_and_never_a_success(
    tmp_path: Path, strategy: str, command: str, fault: str
) -> None:
    body, reason = FAULTS[fault]
    site = _computes(tmp_path, body)
    done = quantcrafter(command, strategy, "-q", home=tmp_path / "home", PYTHONPATH=site)

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"error: {NODE} failed on 80 bars of X: ")
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["parity", "validate"])
def test_parity_and_validate_do_not_succeed_either(tmp_path: Path, strategy: str, command: str) -> None:
    body = COMPONENT.format(body=" " * 8 + "sys.exit(0)")
    body = body.replace("    def compute", "    def warmup(self):\n        sys.exit(0)\n\n    def compute")
    if command == "validate":
        body = body.replace(
            "    def warmup(self)",
            "    def model_post_init(self, _context):\n        sys.exit(0)\n\n    def warmup(self)",
        )
    install(tmp_path / "site", "bad", body)
    done = quantcrafter(command, strategy, home=tmp_path / "home", PYTHONPATH=str(tmp_path / "site"))

    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {NODE} ") or "error: Node 'p' (bad.x of plugin 'bad')" in done.stderr
    assert "SystemExit: 0" in done.stderr


LEAVES = """
import threading
threading.Thread(target=lambda: os._exit(0)).start()
time.sleep(5)
"""


def test_a_thread_of_a_plugin_cannot_end_the_program_with_a_success(tmp_path: Path, strategy: str) -> None:
    done = quantcrafter("run", strategy, "-q", home=tmp_path / "home", PYTHONPATH=_computes(tmp_path, LEAVES))

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        f"error: A plugin ended the program by os._exit(0) while in a call of: {NODE}. Nothing was finished.\n"
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_component_that_forks_gives_one_result(tmp_path: Path, strategy: str) -> None:
    site = _computes(tmp_path, "if os.fork():\n    os.wait()")
    done = quantcrafter("run", strategy, "-q", "--json", "-", home=tmp_path / "home", PYTHONPATH=site)

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["bars"] == 80
    assert len(list((tmp_path / "home" / "runs").iterdir())) == 1


def test_what_is_printed_in_any_way_stays_out_of_the_json(tmp_path: Path, strategy: str) -> None:
    site = _computes(
        tmp_path,
        """
        print("PRINTED")
        warnings.warn("WARNED")
        os.write(1, b"RAW\\n")
        os.system("echo CHILD")
        sys.__stdout__.write("ORIGINAL\\n")
        sys.stdout.close()
        sys.stdout = None
        os.chdir("/")
        os.close(1)
        import atexit, threading
        def later():
            time.sleep(0.3)
            print("LATER")
        threading.Thread(target=later).start()
        atexit.register(print, "LAST")
        """,
    )
    arguments = ("run", Path(strategy).name, "--no-history", "-q", "--json", "-", "--trades", "t.csv")
    done = quantcrafter(*arguments, home=tmp_path / "home", cwd=tmp_path, PYTHONPATH=site)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["bars"] == 80
    assert f"{NODE} prints: PRINTED\n" in done.stderr
    assert f"{NODE} warns: UserWarning: WARNED" in done.stderr
    assert all(word in done.stderr for word in ("RAW", "CHILD", "ORIGINAL", "LATER", "LAST"))
    assert (tmp_path / "t.csv").is_file()


def test_a_component_that_keeps_its_columns_and_writes_later_changes_nothing(tmp_path: Path, strategy: str) -> None:
    honest = _computes(tmp_path / "a", "input = input.copy()")
    keeping = _computes(tmp_path / "b", "KEPT.append(input.copy())\nKEPT[0][:] = 7.0\ninput = KEPT[-1]")
    two = Path(strategy)
    two.write_text(
        STRATEGY.replace("  fast:", "  q: {use: bad.x, input: fast}\n  fast:").replace("slow: p", "slow: q"), "utf-8"
    )
    results = [
        quantcrafter("run", strategy, "-q", "--json", "-", home=tmp_path / "home", PYTHONPATH=site)
        for site in (honest, keeping)
    ]
    assert [each.returncode for each in results] == [0, 0], results[1].stderr
    trades = [json.loads(each.stdout)["trades"] for each in results]
    assert trades[0] == trades[1]


PLUGINS = {
    "raises a BaseException": ("raise type('Boom', (BaseException,), {})('x')", "its import raised Boom: x"),
    "never ends its generator": (
        "@hookimpl\ndef register_filters():\n    while True:\n        yield 1",
        "register_filters returned more than 10,000 items",
    ),
    "presses Ctrl-C itself": ("raise KeyboardInterrupt", "its import raised KeyboardInterrupt"),
}


@pytest.mark.parametrize(("body", "reason"), PLUGINS.values(), ids=PLUGINS)
def test_a_plugin_that_cannot_be_loaded_is_named(tmp_path: Path, body: str, reason: str) -> None:
    install(tmp_path / "site", "bad", f"print('HELLO')\n{body}")
    done = quantcrafter("plugins", "--json", home=tmp_path, PYTHONPATH=str(tmp_path / "site"))

    assert done.returncode == 0
    (info,) = [each for each in json.loads(done.stdout) if each["name"] == "bad"]
    assert reason in info["error"]
    assert done.stderr == "Plugin 'bad' prints: HELLO\n"


def test_a_home_of_nobody_is_one_line(tmp_path: Path) -> None:
    for arguments in (("runs",), ("run", "x.yaml")):
        done = quantcrafter(*arguments, home=Path("~no-such-user/x"), cwd=tmp_path, PYTHONPATH=str(ROOT))
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        assert "QUANTCRAFTER_HOME must be a folder, was '~no-such-user/x'" in done.stderr


# ---------------------------------------------------------------------- Ctrl-C

BEGUN = "open(os.environ['BEGUN'], 'w').close()\n"


_running: list[subprocess.Popen[bytes]] = []


@pytest.fixture(autouse=True)
def _leave_nothing_running() -> Iterator[None]:
    yield
    while _running:
        process = _running.pop()
        process.kill()
        process.wait(20)


class Running:
    """A command that runs until its plugin has begun."""

    def __init__(self, tmp_path: Path, *arguments: str) -> None:
        begun = tmp_path / "begun"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "quantcrafter.engine.cli", *arguments],
            cwd=tmp_path,
            env=clean_environment(tmp_path / "home", PYTHONPATH=str(tmp_path / "site"), BEGUN=str(begun)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        _running.append(self.process)
        until = time.monotonic() + 100
        while not begun.exists() and self.process.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
        assert begun.exists(), self.process.communicate()

    def press(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def line(self) -> str:
        assert self.process.stderr is not None
        return self.process.stderr.readline().decode()

    def end(self) -> tuple[int, str, str]:
        out, errors = self.process.communicate(timeout=60)
        return self.process.returncode, out.decode(), errors.decode()


def _check_nothing_left(folder: Path) -> None:
    assert not {path.name for path in folder.iterdir()} - {"begun", "home", "site", "strategy.yaml"}
    assert not (folder / "home" / "history.db").exists()


posix = pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
STUBBORN = """
while True:
    try:
        time.sleep(0.01)
    except BaseException:
        pass
"""

DEAF = """
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.set_wakeup_fd(-1)
while True:
    pass
"""


@posix
@pytest.mark.parametrize(
    "body",
    ["while True:\n    pass", "time.sleep(999)", STUBBORN, DEAF],
    ids=["loop", "sleep", "catch", "ignores the signal"],
)
def test_ctrl_c_is_heard_at_once_and_the_second_ends_the_process(tmp_path: Path, strategy: str, body: str) -> None:
    _computes(tmp_path, body.replace("while True", f"{BEGUN}while True") if body is DEAF else BEGUN + body)
    command = Running(tmp_path, "run", strategy, "-q", "--json", "r.json", "--trades", "t.csv")
    command.press()
    assert command.line() == "Stopping; press Ctrl-C again to end at once.\n"
    command.press()
    assert command.end() == (130, "", "Interrupted.\n")
    _check_nothing_left(tmp_path)


@posix
def test_ctrl_c_while_a_plugin_is_imported_ends_the_command(tmp_path: Path, strategy: str) -> None:
    install(tmp_path / "site", "bad", f"import os, time\n{BEGUN}time.sleep(1000)")
    command = Running(tmp_path, "validate", strategy)
    command.press()
    assert command.end() == (130, "", "Interrupted.\n")


@posix
def test_ctrl_c_while_results_are_written_leaves_nothing_at_all(tmp_path: Path, strategy: str) -> None:
    # The plugin stops the writing of the second file, as a slow disk would.
    slow = """
    import quantcrafter.engine.stats.whole_files as files
    write = files._written
    def written(target, content):
        made = write(target, content)
        if target.name == "t.csv":
            open(os.environ["BEGUN"], "w").close()
            time.sleep(1.0)
        return made
    files._written = written
    """
    _computes(tmp_path, textwrap.dedent(slow))
    command = Running(tmp_path, "run", strategy, "-q", "--json", "r.json", "--trades", "t.csv")
    command.press()
    code, out, errors = command.end()

    assert (code, out) == (130, "")
    assert errors.startswith("Stopping")
    _check_nothing_left(tmp_path)


@posix
def test_ctrl_c_twice_while_results_are_written_leaves_no_part_either(tmp_path: Path, strategy: str) -> None:
    slow = """
    import quantcrafter.engine.stats.whole_files as files
    write = files._written
    def written(target, content):
        made = write(target, content)
        open(os.environ["BEGUN"], "w").close()
        time.sleep(1000)
    files._written = written
    """
    _computes(tmp_path, textwrap.dedent(slow))
    command = Running(tmp_path, "run", strategy, "-q", "--json", "r.json")
    command.press()
    command.line()
    command.press()

    assert command.end()[0] == 130
    _check_nothing_left(tmp_path)


def test_a_file_that_cannot_be_written_leaves_the_others_as_they_were(tmp_path: Path, strategy: str) -> None:
    _computes(tmp_path, "pass")
    (tmp_path / "r.json").write_text("old", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    site = str(tmp_path / "site")
    arguments = ("run", strategy, "--json", str(tmp_path / "r.json"), "--trades", str(tmp_path / "folder"))
    done = quantcrafter(*arguments, home=tmp_path / "home", PYTHONPATH=site)

    assert done.returncode == 1
    assert "it is a folder" in done.stderr
    assert "The run itself is stored" in done.stderr
    assert (tmp_path / "r.json").read_text(encoding="utf-8") == "old"
    assert not list(tmp_path.glob(".*.part"))


@posix
def test_a_run_that_ctrl_c_ended_says_so_and_that_nothing_was_written(tmp_path: Path, strategy: str) -> None:
    _computes(tmp_path, f"{BEGUN}time.sleep(1)\ninput = input.copy()")
    command = Running(tmp_path, "run", strategy, "-q", "--json", "r.json")
    command.press()

    assert command.end() == (130, "", "Stopping; press Ctrl-C again to end at once.\nStopped. Nothing was written.\n")
    _check_nothing_left(tmp_path)
