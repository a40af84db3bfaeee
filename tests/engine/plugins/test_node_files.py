"""Nodes in one file: a .py file of the user's folder is a plugin once it is allowed."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from quantcrafter.engine.api import PluginError, Role
from quantcrafter.engine.api.foreign import TooLongError, foreign
from quantcrafter.engine.plugins import (
    PluginInfo,
    PluginStatus,
    allow_file,
    create_node_file,
    forget_registry,
    fresh_registry,
    installed_plugins,
    load_registry,
    node_folder,
    set_enabled,
)
from tests.support.plugin_packages import plugin_site

LINE = '''\
from quantcrafter import FloatColumn, Indicator, Logic, SeriesInput, port


class _Base(Indicator):
    line: SeriesInput = port("The line.", default="bars.close")


class Double(_Base):
    """Give twice the value of a line. Known at the bar's close."""

    name = "my.double"

    def compute(self, line: FloatColumn) -> FloatColumn:
        return line * 2.0


class Half(Logic):
    """Give half the value of a line. Known at the bar's close."""

    name = "my.half"
    line: SeriesInput = port("The line.", default="bars.close")

    def compute(self, line: FloatColumn) -> FloatColumn:
        return line / 2.0
'''
STRATEGY = """\
quantcrafter: 1
instruments: [{symbol: X, data: synthetic, timeframe: 1h, bars: 300, seed: 3}]
indicators: {slow: {use: ta.SMA, input: twice, timeperiod: 10}, twice: {use: my.double}}
advisors: {cross: {use: crossover, fast: twice, slow: slow, direction: long}}
money: {size: {use: fixed_quantity, quantity: 1}}
execution: {entry: {use: market, signals: [cross], money: size}}
"""


@pytest.fixture
def nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with plugin_site(tmp_path, monkeypatch):
        node_folder().mkdir(parents=True)
        yield node_folder()


def write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    forget_registry()


def plugin(name: str) -> PluginInfo:
    return next(info for info in load_registry().plugins if info.name == name)


def test_a_file_is_not_run_before_it_is_allowed(nodes: Path) -> None:
    write(nodes / "lines.py", f"raise SystemExit\n{LINE}")
    assert plugin("lines").status is PluginStatus.NOT_ALLOWED
    assert load_registry().component(Role.INDICATOR, "my.double") is None
    problem = next(each for each in load_registry().problems if each.code == "plugin_not_allowed")
    assert str(nodes / "lines.py") in problem.message
    assert "quantcrafter plugins allow lines" in problem.remedy


def test_an_allowed_file_brings_its_classes_and_stays_allowed_when_it_changes(nodes: Path) -> None:
    write(nodes / "lines.py", LINE)
    assert allow_file("lines.py").status is PluginStatus.LOADED
    info = plugin("lines")
    assert info.provides == {"indicators": ("my.double",), "logic": ("my.half",)}
    assert info.file == str(nodes / "lines.py")
    write(nodes / "lines.py", LINE.replace("my.half", "my.other"))
    assert plugin("lines").provides["logic"] == ("my.other",)


def test_a_file_with_hooks_is_read_by_them(nodes: Path) -> None:
    hooks = "\n\nfrom quantcrafter import hookimpl\n\n@hookimpl\ndef register_logic():\n    return [Half]\n"
    write(nodes / "lines.py", LINE + hooks)
    allow_file("lines")
    assert plugin("lines").provides == {"logic": ("my.half",)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import math\n\n\nmath.nothing\n", "bad.py, line 4: AttributeError: module 'math' has no attribute 'nothing'"),
        ("x = 1\ndef f(:\n", "bad.py, line 2: SyntaxError: invalid syntax"),
        ("def f():\n    return 1 / 0\n\nf()\n", "bad.py, line 2: ZeroDivisionError: division by zero"),
        ("x = 1\n", "'bad.py' defines no component: derive a class from Indicator"),
        (LINE.replace('    """Give twice the value of a line. Known at the bar\'s close."""\n', ""), "no docstring"),
    ],
)
def test_a_fault_names_the_file_and_the_line_and_leaves_the_others_in(nodes: Path, text: str, message: str) -> None:
    write(nodes / "bad.py", text)
    write(nodes / "lines.py", LINE)
    allow_file("lines")
    allow_file("bad")
    assert plugin("bad").status is PluginStatus.FAILED
    assert message in plugin("bad").error
    problem = next(each for each in load_registry().problems if each.code == "plugin")
    assert f"Fix the file '{nodes / 'bad.py'}'" in problem.remedy
    assert plugin("lines").status is PluginStatus.LOADED


def test_files_for_oneself_are_left_alone(nodes: Path) -> None:
    for name in ("_helper.py", ".hidden.py", "notes.txt"):
        write(nodes / name, LINE)
    (nodes / "folder.py").mkdir()
    assert not [info for info in installed_plugins() if info.file]


def test_a_file_can_be_disabled_and_enabled_and_what_is_allowed_stays(nodes: Path) -> None:
    write(nodes / "lines.py", LINE)
    allow_file("lines")
    set_enabled("lines", enabled=False)
    assert plugin("lines").status is PluginStatus.DISABLED
    set_enabled("lines", enabled=True)
    assert plugin("lines").status is PluginStatus.LOADED


def test_a_name_without_a_file_is_refused(nodes: Path) -> None:
    with pytest.raises(PluginError, match=r"There is no node file 'line\.py' in .* The folder has none"):
        allow_file("line")
    write(nodes / "lines.py", LINE)
    with pytest.raises(PluginError, match="Did you mean 'lines'"):
        allow_file("line")


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "quantcrafter.engine.cli", *arguments], capture_output=True, text=True, check=False
    )


def test_a_strategy_runs_with_a_node_file_by_the_command_line(nodes: Path, tmp_path: Path) -> None:
    write(nodes / "lines.py", LINE)
    strategy = tmp_path / "strategy.yaml"
    strategy.write_text(STRATEGY, encoding="utf-8")
    before = command("run", str(strategy))
    assert before.returncode == 2
    assert "'my.double'" in before.stderr
    assert "not allowed the node file 'lines.py'" in before.stderr
    assert command("plugins", "allow", "lines").returncode == 0
    after = command("run", str(strategy), "--json", "-")
    assert after.returncode == 0, after.stderr
    assert json.loads(after.stdout)["metrics"]["trades"] > 0
    listed = json.loads(command("plugins", "list", "--json").stdout)
    assert [each["file"] for each in listed if each["name"] == "lines"] == [str(nodes / "lines.py")]


def test_a_registry_takes_over_what_a_changed_file_brings_for_all_that_hold_it(nodes: Path) -> None:
    write(nodes / "lines.py", LINE)
    allow_file("lines")
    held = load_registry()
    before = held.component(Role.INDICATOR, "my.double")
    sma = held.component(Role.INDICATOR, "ta.SMA")
    (nodes / "lines.py").write_text(LINE.replace("my.half", "my.other"), encoding="utf-8")
    fresh = fresh_registry()
    assert held.component(Role.LOGIC, "my.half") is not None, "loading changes nothing yet"
    held.take_over(fresh)
    assert load_registry() is held
    assert held.component(Role.LOGIC, "my.half") is None
    assert held.component(Role.LOGIC, "my.other") is not None
    assert held.component(Role.INDICATOR, "my.double") is not before
    assert held.component(Role.INDICATOR, "ta.SMA") is sma, "built once"
    assert held.owner("logic", "my.other") == "lines"


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        ("broken", ["'my.double' is not available", "lines.py, line 1: NameError: name 'broken' is not defined"]),
        ("", ["'my.double' is not available", "you have not allowed the node file 'lines.py' yet"]),
    ],
)
def test_a_strategy_says_which_file_would_bring_its_component(
    nodes: Path, tmp_path: Path, spoil: str, words: list[str]
) -> None:
    write(nodes / "lines.py", f"{spoil}\n{LINE}")
    if spoil:
        allow_file("lines")
    strategy = tmp_path / "strategy.yaml"
    strategy.write_text(STRATEGY, encoding="utf-8")
    found = command("validate", str(strategy))
    assert found.returncode == 2
    text = " ".join(found.stderr.split())
    assert all(word in text for word in words), text


def test_an_error_while_computing_names_the_file_and_the_line(nodes: Path, tmp_path: Path) -> None:
    text = LINE.replace("return line * 2.0", "return twice(line)") + "\n\ndef twice(line):\n    return line * nothing\n"
    write(nodes / "lines.py", text)
    line = text.splitlines().index("    return line * nothing") + 1
    allow_file("lines")
    strategy = tmp_path / "strategy.yaml"
    strategy.write_text(STRATEGY, encoding="utf-8")
    found = command("run", str(strategy))
    assert found.returncode != 0
    assert f"name 'nothing' is not defined (lines.py, line {line})" in " ".join(found.stderr.split())


def test_a_call_in_a_thread_ends_at_its_limit() -> None:
    outcome: list[object] = []

    def work() -> None:
        try:
            with foreign("Plugin 'x'", "loading", limit_s=0.2):
                while True:
                    pass
        except TooLongError as error:
            outcome.append(str(error))
        with foreign("Plugin 'x'", "loading", limit_s=0.05):
            pass
        time.sleep(0.2)  # nothing comes after the end of a call
        outcome.append("on")

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(20)
    assert outcome == ["took longer than 0 s", "on"]


def test_a_new_node_file_works_and_is_not_written_over(nodes: Path) -> None:
    path = create_node_file("swing_size")
    assert path == nodes / "swing_size.py"
    allow_file("swing_size")
    assert plugin("swing_size").provides == {"indicators": ("my.swing_size",)}
    with pytest.raises(PluginError, match="already exists"):
        create_node_file("swing_size")


@pytest.mark.parametrize("name", ["", "Swing", "my-node", "class", "../out", "1st", "a" * 41])
def test_a_name_that_can_not_be_that_of_a_file_is_refused(nodes: Path, name: str) -> None:
    with pytest.raises(PluginError, match="A node file's name has"):
        create_node_file(name)
    assert not list(nodes.iterdir())
