"""A stranger's strategy reads files of its own folder, and others only once the user has allowed them."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from quantcrafter.engine.api import QuantCrafterError, folders
from quantcrafter.engine.api.home import home
from quantcrafter.engine.cli.main import main
from quantcrafter.engine.live.beginning import about_strategy, strategy_from
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.allowed_folders import allow_folder, forget_folder
from quantcrafter.engine.runtime.running.load_graph import load_graph, load_text
from quantcrafter.engine.runtime.running.prepare import load_market

ROWS = "date,open,high,low,close,volume\n" + "".join(f"2020-01-{day:02d},10,11,9,10.5,5\n" for day in range(1, 31))
TABLE = "user,secret,a,b,c\nroot,SECRETPW,1,2,3\n"
EVENTS = "time\n2020-01-05\n"
STRATEGY = """\
quantcrafter: 1
name: stranger
instruments:
  - {{symbol: X, data: {data}, path: {path}, timeframe: 1d}}
{data_section}indicators:
  fast: {{use: ta.SMA, input: bars.close, timeperiod: 2}}
  slow: {{use: ta.SMA, input: bars.close, timeperiod: 3}}
advisors:
  cross: {{use: crossover, fast: fast, slow: slow}}
{filters}money:
  size: {{use: percent_of_equity, percent: 95}}
execution:
  entry: {{use: market, signals: [cross], money: size{use_filters}}}
"""
posix = pytest.mark.skipif(os.name != "posix", reason="such files are known on POSIX only")


@pytest.fixture(autouse=True)
def _nothing_is_allowed_and_nothing_hangs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Begin without a permission, and end a test that waits for a pipe."""
    monkeypatch.delenv("QUANTCRAFTER_ALLOW_FOLDERS", raising=False)
    monkeypatch.setattr("quantcrafter.engine.api.folders._given", {})
    if hasattr(signal, "SIGALRM"):
        signal.alarm(60)
    yield
    if hasattr(signal, "SIGALRM"):
        signal.alarm(0)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a folder with a strategy's folder `mine` and another one, `other`, that holds bars and a secret."""
    for name in ("mine/below", "other"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "other" / "bars.csv").write_text(ROWS)
    (tmp_path / "other" / "secret.csv").write_text(TABLE)
    (tmp_path / "other" / "events.csv").write_text(EVENTS)
    (tmp_path / "mine" / "bars.csv").write_text(ROWS)
    (tmp_path / "mine" / "below" / "bars.csv").write_text(ROWS)
    return tmp_path


def strategy(place: Path, path: str, data: str = "csv", events: str = "", feed: str = "") -> Path:
    """Write a strategy that names these files, and return its file."""
    import json

    file = place / "mine" / "stranger.yaml"
    feeds = f"data:\n  more: {{use: feed, symbol: Y, data: csv, path: {json.dumps(feed)}}}\n" if feed else ""
    filters = f"filters:\n  news: {{use: event_calendar, path: {json.dumps(events)}}}\n" if events else ""
    text = STRATEGY.format(
        data=data,
        path=json.dumps(path),
        data_section=feeds,
        filters=filters,
        use_filters=", filters: [news]" if events else "",
    )
    file.write_text(text)
    return file


def outcome(file: Path) -> str:
    """Return why a strategy's data is unavailable, or '' if it is available."""
    try:
        load_market(load_graph(file, load_registry()), lambda *_: None, lambda: False)
    except QuantCrafterError as error:
        return str(error)
    return ""


def test_files_below_the_strategys_folder_and_in_the_data_folders_are_read(place: Path) -> None:
    (home() / "data").mkdir(parents=True)
    (home() / "data" / "bars.csv").write_text(ROWS)
    for path in ("bars.csv", "./below/../bars.csv", "below/bars.csv", str(home() / "data" / "bars.csv")):
        assert outcome(strategy(place, path)) == ""


@pytest.mark.parametrize("path", ["../other/secret.csv", "{}/other/secret.csv", "below/../../other/secret.csv"])
@pytest.mark.parametrize("kind", ["data", "feed", "events"])
def test_a_file_elsewhere_is_refused_with_its_name_and_the_command_that_allows_it(
    place: Path, path: str, kind: str
) -> None:
    path = path.format(place)
    file = strategy(place, path) if kind == "data" else strategy(place, "bars.csv", **{kind: path})
    said = outcome(file)
    assert f"'{path}' lies outside the strategy's folder" in said
    named = place / "other" / Path(path).name
    assert f"strategies may not read '{named}'" in said
    assert (
        f"allow it: quantcrafter folders allow {named} (the window asks by itself). All files of its folder: " in said
    )
    assert f"quantcrafter folders allow {place / 'other'}." in said
    assert "stranger.yaml:" in said
    assert "SECRET" not in said


@posix
@pytest.mark.parametrize("kind", ["data", "feed", "events"])
def test_a_link_that_leads_elsewhere_is_refused(place: Path, kind: str) -> None:
    (place / "mine" / "link.csv").symlink_to(place / "other" / "secret.csv")
    file = strategy(place, "link.csv") if kind == "data" else strategy(place, "bars.csv", **{kind: "link.csv"})
    said = outcome(file)
    assert f"strategies may not read '{place / 'other' / 'secret.csv'}'" in said
    assert "SECRET" not in said
    (place / "mine" / "below" / "inside.csv").symlink_to(place / "mine" / "bars.csv")
    assert outcome(strategy(place, "below/inside.csv")) == ""


def test_an_allowed_folder_is_read_until_it_is_forgotten(place: Path) -> None:
    file = strategy(place, "../other/bars.csv", events="../other/events.csv")
    assert outcome(file) != ""
    assert allow_folder(place / "other") == (place / "other").resolve()
    assert outcome(file) == ""
    forget_folder(place / "other")
    assert outcome(file) != ""
    allow_folder(place / "other" / "bars.csv")
    assert "events.csv" in outcome(file)


@posix
def test_a_file_that_is_allowed_under_the_name_of_a_link_is_read(place: Path) -> None:
    (place / "short").symlink_to(place / "other")
    file = strategy(place, str(place / "short" / "bars.csv"))
    assert "quantcrafter folders allow" in outcome(file)
    allow_folder(place / "short" / "bars.csv")
    assert outcome(file) == ""
    assert "may not read" in outcome(strategy(place, str(place / "short" / "secret.csv")))


@posix
@pytest.mark.parametrize(
    "path",
    [
        *("~/.bashrc", "~/.ssh/keys.csv", "~/visible.csv", "/etc/shadow", "/etc/ssl/x.csv", "/x.csv", "/home/x.csv"),
        *("/home/somebody/x.csv", "/usr/share/x.csv", "/root/x.csv", "{}/sticky/x.csv"),
        *("/tmp/x.csv", "/var/tmp/x.csv"),  # noqa: S108 - never opened
    ],
)
def test_no_home_no_system_folder_and_no_shared_folder_is_offered_beside_the_file(place: Path, path: str) -> None:
    (place / "sticky").mkdir()
    (place / "sticky").chmod(0o1777)
    said = outcome(strategy(place, path.format(place)))
    assert f"quantcrafter folders allow {Path(path.format(place)).expanduser()} (" in said
    assert "folder:" not in said


def test_the_environment_allows_folders_for_servers(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUANTCRAFTER_ALLOW_FOLDERS", os.pathsep.join(["relative", str(place / "other")]))
    assert outcome(strategy(place, "../other/bars.csv")) == ""


def test_a_path_given_on_the_command_line_is_read(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = strategy(place, "bars.csv")
    change = f"instruments.0.path={place / 'other' / 'bars.csv'}"
    assert main(["run", str(file), "-q", "--no-history", "--set", change]) == 0
    capsys.readouterr()


def test_a_path_in_overrides_of_others_is_confined_as_the_text_is(place: Path) -> None:
    text = strategy(place, "bars.csv").read_text()
    change = [f"instruments.0.path={place / 'other' / 'bars.csv'}"]
    with pytest.raises(QuantCrafterError, match="outside the strategy's folder"):
        load_text(text, load_registry(), base_dir=place / "mine", overrides=change)
    load_text(text, load_registry(), base_dir=place / "mine", overrides=change, by_hand=True)


def test_a_worker_goes_on_with_the_file_that_its_user_named(place: Path) -> None:
    text = strategy(place, "bars.csv").read_text()
    change = [f"instruments.0.path={place / 'other' / 'bars.csv'}"]
    registry = load_registry()
    graph = load_text(text, registry, base_dir=place / "mine", overrides=change, by_hand=True)
    folders._given.clear()  # as in another process
    about = about_strategy(graph.spec)
    assert strategy_from(about, registry).spec.overrides == tuple(change)
    folders._given.clear()
    with pytest.raises(QuantCrafterError, match="outside the strategy's folder"):
        strategy_from({**about, "by_hand": False}, registry)


def test_a_text_without_a_file_has_the_current_folder_for_its_own(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = strategy(place, "bars.csv").read_text()
    monkeypatch.chdir(place / "mine")
    load_market(load_text(text, load_registry()), lambda *_: None, lambda: False)
    with pytest.raises(QuantCrafterError, match="outside the strategy's folder"):
        load_text(text.replace("bars.csv", "../other/bars.csv"), load_registry())


def test_a_strategy_in_the_users_home_reads_only_what_lies_beside_it(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "home", lambda: place / "mine")
    monkeypatch.setenv("HOME", str(place / "mine"))
    (place / "mine" / ".hidden.csv").write_text(TABLE)
    assert outcome(strategy(place, "bars.csv")) == ""
    assert "may not read" in outcome(strategy(place, "below/bars.csv"))
    assert "may not read" in outcome(strategy(place, "~/.hidden.csv"))


NAMED = {
    "": "must not be empty|'path' is empty",
    ".": "is a folder",
    "~nosuchuser/x.csv": "another user's home folder",
    "~root/.bashrc": "another user's home folder",
    "http://127.0.0.1:9/x.csv": "a network address",
    "s3://b/x.parquet": "a network address",
    "file:///etc/passwd": "a network address",
    "\\\\127.0.0.1\\share\\x.csv": "on another computer",
    "*.csv": "wildcards are not expanded",
    "a" * 5000: "too long",
    "no.csv": "doesn't exist",
}
ODD = {
    "/dev/zero": "a device or a file of the system",
    "/dev/urandom": "a device or a file of the system",
    "/dev/stdin": "is the standard input",
    "/proc/self/environ": "a device or a file of the system",
    "/proc/kmsg": "a device or a file of the system",
    "/proc/self/../self/maps": "a device or a file of the system",
    "fifo.csv": "is a pipe, not a file",
    "socket.csv": "is a socket, not a file",
    "loop.csv": "symbolic links form a loop",
    "gone.csv": "is a link to a file that no longer exists",
    "proc.csv": "a device or a file of the system",
}


def make_odd(folder: Path) -> None:
    """Put a pipe, a socket and links of every kind into a folder."""
    os.mkfifo(folder / "fifo.csv")
    (folder / "loop.csv").symlink_to(folder / "loop.csv")
    (folder / "gone.csv").symlink_to(folder / "nothing")
    (folder / "proc.csv").symlink_to("/proc/self/environ")
    before = Path.cwd()
    os.chdir(folder)  # a socket's path may have 107 characters
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind("socket.csv")
    finally:
        os.chdir(before)


@pytest.mark.parametrize("path", NAMED)
def test_what_is_no_file_is_called_what_it_is(place: Path, path: str) -> None:
    import re

    for data in ("csv", "parquet"):
        said = outcome(strategy(place, path, data))
        assert re.search(NAMED[path], said), said
        assert len(said) < 800


@posix
@pytest.mark.parametrize("path", ODD)
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is Linux's")
def test_devices_pipes_and_files_of_the_system_are_named_and_never_opened(place: Path, path: str) -> None:
    make_odd(place / "mine")
    for data in ("csv", "parquet"):
        assert ODD[path] in outcome(strategy(place, path, data))
    assert ODD[path] in outcome(strategy(place, "bars.csv", events=path))


@posix
def test_a_strategy_file_that_is_a_pipe_or_a_device_is_refused_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(tmp_path / "a.yaml")
    for path, words in ((str(tmp_path / "a.yaml"), "is a pipe, not a file"), ("/dev/zero", "is a device")):
        assert main(["run", path]) == 2
        assert words in capsys.readouterr().err


@pytest.mark.parametrize("damage", ["[", "{}", '{"allowed": 3}', '{"allowed": ["/a\\u0000b"]}', "[" * 100_000])
def test_a_damaged_list_allows_nothing_and_is_told_of(
    place: Path, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    allow_folder(place / "other")
    (home() / "folders.json").write_text(damage)
    assert "may not read" in outcome(strategy(place, "../other/bars.csv"))
    assert main(["folders"]) == 1
    assert "can't be read" in capsys.readouterr().err


def test_the_command_lists_allows_and_forgets(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def said(*arguments: str) -> tuple[int, str]:
        code = main(["folders", *arguments])
        told = capsys.readouterr()
        return code, told.out + told.err

    other = str((place / "other").resolve())
    assert "No folder is allowed" in said()[1]
    assert said("allow", other)[0] == 0
    assert said("list")[1].strip() == other
    assert other in said("--json")[1]
    assert said("allow", "/")[0] == said("allow", str(place / "none"))[0] == 1
    assert said("forget", other)[0] == 0
    assert "is not on the list" in said("forget", other)[1]


@posix
def test_a_block_file_behind_a_link_needs_the_same_permission(place: Path) -> None:
    block = "quantcrafter: 1\noutputs: {out: x}\nindicators:\n  x: {use: ta.SMA, input: bars.close}\n"
    (place / "other" / "block.yaml").write_text(block)
    (place / "mine" / "block.yaml").symlink_to(place / "other" / "block.yaml")
    file = strategy(place, "bars.csv")
    file.write_text(file.read_text().replace("{use: ta.SMA, input: bars.close, timeperiod: 2}", "{use: block.yaml}"))
    assert "leads outside the strategy's folder" in outcome(file)
    allow_folder(place / "other")
    assert outcome(file) == ""


def swapped(place: Path) -> Callable[[], None]:
    """Return what replaces the strategy's folder by a link to another one."""

    def swap() -> None:
        (place / "mine" / "below").rename(place / "mine" / "was")
        (place / "mine" / "below").symlink_to(place / "other")

    return swap


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells what was opened")
def test_a_folder_that_becomes_a_link_between_check_and_opening_is_noticed(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from quantcrafter.engine.api import PathRefusedError, open_named

    usual, swap = os.open, swapped(place)

    def late(path: object, *rest: int, **more: int) -> int:
        if str(path).endswith("bars.csv"):
            monkeypatch.setattr(os, "open", usual)
            swap()
        return usual(path, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", late)
    with pytest.raises(PathRefusedError, match="was replaced while it was opened"):
        open_named("below/bars.csv", str(place / "mine"))
