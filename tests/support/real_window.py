"""The application in a real window: a screen, a window manager, and a mouse and a keyboard of the X server.

Nothing is sent to Qt: `xdotool` moves the pointer and presses keys, and the window system does the rest (focus, popups
that grab the mouse, drags between widgets). Where things are is asked of the application, see `window_probe`.
"""

from __future__ import annotations

import itertools
import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import ImageGrab

from tests.support.command_line import ROOT, clean_environment
from tests.support.window_probe import MARK

TOOLS = ("Xvfb", "openbox", "xdotool")
SIZE = (1600, 1000)
PATIENCE_S = 120
"""How long a test waits: a busy machine may be slow, and only a failure waits so long."""
LOOK_S = 0.02
TYPING_MS = 4
"""Between two letters: faster than any hand, and slow enough for the X server to keep them in order."""

Place = tuple[int, int]


def need_screen() -> None:
    """Skip the test where there is no X server to be had; on a build machine with Linux that is a failure."""
    if not sys.platform.startswith("linux"):
        pytest.skip("the real window is driven through X11, which is tested on Linux")
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        text = f"{', '.join(missing)} is missing; packaging/qt_libraries.sh installs it"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(text)


@contextmanager
def screen(*, window_manager: bool = True) -> Iterator[str]:
    """Start an X server of its own and give its display, such as `:7`."""
    read, write = os.pipe()
    size = f"{SIZE[0]}x{SIZE[1]}x24"
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", size, "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    started, quiet = [server], subprocess.DEVNULL
    try:
        with os.fdopen(read, encoding="ascii") as told:
            display = f":{told.readline().strip()}"
        if window_manager:
            environment = {**os.environ, "DISPLAY": display}
            started.append(subprocess.Popen(["openbox", "--sm-disable"], env=environment, stdout=quiet, stderr=quiet))
            until(lambda: _tool(display, "get_num_desktops").isdigit(), "the window manager")
        yield display
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(PATIENCE_S)


def until(condition: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> Any:
    """Wait until something is there, and return it."""
    deadline = time.monotonic() + patience_s
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"Waited in vain: {what}.")
        time.sleep(LOOK_S)
    return found


def _tool(display: str, *arguments: str) -> str:
    environment = {**os.environ, "DISPLAY": display}
    done = subprocess.run(
        ["xdotool", *arguments], env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE_S
    )
    return done.stdout.strip()


def center(rect: Sequence[int]) -> Place:
    """Return the middle of a rectangle."""
    return rect[0] + rect[2] // 2, rect[1] + rect[3] // 2


class RealWindow:
    """A started application, with functions that use its mouse and keyboard."""

    def __init__(self, process: subprocess.Popen[str], display: str, home: Path) -> None:
        self.process = process
        self.display = display
        self.home = home
        self.printed: list[str] = []
        self._answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        for line in self.process.stdout or ():
            if line.startswith(MARK):
                self._answers.put(line.removeprefix(MARK))
            else:
                self.printed.append(line)
        self._answers.put('{"error": "The application has ended."}')

    def close(self) -> None:
        """End the application."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE_S)
        self._listener.join(PATIENCE_S)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()

    # ------------------------------------------------------------------ looking

    def ask(self, name: str, *arguments: str) -> Any:
        """Ask the application where something is, or how it is."""
        if self.process.stdin is None:
            raise AssertionError("The application was started without a standard input.")
        self.process.stdin.write(json.dumps([name, *arguments]) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self._answers.get(timeout=PATIENCE_S))
        if "error" in answer:
            raise AssertionError(f"{name}{arguments}: {answer['error']}\n{''.join(self.printed)}")
        return answer["is"]

    def wait(self, name: str, *arguments: str) -> Any:
        """Wait until the application has an answer that is not empty."""
        return until(lambda: self.ask(name, *arguments), f"{name} {arguments}")

    def gone(self, name: str, *arguments: str) -> None:
        """Wait until something is no longer there."""
        until(lambda: not self.ask(name, *arguments), f"{name} {arguments} to go")

    def picture(self, file: Path) -> Path:
        """Take a picture of the screen, for a person to look at."""
        ImageGrab.grab(xdisplay=self.display).save(file)
        return file

    @property
    def log(self) -> str:
        """What the application has logged."""
        file = self.home / "logs" / "desktop.log"
        return file.read_text(encoding="utf-8") if file.is_file() else ""

    # ------------------------------------------------------------------ the hands

    def tool(self, *arguments: object) -> str:
        """Let xdotool do something, and the application deal with it."""
        told = _tool(self.display, *map(str, arguments))
        self.ask("title")
        return told

    def move(self, at: Place) -> None:
        """Move the pointer."""
        self.tool("mousemove", *at)

    def click(self, at: Place, button: int = 1, *, keys: str = "") -> None:
        """Click somewhere, with keys such as `ctrl` held."""
        click = ("mousemove", *at, "click", button)
        self.tool(*(("keydown", keys, *click, "keyup", keys) if keys else click))

    def double_click(self, at: Place) -> None:
        """Click twice."""
        self.tool("mousemove", *at, "click", "--repeat", 2, "--delay", 40, 1)

    def drag(self, *path: Place, keys: str = "", button: int = 1) -> None:
        """Press at the first place, move through the others, let go at the last."""
        if keys:
            self.tool("keydown", keys)
        self.tool("mousemove", *path[0], "mousedown", button)
        try:
            for start, end in itertools.pairwise(path):
                for part in (0.05, 0.1, 0.4, 0.8, 1.0):
                    at = (round(start[i] + (end[i] - start[i]) * part) for i in (0, 1))
                    self.tool("mousemove", *at)
        finally:
            self.tool("mouseup", button)
            if keys:
                self.tool("keyup", keys)

    def wheel(self, at: Place, clicks: int) -> None:
        """Turn the wheel down, or up if negative."""
        self.tool("mousemove", *at, "click", "--repeat", abs(clicks), "--delay", 5, 5 if clicks > 0 else 4)

    def key(self, *names: str) -> None:
        """Press keys such as `Return` or `ctrl+s`, one after the other."""
        self.tool("key", "--delay", TYPING_MS, *names)

    def type(self, text: str) -> None:
        """Type a text."""
        self.tool("type", "--delay", TYPING_MS, text)

    # ------------------------------------------------------------------ what a user calls it

    def start_over(self) -> None:
        """Close what is open over the window, and take every change of the strategy back."""
        self.key("Escape", "Escape")
        self.click(center(self.ask("empty")))
        until(lambda: self.ask("selection") == [] and self.ask("focus")["name"] == "Canvas", "the canvas")
        while "*" in self.ask("title"):
            self.key("ctrl+z")
        self.key("ctrl+1")

    def press(self, text: str, kind: str = "QAbstractButton") -> None:
        """Click a button by what is on it or what its tooltip says."""
        self.click(center(self.wait("find", kind, text)[0]["rect"]))

    def menu(self, *texts: str) -> None:
        """Choose an entry of the menu bar, or of a menu that is open, through its submenus."""
        for text in texts:
            self.click(center(self.wait("entry", text)))

    def fill(self, text: str, *path: str, enter: bool = True) -> None:
        """Click into a field of the inspector, replace what is there, and press Enter."""
        self.click(center(self.show_field(*path)))
        until(lambda: self.ask("field", *path)["focus"], f"the focus in {path}")
        self.key("ctrl+a")
        self.type(text)
        if enter:
            self.key("Return")

    def show_field(self, *path: str) -> list[int]:
        """Wait until a field of the inspector is at its place, and return where it is."""
        places: list[Any] = [None]

        def is_at_rest() -> bool:
            found = self.ask("field", *path)
            places.append(found["rect"] if found is not None and found["visible"] else None)
            return places[-1] is not None and places[-1] == places[-2]

        until(is_at_rest, f"the field {path}")
        return list(places[-1])

    def scroll_to_field(self, *path: str) -> list[int]:
        """Turn the wheel over the inspector until a field can be seen, and return where it is."""
        place = center(self.wait("find", "Inspector")[0]["rect"])
        for _ in range(20):
            if self.wait("field", *path)["visible"]:
                return self.show_field(*path)
            self.wheel(place, 3)
        raise AssertionError(f"The field {path} can't be seen.")

    def show_row(self, text: str, view: str) -> list[int]:
        """Turn the wheel over a list that is complete until a row can be seen, and return where it is."""
        self.wait("components_listed")
        place = center(self.wait("find", "QAbstractItemView", view)[0]["rect"])
        for clicks in (*[0] * 5, *[3] * 12, *[-3] * 12):
            found = self.ask("row", text, view)
            if found is not None:
                return list(found)
            if clicks:
                self.wheel(place, clicks)
        raise AssertionError(f"'{text}' is not in '{view}'.")

    def select(self, node: str) -> None:
        """Click the header of a node."""
        self.click(center(self.ask("node", node)))
        until(lambda: self.ask("selection") == [node], f"'{node}' selected")

    def drag_wire(self, source: str, output: str, target: str, port: str) -> None:
        """Drag a wire from an output to an input."""
        start, end = self.ask("port", source, "out", output), self.ask("port", target, "in", port)
        self.drag(center(start), center(end))
        wanted = f"{source}.{output} > {target}.{port}"
        until(lambda: wanted in self.ask("wires"), f"the wire {wanted}")


def seen_before(home: Path) -> None:
    """Let the application start as for a user who has seen the tour."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "desktop.json").write_text('{"tour_done": true}', encoding="utf-8")


@contextmanager
def real_window(display: str, home: Path, *files: Path, **environment: str) -> Iterator[RealWindow]:
    """Start the application on a screen; it is ended at the latest after the block.

    `QUANTCRAFTER_HOME` is `home`, so that nothing of an earlier start shows.
    """
    home.mkdir(parents=True, exist_ok=True)
    settings = {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "QT_IM_MODULE": "none", "HOME": str(home), **environment}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.window_probe", *map(str, files)],
        cwd=ROOT,
        env=clean_environment(home, **settings),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    window = RealWindow(process, display, home)
    try:
        until(lambda: "window usable" in window.log or process.poll() is not None, "the window")
        until(lambda: _tool(display, "search", "--onlyvisible", "--pid", str(process.pid)), "the window on the screen")
        yield window
    except BaseException as error:
        if shutil.which("import") is not None:
            error.add_note(f"The screen is in {window.picture(home / 'failed.png')}.")
        raise
    finally:
        window.close()
