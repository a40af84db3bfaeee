"""Strategy files through the command line in long-lived processes, watched for time, memory and what they print.

A process of its own for each file would hide what builds up; so one does many files, and is ended only when it hangs.
"""

from __future__ import annotations

import contextlib
import io
import json
import queue
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from quantcrafter.engine.api import DataRequest, Timeframe
from tests.support.command_line import ROOT, clean_environment

STARTING_SECONDS = 600.0
PATIENCE = 15.0
"""How many times its limit a file may take by the clock, on a machine that does other things as well."""
_PEAK = "VmHWM:"


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of one file: exit codes by command, what was printed, how long it took, and the most memory it had."""

    path: str
    codes: dict[str, int]
    printed: str
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    died: str = ""

    @property
    def is_valid(self) -> bool:
        """Whether validation found no error."""
        return self.codes.get("validate") == 0


def trials(
    paths: Iterable[Path], home: Path, *, processes: int = 2, limit_s: float = 20.0, data: bool = False
) -> Iterator[Trial]:
    """Yield a trial for each file as it is done, in no order: a strategy, or with `data` a file of bars beside one.

    A file that takes more than `limit_s` of the processor, or hangs, ends its process and says so.
    """
    waiting: queue.SimpleQueue[Path | None] = queue.SimpleQueue()
    done: queue.SimpleQueue[Trial | None] = queue.SimpleQueue()
    count = 0
    for path in paths:
        waiting.put(path)
        count += 1
    for _ in range(processes):
        waiting.put(None)
    threads = [
        threading.Thread(target=_work, args=(waiting, done, home / str(number), limit_s, data))
        for number in range(processes)
    ]
    for thread in threads:
        thread.start()
    for _ in range(count):
        yield done.get() or _never()
    for thread in threads:
        thread.join()


def _never() -> Trial:
    raise AssertionError("a queue of trials holds trials")


def _work(
    waiting: queue.SimpleQueue[Path | None],
    done: queue.SimpleQueue[Trial | None],
    home: Path,
    limit_s: float,
    data: bool,  # noqa: FBT001 - handed to a thread
) -> None:
    process = None
    while (path := waiting.get()) is not None:
        if process is None:
            process = WatchedProcess(home, data=data)
        trial = process.trial(path, limit_s)
        if trial.died:
            process.end()
            process = None
        done.put(trial)
    if process is not None:
        process.end()


class WatchedProcess:
    """A child that does one file after another; its answers come through a thread, so that waiting has an end."""

    def __init__(self, home: Path, *, data: bool = False) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-m", "tests.support.file_trials", *(["data"] if data else [])],
            cwd=ROOT,
            env=clean_environment(home),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self._answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._answers.get(timeout=STARTING_SECONDS)

    def _read(self) -> None:
        assert self._child.stdout is not None
        for line in self._child.stdout:
            self._answers.put(line)
        self._answers.put("")

    def kill(self) -> None:
        """End the child as a crash does."""
        self._child.kill()
        self._child.wait()

    def trial(self, path: Path, limit_s: float) -> Trial:
        """Put a file through every command; `limit_s` is of the processor."""
        assert self._child.stdin is not None
        started, worked = time.perf_counter(), self._worked()
        with contextlib.suppress(OSError):  # it has ended, which its answer says
            self._child.stdin.write(f"{path}\n")
            self._child.stdin.flush()
        answer = None
        while answer is None:
            try:
                answer = self._answers.get(timeout=0.5)
            except queue.Empty:
                taken, busy = time.perf_counter() - started, self._worked() - worked
                if busy > limit_s or taken > limit_s * PATIENCE:
                    died = f"no end after {taken:.0f} s, {busy:.0f} s of the processor"
                    return Trial(str(path), {}, "", taken, busy, 0, died)
        if not answer:
            code = self._child.wait()
            return Trial(str(path), {}, "", time.perf_counter() - started, 0.0, 0, f"the process ended with {code}")
        return Trial(**json.loads(answer))

    def _worked(self) -> float:
        """Return the seconds of the processor that the child has used."""
        try:
            times = psutil.Process(self._child.pid).cpu_times()
        except psutil.Error:
            return 0.0
        return float(times.user + times.system)

    def end(self) -> None:
        """End the child and close what leads to it."""
        self._child.kill()
        self._child.wait()
        self._reader.join()
        for stream in (self._child.stdin, self._child.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


# ---------------------------------------------------------------------- in the child


def _serve() -> None:
    from quantcrafter.engine.cli.main import main
    from quantcrafter.engine.simulation.ahead import compile_ahead

    answers, sys.stdout = sys.stdout, sys.stderr
    with tempfile.TemporaryDirectory() as folder:
        result = str(Path(folder) / "result.json")
        commands = {
            "validate": ["validate"],
            "run": ["run", "--quiet", "--no-history", "--json", result],
            "lookahead": ["lookahead", "--quiet", "--cuts", "6"],
        }
        # The first runs load what every run needs; their time and memory belong to no file.
        compile_ahead()
        for example in ("golden_cross", "volatility_portfolio"):
            main(["run", str(ROOT / f"resources/examples/{example}.yaml"), "--quiet", "--no-history"])
        answers.write("ready\n")
        answers.flush()
        for line in sys.stdin:
            path = line.rstrip("\n")
            own = (
                _of_data(path, result)
                if sys.argv[1:] == ["data"]
                else {n: [c[0], path, *c[1:]] for n, c in commands.items()}
            )
            answers.write(json.dumps(asdict(_tried(path, own))) + "\n")
            answers.flush()


def _of_data(path: str, result: str) -> dict[str, list[str]]:
    """Return the commands for a file of bars: the strategy that is next to it, and both ways to import it."""
    strategy = str(Path(path).with_name("strategy.yaml"))
    return {
        "run": ["run", strategy, "--quiet", "--no-history", "--json", result],
        "import": ["data", "import", path],
        "repair": ["data", "import", path, "--symbol", "X", "--repair", "--fresh"],
        "preview": ["preview", path],
    }


def _preview(path: str) -> int:
    """Look at a file as the import dialog does."""
    from quantcrafter.engine.data.store.bar_files import file_provider
    from quantcrafter.engine.runtime.compute_process.jobs.preview import look_at

    seen = look_at(file_provider(path, {}), DataRequest("X", Timeframe(1, "d")), own=True)
    sys.stdout.write(seen.error)
    return 1 if seen.error else 0


def _tried(path: str, commands: dict[str, list[str]]) -> Trial:
    from quantcrafter.engine.cli.main import main

    codes, printed = {}, io.StringIO()
    _forget_peak()
    started, worked = time.perf_counter(), time.process_time()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        for name, command in commands.items():
            try:
                codes[name] = _preview(path) if name == "preview" else main(command)
            except BaseException:  # noqa: BLE001 - whatever comes out is a finding
                codes[name] = -1
                traceback.print_exc()
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - worked
    return Trial(path, codes, printed.getvalue(), seconds, cpu_seconds, _peak())


def _forget_peak() -> None:
    """Let the system measure the largest memory again; Linux can."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _peak() -> int:
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return int(psutil.Process().memory_info().rss)
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith(_PEAK))


if __name__ == "__main__":
    _serve()
