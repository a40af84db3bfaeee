"""The entry point: exit codes, streams, and no traceback whatever happens."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from quantcrafter.engine.api import DataError, PluginError, Problem, RunCancelledError, RunError, SpecError
from quantcrafter.engine.cli import commands
from quantcrafter.engine.cli.main import main
from tests.support.command_line import clean_environment, quantcrafter


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the user's directory."""
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def command_raises(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Return a function that makes every command raise."""

    def install(error: BaseException) -> None:
        def fail(_arguments: list[str]) -> int:
            raise error

        monkeypatch.setattr(commands, "run_app", fail)

    return install


def test_the_version_is_printed_without_loading_the_engine(home: Path) -> None:
    done = quantcrafter("--version", home=home)

    assert (done.returncode, done.stdout, done.stderr) == (0, "QuantCrafter 0.1.0\n", "")
    listing = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "quantcrafter.engine.cli", "--version"],
        env=clean_environment(home),
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {line.rpartition("|")[2].strip() for line in listing.stderr.splitlines()}
    assert not loaded & {"numpy", "typer", "rich", "pydantic", "quantcrafter.engine.api"}


def test_version_may_stand_among_other_options(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--verbose", "-V"]) == 0
    assert capsys.readouterr().out == "QuantCrafter 0.1.0\n"


def test_without_arguments_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "validate" in capsys.readouterr().out


def test_an_unknown_command_suggests_the_nearest_and_ends_with_2(home: Path) -> None:
    done = quantcrafter("validat", "x.yaml", home=home)

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == ("error: No such command 'validat'. Did you mean 'validate'?\nTry 'quantcrafter --help'.\n")


@pytest.mark.parametrize(
    "arguments", [["run"], ["run", "--wrong"], ["lookahead", "a", "--cuts", "x"], ["nodes", "a", "b"]]
)
def test_wrong_arguments_end_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    shown = capsys.readouterr()
    assert shown.err.startswith("error: ")
    assert shown.err.endswith(f"Try 'quantcrafter {arguments[0]} --help'.\n")


def test_a_wrong_file_prints_every_problem_and_ends_with_2(
    command_raises: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str]
) -> None:
    first = Problem("a", "First.", "Fix it.", file="s.yaml", line=3, column=5)
    command_raises(SpecError([first, Problem("b", "Second.", file="s.yaml")]))

    assert main(["run", "s.yaml"]) == 2
    assert capsys.readouterr().err == "s.yaml:3:5: error: First. Fix it.\ns.yaml: error: Second.\n"


@pytest.mark.parametrize(
    ("error", "code"),
    [(DataError("No bars for AAPL."), 1), (PluginError("No plugin."), 2)],
)
def test_an_error_of_ours_is_one_line(
    command_raises: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str], error: Exception, code: int
) -> None:
    command_raises(error)

    assert main(["run", "s.yaml"]) == code
    assert capsys.readouterr().err == f"error: {error}\n"


def test_a_cancelled_run_is_no_error(
    command_raises: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str]
) -> None:
    command_raises(RunCancelledError("Cancelled."))

    assert main(["run", "s.yaml"]) == 130
    assert capsys.readouterr().err == "Stopped. Nothing was written.\n"


def test_an_unexpected_error_is_one_line_and_a_file(
    command_raises: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    command_raises(ValueError("two\nlines"))

    assert main(["run", "s.yaml"]) == 1

    (crash,) = (home / "logs").iterdir()
    shown = capsys.readouterr().err
    assert shown == f"error: Unexpected ValueError: two lines\nThe full traceback was written to {crash}\n"
    assert "in fail" in crash.read_text(encoding="utf-8")


def test_verbose_shows_the_traceback_wherever_it_stands(
    command_raises: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str]
) -> None:
    command_raises(ValueError("broken"))

    assert main(["run", "s.yaml", "--verbose"]) == 1
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_verbose_shows_no_traceback_of_an_error_whose_text_says_all(
    command_raises: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str]
) -> None:
    command_raises(RunError("There are no strategies."))

    assert main(["run", "s.yaml", "--verbose"]) == 1
    assert capsys.readouterr().err == "error: There are no strategies.\n"


def test_a_crash_is_told_even_where_no_file_can_be_written(
    command_raises: Callable[[BaseException], None],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path / "file"))
    command_raises(ValueError("broken"))

    assert main(["run", "s.yaml"]) == 1
    assert "can't be written" in capsys.readouterr().err


def test_control_characters_in_a_message_do_not_reach_the_terminal(
    command_raises: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str]
) -> None:
    command_raises(DataError("evil \x1b[2J name"))

    main(["run", "s.yaml"])
    assert capsys.readouterr().err == "error: evil \\x1b[2J name\n"


def test_an_interrupt_is_one_line_and_130(
    command_raises: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str]
) -> None:
    command_raises(KeyboardInterrupt())

    assert main(["run", "s.yaml"]) == 130
    assert capsys.readouterr().err == "Interrupted.\n"


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX pipe")
def test_a_reader_that_goes_away_is_no_crash(home: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    process = subprocess.Popen(
        [sys.executable, "-m", "quantcrafter.engine.cli", "--help"],
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        env=clean_environment(home),
    )
    os.close(write)
    _, errors = process.communicate(timeout=60)

    assert errors == ""
    assert process.returncode == 1


def test_letters_that_the_terminal_lacks_are_replaced(home: Path) -> None:
    done = quantcrafter("validate", "früh.yaml", home=home, PYTHONUTF8="0", PYTHONIOENCODING="ascii")

    assert done.returncode == 2
    assert "fr?h.yaml" in done.stderr
    assert "Traceback" not in done.stderr


def test_json_goes_to_a_file_while_messages_go_to_a_terminal_or_a_pipe(home: Path, tmp_path: Path) -> None:
    kept = tmp_path / "nodes.json"
    with kept.open("w", encoding="utf-8") as file:
        done = subprocess.run(
            [sys.executable, "-m", "quantcrafter.engine.cli", "nodes", "--json"],
            env=clean_environment(home),
            stdout=file,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(kept.read_text(encoding="utf-8"))
