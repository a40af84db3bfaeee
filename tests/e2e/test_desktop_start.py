from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from quantcrafter.app.window.recovery.store import Recovery
from quantcrafter.engine.api.home import home
from tests.support.command_line import ROOT, clean_environment, quantcrafter
from tests.support.desktop import EXAMPLES, copy_example
from tests.support.running_app import running_app

HEAVY = ("numba", "pandas", "polars", "plotly", "backtrader")


def test_the_app_starts_on_a_file_and_ends_in_order_on_ctrl_c(tmp_path: Path) -> None:
    with running_app(tmp_path, EXAMPLES / "golden_cross.yaml") as app:
        app.wait_for("window painted")
        app.wait_for("window usable")

        assert app.end(signal.SIGINT) == 130

    assert "Traceback" not in app.log
    assert (tmp_path / "desktop.json").is_file()


def test_a_second_start_finds_what_the_first_remembered(tmp_path: Path) -> None:
    for _ in range(2):
        with running_app(tmp_path, EXAMPLES / "golden_cross.yaml") as app:
            app.wait_for("window usable")
            app.end(signal.SIGTERM)

    assert "golden_cross" in (tmp_path / "desktop.json").read_text(encoding="utf-8")
    assert list((tmp_path / "logs").glob("desktop-*.txt")) == []


EDIT_AND_WAIT = """
import sys
from pathlib import Path
from PySide6.QtCore import QTimer
from quantcrafter.app.main import open_app
from quantcrafter.app.window.startup import start_steps as start

def edit(self):
    desktop = self._shell.desktop
    desktop.settings.tour_done = True
    desktop.tab.document.set_text(desktop.tab.document.text + "# last words\\n")

start.Start._guide = edit
sys.exit(open_app([Path(sys.argv[1])]))
"""


@pytest.mark.parametrize("number", [getattr(signal, name) for name in ("SIGTERM", "SIGKILL") if hasattr(signal, name)])
def test_unsaved_work_survives_the_end_of_the_process(number: signal.Signals, tmp_path: Path) -> None:
    file = copy_example("golden_cross", tmp_path)
    with running_app(home(), file, program=EDIT_AND_WAIT) as app:
        app.wait_for("window usable")
        app.end(number)

    (left,) = Recovery().find()
    assert left.path == file
    assert left.text.endswith("# last words\n")
    assert "last words" not in file.read_text(encoding="utf-8")


LOOK_AT_MODULES = """
import sys
from pathlib import Path
from PySide6.QtCore import QEventLoop
from quantcrafter.app.services.settings import Settings
from quantcrafter.app.window.startup.application import make_application
from quantcrafter.app.window.shell import Shell
app = make_application("light")
desktop = Shell(Settings()).desktop
desktop.window.show()
for file in sys.argv[1:]:
    tab = desktop.file_controller.open(Path(file))
    tab.document.problems
    app.processEvents()
tab.canvas.select_all()
app.processEvents()
job = desktop.runs.try_out()
loop = QEventLoop()
job.ended.connect(loop.quit)
loop.exec()
for name in desktop.docks.docks:
    desktop.docks.show(name)
    app.processEvents()
tab.session.go_to(tab.session.run.warmup + 50)
app.processEvents()
print(tab.session.run.strategy, len(tab.session.run.trades), file=sys.stderr)
desktop.shell.shut()
print(",".join(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def test_the_ui_process_imports_no_heavy_library(tmp_path: Path) -> None:
    files = sorted(EXAMPLES.glob("*.yaml"))
    done = subprocess.run(
        [sys.executable, "-c", LOOK_AT_MODULES, *map(str, files)],
        cwd=ROOT,
        env=clean_environment(tmp_path, QT_QPA_PLATFORM="offscreen"),
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )

    assert done.returncode == 0, done.stderr
    assert "Weekly trend, daily entry" in done.stderr  # it was run
    loaded = set(done.stdout.strip().split(","))
    assert "PySide6" in loaded
    assert loaded.isdisjoint(HEAVY)


def test_a_screenshot_needs_no_display_and_remembers_nothing(tmp_path: Path) -> None:
    picture = tmp_path / "pictures" / "app.png"
    done = quantcrafter(
        "app",
        str(EXAMPLES / "golden_cross.yaml"),
        "--screenshot",
        str(picture),
        "--theme",
        "dark",
        home=tmp_path / "home",
        DISPLAY="",
        WAYLAND_DISPLAY="",
        QT_QPA_PLATFORM="",
    )

    assert done.returncode == 0, done.stderr
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert not (tmp_path / "home" / "desktop.json").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems always have a display")
def test_without_a_display_the_app_says_so(tmp_path: Path) -> None:
    done = quantcrafter("app", home=tmp_path, DISPLAY="", WAYLAND_DISPLAY="", QT_QPA_PLATFORM="")

    assert done.returncode == 1
    assert "needs a display" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_qt_the_app_says_what_to_install(tmp_path: Path) -> None:
    program = (
        "import sys, importlib.util as util; real = util.find_spec;"
        "util.find_spec = lambda name, *rest: None if name == 'PySide6' else real(name, *rest);"
        "from quantcrafter.engine.cli.main import main; sys.exit(main(['app']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=clean_environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 1
    assert 'pip install "quantcrafter[desktop]"' in done.stderr


def test_a_wrong_size_is_refused_in_words(tmp_path: Path) -> None:
    done = quantcrafter("app", "--screenshot", str(tmp_path / "a.png"), "--size", "large", home=tmp_path)

    assert done.returncode == 2
    assert "1280x720" in done.stderr
