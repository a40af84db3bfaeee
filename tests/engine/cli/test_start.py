"""`quantcrafter start` on stored bars: it ends with them, writes what `run` writes, and goes on after a kill."""

from __future__ import annotations

import csv
import json
import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from quantcrafter.engine.api import RunError
from quantcrafter.engine.brokers.paper import PaperBroker
from quantcrafter.engine.cli import orchestrating
from quantcrafter.engine.cli.main import main
from quantcrafter.engine.cli.streams import show_log
from quantcrafter.engine.data.load import load_bars
from quantcrafter.engine.feeds.synthetic import SyntheticFeed
from quantcrafter.engine.live.input_log import LOG, InputLog
from quantcrafter.engine.live.session_worker import SessionWorker
from quantcrafter.engine.orchestrator.multi_strategy import MultiStrategyOrchestrator
from quantcrafter.engine.orchestrator.registry import register, registered_workers
from quantcrafter.engine.orchestrator.worker_config import WorkerConfig, make_worker
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.load_graph import load_graph
from quantcrafter.engine.runtime.sessions.strategy_session import Host
from strategy_manager.cli import main as strategy_manager
from tests.support.live_cases import STOPPED, in_a_child, killed_at
from tests.support.plugin_packages import install, plugin_site

MAX = ("--feed", "replay:max", "--until-end")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("QUANTCRAFTER_USER_ID", "")
    monkeypatch.setenv("QUANTCRAFTER_CONFIG", "")
    (tmp_path / "small.yaml").write_text(STOPPED, encoding="utf-8")
    return tmp_path


def result(path: Path) -> dict[str, Any]:
    """Return what a command wrote, without the time that it took."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    assert found.pop("timing")
    return found


def backtest(folder: Path, name: str = "small.yaml", *options: str) -> dict[str, Any]:
    out = folder / "run.json"
    assert main(["run", str(folder / name), "--json", str(out), "--no-history", "-q", *options]) == 0
    return result(out)


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_it_writes_what_run_writes_and_the_log_tells_all_of_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, file = folder / "out.json", str(folder / "small.yaml")
    assert main(["start", file, *MAX, "--json", str(out)]) == 0
    said = capsys.readouterr()
    assert "Worker 'small' began." in said.err
    assert result(out) == backtest(folder)

    assert main(["status", "--json"]) == 0
    whole = json.loads(capsys.readouterr().out)
    assert (whole["base_url"], whole["token_file"], list(whole["workers"])) == (None, None, ["small"])
    status = whole["workers"]["small"]
    assert (status["state"], status["mode"], status["strategy"], status["symbol"]) == (
        "stopped",
        "paper",
        "Small",
        "ONE",
    )
    assert status["feed_age_s"] > 0
    assert main(["status"]) == 0
    assert "small" in capsys.readouterr().out

    assert main(["events", "small", "--json"]) == 0
    events = lines(capsys.readouterr().out)
    assert events[0]["kind"] == "anchored"
    assert events[-1]["kind"] == "feed"
    assert sum(each["kind"] == "bar" for each in events) == 160
    filled = [each for each in events if each["kind"] == "filled"]
    assert [each["price"] for each in filled] == [each["price"] for each in result(out)["fills"]]
    submits = {each["client_order_id"]: each for each in events if each["kind"] == "submit"}
    assert {each["client_order_id"] for each in filled} <= set(submits)
    assert {each["order_type"] for each in submits.values()} == {"market", "stop"}
    assert [each["seq"] for each in events] == sorted(each["seq"] for each in events)
    assert main(["events", "small"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(events)

    assert main(["recording", "small", str(folder / "flight.qcflight")]) == 0
    with InputLog.read(folder / "flight.qcflight") as log:
        assert log.meta()["text"] == STOPPED
        assert log.last_seq == events[-1]["seq"]
    assert main(["recording", "small", str(folder / "flight.qcflight")]) == 1

    for options, name, times in (([], "trades", ["entry_time", "exit_time"]), (["--fills"], "fills", ["time"])):
        assert main(["trades", "small", str(folder / "rows.csv"), *options]) == 0
        rows = list(csv.DictReader((folder / "rows.csv").read_text(encoding="utf-8").splitlines()))
        expected = result(out)[name]
        assert len(rows) == len(expected) > 5
        for row, had in zip(rows, expected, strict=True):
            assert {each: row[each] for each in had} == {each: str(value) for each, value in had.items()}
            assert all(row[each].endswith("+00:00") for each in times)
    capsys.readouterr()
    assert main(["trades", "small", "-"]) == 0
    assert capsys.readouterr().out.startswith("instrument,side,quantity,entry_bar,entry_ts_ns,entry_time,")


def test_until_end_a_worker_logs_its_orders_fills_and_notices_as_under_an_orchestrator(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = "  above: {use: compare, left: fast, op: '>', right: slow}\n"
    told += "  told: {use: notify, condition: above, text: It crosses}\n"
    text = STOPPED.replace("risk:\n", f"logic:\n{told}risk:\n")
    (folder / "small.yaml").write_text(text, encoding="utf-8")
    assert main(["start", str(folder / "small.yaml"), *MAX, "-q"]) == 0
    assert capsys.readouterr().err == ""
    assert main(["events", "small", "--json"]) == 0
    kinds = [each["kind"] for each in lines(capsys.readouterr().out)]
    assert main(["logs", "small", "-n", "10000", "--json"]) == 0
    said = [each["message"] for each in lines(capsys.readouterr().out)]
    assert sum(" filled at " in each for each in said) == kinds.count("filled") > 5
    assert sum(each.startswith("Order ") and " of ONE." in each for each in said) == kinds.count("submit")
    assert sum("It crosses" in each for each in said) == kinds.count("notice") > 5
    assert said[0] == "The worker began."
    assert said[-2:] == ["The worker has nothing more to do.", "The worker is stopped."]


def test_several_files_are_an_object_by_worker_and_a_span_is_that_of_a_backtest(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "other").mkdir()
    other = STOPPED.replace("seed: 3", "seed: 4")
    (folder / "other" / "small.yaml").write_text(other, encoding="utf-8")
    files = [str(folder / "small.yaml"), str(folder / "other" / "small.yaml")]
    assert main(["start", files[0], *MAX, "-q"]) == 0
    feed = "replay:max@2010-02-01..2010-04-30"
    assert main(["start", *files, "--feed", feed, "--until-end", "--json", "-", "-q"]) == 0
    found = json.loads(capsys.readouterr().out)
    first, second = found
    assert (first, second[:6], len(second)) == ("small", "small-", 14)
    span = ("--set", "run.start=2010-02-01", "--set", "run.end=2010-04-30")
    for key, name in ((first, "small.yaml"), (second, "other/small.yaml")):
        assert found[key].pop("timing")
        assert found[key] == backtest(folder, name, *span)
    assert 0 < found[first]["bars"] < 100


@pytest.mark.parametrize(
    ("mode", "options", "shown"),
    [("paper", [], "paper"), ("replay", [], "replay"), ("replay", ["-m", "paper"], "paper")],
)
def test_a_file_whose_mode_is_not_backtest_starts_in_its_mode(
    folder: Path, capsys: pytest.CaptureFixture[str], mode: str, options: list[str], shown: str
) -> None:
    (folder / "small.yaml").write_text(f"{STOPPED}run: {{mode: {mode}}}\n", encoding="utf-8")
    assert main(["validate", str(folder / "small.yaml")]) == 0
    assert main(["start", str(folder / "small.yaml"), *MAX, "-q", *options]) == 0
    capsys.readouterr()
    assert main(["status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["workers"]["small"]["mode"] == shown


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="a child is made by fork")
def test_positions_are_closed_before_a_session_ends_also_with_until_end(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = STOPPED.replace("1d", "1h").replace("bars: 160", "bars: 300").replace("percent: 2", "percent: 20")
    schedule = "run: {schedule: {weekly: [mon-fri 08:00-16:00], flat_minutes: 90}}\n"
    (folder / "small.yaml").write_text(text + schedule, encoding="utf-8")
    assert main(["start", str(folder / "small.yaml"), *MAX, "-q"]) == 0
    capsys.readouterr()
    assert main(["events", "small", "--json"]) == 0
    found = lines(capsys.readouterr().out)
    asked = [each for each in found if each["kind"] == "command"]
    assert [each["verb"] for each in asked[:4]] == ["flatten", "resume", "flatten", "resume"]
    assert {each["source"] for each in asked} == {"schedule"}
    assert len(asked) > 10
    log = (folder / "home" / "workers" / "small" / "worker.log").read_text(encoding="utf-8")
    assert "the session ends soon, or has ended: what is held is closed" in log


def test_options_of_the_first_generation_are_known(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = folder / "config" / "production.json"
    place.parent.mkdir()
    place.write_text('{"feed": "replay:max", "enable_lifecycle": true, "engines": {"vnpy": {"enabled": false}}}')
    arguments = ["start", "--config", str(place), "--user-id", "u1", "--verbose", str(folder / "small.yaml")]
    assert strategy_manager([*arguments, "--until-end", "-q"]) == 0
    assert strategy_manager(["trades", "u1_small", str(folder / "trades.csv")]) == 0
    capsys.readouterr()
    assert strategy_manager(["status", "--json"]) == 0
    assert list(json.loads(capsys.readouterr().out)["workers"]) == ["u1_small"]
    assert strategy_manager(["stop", "--graceful"]) == 0
    place.write_text('{"fed": "replay:max"}')
    assert strategy_manager(arguments) == 2
    assert "'fed'" in capsys.readouterr().err


def test_the_same_command_after_a_kill_goes_on_where_it_was(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    long = STOPPED.replace("bars: 160", "bars: 700")
    (folder / "long.yaml").write_text(long, encoding="utf-8")
    out = folder / "out.json"
    command = ["start", str(folder / "long.yaml"), *MAX, "--json", str(out)]

    def work(tell: object) -> None:
        del tell
        with killed_at(8, "within", lambda *_: None):
            main(command)

    assert in_a_child(work)[1] == -9
    with InputLog.read(folder / "home" / "workers" / "long" / LOG) as log:
        assert 100 < log.last_seq < 700
    assert main(command) == 0
    assert "Worker 'long' goes on after" in capsys.readouterr().err
    assert result(out) == backtest(folder, "long.yaml")
    assert main([*command, "-q"]) == 0  # it is over, so it begins anew
    assert result(out) == backtest(folder, "long.yaml")


@pytest.mark.logs_errors
def test_an_interrupted_worker_does_not_go_on_with_another_feed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    graph = load_graph(folder / "small.yaml", load_registry())
    worker = SessionWorker(graph, SyntheticFeed(speed="max"), PaperBroker(), folder / "home" / "workers" / "small")
    worker.start()
    worker.step()
    worker.close()
    assert main(["start", str(folder / "small.yaml"), "--feed", "csv:missing.csv", "--until-end", "-q"]) == 1
    assert (worker.folder / LOG).exists()  # a feed that can't be had costs nothing
    capsys.readouterr()
    out = folder / "out.json"
    assert main(["start", str(folder / "small.yaml"), *MAX, "--json", str(out)]) == 0
    assert (worker.folder / "previous" / LOG).exists()
    said = capsys.readouterr().err
    assert "Worker 'small' begins anew: its feed was 'synthetic' and is 'replay'. Its log goes to" in said
    assert result(out) == backtest(folder)


@pytest.mark.logs_errors
def test_an_error_that_ends_the_command_is_shown_once_and_of_several_workers_with_its_name(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "other.yaml").write_text(STOPPED, encoding="utf-8")
    ours = logging.getLogger("quantcrafter")
    before = list(ours.handlers)
    show_log()
    try:
        files = [str(folder / "small.yaml"), str(folder / "other.yaml")]
        assert main(["start", *files, "--feed", "csv:missing.csv", "--until-end"]) == 1
    finally:
        ours.handlers = before
    said = capsys.readouterr().err
    assert said.count("missing.csv") == 1
    assert "Worker 'small' has failed; the others are stopped." in said


def test_the_problems_of_all_files_are_told_before_any_worker_is_touched(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["start", str(folder / "small.yaml"), *MAX, "-q"]) == 0
    for name in ("bad", "worse"):
        (folder / f"{name}.yaml").write_text(STOPPED.replace("ta.SMA", f"ta.{name}"), encoding="utf-8")
    files = [str(folder / f"{name}.yaml") for name in ("small", "bad", "worse")]
    assert main(["start", *files, *MAX]) == 2
    said = capsys.readouterr().err
    assert "bad.yaml:5" in said
    assert "worse.yaml:5" in said
    assert not (folder / "home" / "workers" / "small" / "previous").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--feed", "none"], "there is no feed 'none'; there are replay"),
        (["--feed", "replay:fast"], "a speed is a number from 0.1"),
        (["--feed", ""], "there is no feed ''; there are replay"),
        (["--feed", "replay:60x,seed=3"], "the feed 'replay' has no option 'seed'; there are begin, end."),
        (["--feed", "synthetic:60x,seed=x"], "'seed' must be a whole number, was 'x'."),
        (["--feed", "csv:"], "the feed 'csv' needs 'path': write csv:PATH."),
        (["--broker", "ccxt:"], "the broker 'ccxt' needs"),
        (["--broker", "none"], "there is no broker 'none'; there are paper"),
        (["--broker", "paper:foo"], "the broker 'paper' takes no text after its name, was 'foo'"),
        (["--mode", "lively"], "there is no mode 'lively'; there are paper, replay, live"),
        (["--json", "x.json"], "it needs --until-end"),
    ],
)
def test_wrong_options_are_named(
    folder: Path, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    assert main(["start", str(folder / "small.yaml"), *options]) == 2
    assert words in " ".join(capsys.readouterr().err.split())


def test_a_file_named_twice_and_a_worker_that_is_not_there_are_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(folder / "small.yaml")
    assert main(["start", file, file, *MAX]) == 2
    assert "'small' is named twice" in capsys.readouterr().err
    assert main(["events", "smal"]) == 1
    assert "There is no worker 'smal'" in capsys.readouterr().err
    assert main(["status"]) == 0
    assert "There are no workers" in capsys.readouterr().err


REAL = '''
from quantcrafter.engine.feeds.stored import StoredFeed

class Connection:
    def balances(self):
        return [Balance("EUR", 1000.0, 900.0)]
    def positions(self):
        return [VenuePosition("ONE", 3.0)]
    def open_orders(self):
        return []
    def close(self):
        pass

class RealBroker(Broker):
    """Moves real money."""
    name = "real"
    def connect(self):
        return Connection()

class WallFeed(StoredFeed):
    """Current prices."""
    name = "wall"
    own_clock = False

@hookimpl
def register_feeds():
    return [WallFeed]

@hookimpl
def register_brokers():
    return [RealBroker]
'''


def test_real_money_is_traded_only_at_the_users_word_and_the_account_is_shown_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    handed: list[WorkerConfig] = []

    def hand_over(configs: list[WorkerConfig]) -> bool:
        handed.extend(configs)
        return True

    monkeypatch.setattr(orchestrating, "hand_over", hand_over)
    with plugin_site(tmp_path, monkeypatch) as site:
        install(site, "real-broker", REAL)
        for mode in ("backtest", "live", "paper"):
            (tmp_path / f"{mode}.yaml").write_text(f"{STOPPED}run: {{mode: {mode}}}\n", encoding="utf-8")
        for name, options, words in (
            ("live", [], "which moves real money. Add --live"),
            ("backtest", ["-m", "live"], "which moves real money. Add --live"),
            ("backtest", ["-b", "real", "-f", "wall"], "The broker 'real' moves real money. Add --live"),
            ("backtest", ["--live"], "the broker is 'paper'"),
            ("paper", ["--live", "-b", "real", "-f", "wall"], "and the mode 'paper'"),
            ("live", ["--live", "-b", "real"], "The feed 'replay' has a clock of its own"),
        ):
            assert main(["start", str(tmp_path / f"{name}.yaml"), *options]) == 1
            assert words in " ".join(capsys.readouterr().err.split())
        assert main(["start", str(tmp_path / "live.yaml"), *MAX, "--live"]) == 2
        assert handed == []
        (tmp_path / "home").mkdir(exist_ok=True)
        (tmp_path / "home" / "limits.yaml").write_text("default: {daily_loss: 50}", encoding="utf-8")
        assert main(["start", str(tmp_path / "live.yaml"), "--live", "-b", "real", "-f", "wall"]) == 0
        said = capsys.readouterr().err
        assert "real money. Balances: EUR 1,000.00 (free 900.00). Positions: ONE 3." in said
        assert "Limits of the account: daily_loss 50." in said
        (config,) = handed
        assert (config.mode, config.broker, config.feed) == ("live", "real", "wall")

        register(config)
        monkeypatch.setattr(orchestrating, "hand_over", bool)
        assert main(["start"]) == 1
        assert "live would go on to trade real money. Add --live, or stop them" in capsys.readouterr().err
        assert main(["stop", "live"]) == 0
        assert not registered_workers()["live"].wanted
        with pytest.raises(RunError, match="moves real money"):
            make_worker(replace(config, mode="paper"), load_registry(), Host(), load_bars, print)
        with pytest.raises(RunError, match="moves real money"):
            MultiStrategyOrchestrator(broker="real", feed="wall").add_strategy("ONE", str(tmp_path / "backtest.yaml"))
