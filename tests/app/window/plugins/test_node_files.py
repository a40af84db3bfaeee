"""Node files while the window is open: a save is loaded, an error is shown at the node and goes when it is repaired."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QAbstractButton, QLabel
from pytestqt.qtbot import QtBot

from quantcrafter.app.dialogs.node_file import NewNodeFileDialog, NodeFileDialog
from quantcrafter.app.dialogs.plugins import NAME_ROLE, PluginsDialog
from quantcrafter.app.inspector.form_view import FormView
from quantcrafter.app.window.desktop import Desktop
from quantcrafter.app.window.plugins import node_files as controller
from quantcrafter.app.window.plugins.node_notice import NodeFileNotice
from quantcrafter.engine.api import Role
from quantcrafter.engine.plugins import allow_file, load_registry, node_folder
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from tests.support.children import children
from tests.support.desktop import open_window, tab_of
from tests.support.modal import answering
from tests.support.plugin_packages import plugin_site

pytestmark = pytest.mark.logs_errors  # what fails here on purpose is logged

WAIT_MS = 60_000
LINE = '''\
from quantcrafter import FloatColumn, Indicator, SeriesInput, param, port


class Double(Indicator):
    """Give a multiple of a line. Known at the bar's close."""

    name = "my.double"
    line: SeriesInput = port("The line.", default="bars.close")

    def compute(self, line: FloatColumn) -> FloatColumn:
        return line * 2.0
'''
STRATEGY = """\
quantcrafter: 1
instruments: [{symbol: X, data: synthetic, timeframe: 1h, bars: 300, seed: 3}]
indicators:
  twice: {use: my.double}
  slow: {use: ta.SMA, input: twice, timeperiod: 10}
advisors: {cross: {use: crossover, fast: twice, slow: slow, direction: long}}
money: {size: {use: fixed_quantity, quantity: 1}}
execution: {entry: {use: market, signals: [cross], money: size}}
"""


@pytest.fixture
def nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with plugin_site(tmp_path, monkeypatch):
        yield node_folder()


@pytest.fixture
def strategy(tmp_path: Path) -> Path:
    path = tmp_path / "doubled.yaml"
    path.write_text(STRATEGY, encoding="utf-8")
    return path


@pytest.fixture
def desktop(qtbot: QtBot, nodes: Path, strategy: Path) -> Iterator[Desktop]:
    """Give a window with a strategy whose node is in a file that is allowed."""
    nodes.mkdir(parents=True)
    (nodes / "lines.py").write_text(LINE, encoding="utf-8")
    allow_file("lines")
    with open_window(qtbot, strategy) as made:
        yield made


def save(qtbot: QtBot, desktop: Desktop, text: str, name: str = "lines") -> None:
    """Save a node file as many editors do, by a rename, and wait until it is loaded."""
    new = node_folder() / f".{name}.new"
    new.write_text(text, encoding="utf-8")
    with qtbot.waitSignal(desktop.node_files.loaded, timeout=WAIT_MS):
        new.replace(node_folder() / f"{name}.py")


def errors(desktop: Desktop) -> list[tuple[str, str]]:
    return [(problem.node, problem.message) for problem in tab_of(desktop).document.problems if problem.node]


def notice(desktop: Desktop) -> NodeFileNotice | None:
    return next((each for each in children(tab_of(desktop), NodeFileNotice) if each.isVisible()), None)


def shown_notice(qtbot: QtBot, desktop: Desktop) -> NodeFileNotice:
    qtbot.waitUntil(lambda: notice(desktop) is not None)
    found = notice(desktop)
    assert found is not None
    return found


def test_an_error_is_shown_at_the_node_and_goes_when_the_file_is_repaired(qtbot: QtBot, desktop: Desktop) -> None:
    tab = tab_of(desktop)
    tab.document.set_text(tab.document.text.replace("timeperiod: 10", "timeperiod: 12"), label="Change the period")
    tab.canvas.select(("twice",))
    text = tab.document.text
    assert errors(desktop) == []
    save(qtbot, desktop, LINE + "\nbroken\n")
    line = len(LINE.splitlines()) + 2
    wanted = f"lines.py, line {line}: NameError: name 'broken' is not defined"
    [(node, message)] = errors(desktop)
    assert node == "twice"
    assert wanted in message
    bar = shown_notice(qtbot, desktop)
    assert wanted in bar.text.text()
    inspector = desktop.docks.inspector
    qtbot.waitUntil(lambda: any(wanted in label.text() for label in children(inspector, QLabel)))
    status = desktop.shell.status
    qtbot.waitUntil(lambda: any("Errors: 1" in each.text() for each in children(status, QAbstractButton)))
    qtbot.waitUntil(lambda: tab.canvas.scene.nodes["twice"].badge == "error")
    save(qtbot, desktop, LINE)
    assert errors(desktop) == []
    qtbot.waitUntil(lambda: notice(desktop) is None)
    qtbot.waitUntil(lambda: tab.canvas.scene.nodes["twice"].badge is None)
    assert tab.document.text == text
    assert tab.selection == ("twice",)
    assert tab.document.undo_label == "Change the period"


def test_what_a_file_adds_is_in_palette_quick_add_and_inspector(qtbot: QtBot, desktop: Desktop) -> None:
    tab = tab_of(desktop)
    tab.canvas.select(("twice",))
    more = LINE.replace(
        "\n    def compute", '    factor: float = param("By what it is multiplied.", default=3.0)\n\n    def compute'
    )
    more += LINE[LINE.index("\n\nclass") :].replace("Double", "Half").replace("my.double", "my.half")
    save(qtbot, desktop, more)
    palette = desktop.docks.palette
    qtbot.waitUntil(lambda: palette.index.component(Role.INDICATOR, "my.half") is not None)
    assert (Role.INDICATOR, "my.half") in {(entry.role, entry.use) for entry in palette.index.entries}
    tab.canvas.quick_add()
    popup = tab.canvas.quick_add_controller.popup
    assert "my.half" in {offer.use for offer in popup.model.offers}
    popup.dismiss()
    inspector = desktop.docks.inspector
    qtbot.waitUntil(lambda: any(("factor",) in view.rows for view in children(inspector, FormView)))


def test_a_run_uses_the_new_code_and_the_one_before_is_out_of_date(qtbot: QtBot, desktop: Desktop) -> None:
    tab = tab_of(desktop)
    runs = desktop.runs.of(tab)

    def run() -> RunFolder:
        with qtbot.waitSignal(runs.finished, timeout=WAIT_MS):
            desktop.runs.run()
        assert runs.run is not None
        return runs.run

    before = run().column("twice")
    process = desktop.engine.pid
    assert not runs.is_stale
    save(qtbot, desktop, LINE.replace("2.0", "3.0"))
    assert runs.is_stale
    after = run().column("twice")
    assert desktop.engine.pid != process
    assert not runs.is_stale
    assert after[0] == before[0] * 1.5


def test_a_run_in_progress_ends_with_the_code_it_began_with_and_is_out_of_date(
    qtbot: QtBot, desktop: Desktop, tmp_path: Path
) -> None:
    runs = desktop.runs.of(tab_of(desktop))
    begun = tmp_path / "begun"
    wait = (
        f"__import__('pathlib').Path({str(begun)!r}).touch()\n        __import__('time').sleep(4)\n        return line"
    )
    save(qtbot, desktop, LINE.replace("return line", wait))
    with qtbot.waitSignal(runs.finished, timeout=WAIT_MS):
        desktop.runs.run()
        qtbot.waitUntil(begun.exists, timeout=WAIT_MS)
        save(qtbot, desktop, LINE.replace("2.0", "3.0"))
        assert runs.running is not None, "loading does not wait for the run"
    assert runs.run is not None
    first = runs.run.column("twice")[0]
    assert runs.is_stale
    with qtbot.waitSignal(runs.finished, timeout=WAIT_MS):
        desktop.runs.run()
    assert runs.run.column("twice")[0] == first * 1.5
    assert not runs.is_stale


def test_an_error_in_a_run_is_shown_at_the_node_and_goes_with_the_repair(qtbot: QtBot, desktop: Desktop) -> None:
    save(qtbot, desktop, LINE.replace("line * 2.0", "line * nothing"))
    runs = desktop.runs.of(tab_of(desktop))
    with qtbot.waitSignal(runs.failed, timeout=WAIT_MS):
        desktop.runs.run()
    assert runs.failure is not None
    assert runs.failure.node == "twice"
    assert f"(lines.py, line {len(LINE.splitlines())})" in runs.failure.message
    save(qtbot, desktop, LINE)
    assert runs.failure is None


def test_a_new_file_is_used_once_it_is_allowed(qtbot: QtBot, nodes: Path, strategy: Path) -> None:
    with open_window(qtbot, strategy) as desktop:  # there is no folder yet
        assert "There is no component 'my.double'" in errors(desktop)[0][1]
        nodes.mkdir(parents=True)
        save(qtbot, desktop, f"raise SystemExit\n{LINE}")
        assert "not allowed the node file 'lines.py'" in errors(desktop)[0][1]
        bar = shown_notice(qtbot, desktop)
        assert "“lines.py” is not used yet. It runs with all your permissions." in bar.text.text()
        save(qtbot, desktop, LINE)
        bar = shown_notice(qtbot, desktop)
        with (
            qtbot.waitSignal(desktop.node_files.loaded, timeout=WAIT_MS),
            answering(NodeFileDialog, _read_and_allow),
        ):
            bar.show_button.click()
        assert errors(desktop) == []
        qtbot.waitUntil(lambda: notice(desktop) is None)


def _read_and_allow(dialog: NodeFileDialog) -> None:
    assert dialog.text.toPlainText() == LINE
    dialog.allow_button.click()


def test_the_plugins_dialog_allows_a_file(qtbot: QtBot, nodes: Path, strategy: Path) -> None:
    nodes.mkdir(parents=True)
    (nodes / "lines.py").write_text(LINE, encoding="utf-8")

    with open_window(qtbot, strategy) as desktop:

        def act(dialog: PluginsDialog) -> None:
            items = [dialog.table.topLevelItem(number) for number in range(dialog.table.topLevelItemCount())]
            item = next(item for item in items if item is not None and item.data(0, NAME_ROLE) == "lines")
            dialog.table.setCurrentItem(item)
            assert item.text(2) == "Not allowed yet"
            assert str(nodes / "lines.py") in dialog.details.toPlainText()
            assert not dialog.enabled.isVisible()
            with qtbot.waitSignal(desktop.node_files.loaded, timeout=WAIT_MS):
                dialog.allow.click()
            current = dialog.table.currentItem()
            assert (current.data(0, NAME_ROLE), current.text(2)) == ("lines", "On")
            assert not dialog.allow.isVisible()
            dialog.close_button.click()

        with answering(PluginsDialog, act):
            desktop.dialogs.plugins()
        assert errors(desktop) == []


def test_a_file_that_never_ends_does_not_hold_the_window_up(
    qtbot: QtBot, desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quantcrafter.engine.plugins.manager.NODE_FILE_LIMIT_S", 1.0)
    (node_folder() / "lines.py").write_text(LINE + "\nwhile True:\n    pass\n", encoding="utf-8")
    longest, last = 0.0, time.monotonic()
    with qtbot.waitSignal(desktop.node_files.loaded, timeout=WAIT_MS) as waiting:
        while not waiting.signal_triggered:
            qtbot.wait(10)
            now = time.monotonic()
            longest, last = max(longest, now - last), now
    assert longest < 1.0
    assert "its import took longer than 1 s" in errors(desktop)[0][1]
    save(qtbot, desktop, LINE)
    assert errors(desktop) == []


def test_a_new_node_file_is_made_allowed_and_opened(
    qtbot: QtBot, desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []

    def open_in_editor(path: Path) -> bool:
        opened.append(path)
        return True

    monkeypatch.setattr(controller, "open_in_editor", open_in_editor)

    def act(dialog: NewNodeFileDialog) -> None:
        dialog.name.setText("Not a name")
        dialog.create_button.click()
        assert "A node file's name has" in dialog.reason.text()
        dialog.name.setText("swing")
        dialog.create_button.click()

    with qtbot.waitSignal(desktop.node_files.loaded, timeout=WAIT_MS), answering(NewNodeFileDialog, act):
        desktop.shell.actions.trigger("edit.new_node_file")
    assert opened == [node_folder() / "swing.py"]
    assert desktop.catalog.component(Role.INDICATOR, "my.swing") is not None
    assert load_registry() is desktop.catalog
