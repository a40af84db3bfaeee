"""A pushed strategy brings the files that it refers to, by hash, and nothing else."""

from __future__ import annotations

import base64
import copy
import re
from pathlib import Path
from typing import Any

import pytest

from quantcrafter.engine.api import QuantCrafterError, RunError, SpecError
from quantcrafter.engine.cli.main import main
from quantcrafter.engine.orchestrator.own_classes.lookup import strategies_folder
from quantcrafter.engine.orchestrator.pushing import receive_push
from quantcrafter.engine.orchestrator.row_config import RowRules, config_of_row
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.store.bundle import bundle_of, hash_of, pushed_folder, repacked, unpacked
from quantcrafter.engine.store.rows import StrategyRow
from quantcrafter.engine.store.sqlite import SqliteStore
from tests.support.live_cases import PLAIN

BLOCK = """\
quantcrafter: 1
inputs: {price: series}
outputs: {line: ema}
indicators: {ema: {use: ta.EMA, input: price, timeperiod: 5}}
"""
WITH_FILES = (
    PLAIN.replace(
        "slow: {use: ta.SMA, input: bars.close, timeperiod: 8}", "slow: {use: blocks/smooth.yaml, price: bars.close}"
    )
    .replace("slow: slow", "slow: slow.line")
    .replace("risk:\n", "filters: {news: {use: event_calendar, path: fomc.csv, before: 60m, group: block}}\nrisk:\n", 1)
    .replace("risk: [stop]", "filters: [news], risk: [stop]")
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path / "home"))
    made = tmp_path / "mine"
    (made / "blocks").mkdir(parents=True)
    (made / "blocks" / "smooth.yaml").write_text(BLOCK, encoding="utf-8")
    (made / "fomc.csv").write_text("time\n2020-01-05 14:00\n", encoding="utf-8")
    (made / "secret.txt").write_text("nothing of the strategy", encoding="utf-8")
    (made / "small.yaml").write_text(WITH_FILES, encoding="utf-8")
    return made


def bundle(folder: Path) -> dict[str, Any]:
    return bundle_of(folder / "small.yaml", StrategyRow(strategy_key="small"))


def test_a_push_carries_what_the_file_refers_to_and_the_worker_finds_it(folder: Path, tmp_path: Path) -> None:
    made = bundle(folder)
    assert [each["path"] for each in made["files"]] == ["blocks/smooth.yaml", "fomc.csv"]
    store = SqliteStore(tmp_path / "strategies.db")
    received = receive_push(made, store, load_registry(), RowRules())
    assert (received.key, received.files) == ("small", 2)
    row = store.get("small").row
    assert row is not None
    assert (pushed_folder(row.files) / "fomc.csv").read_text() == (folder / "fomc.csv").read_text()
    config = config_of_row(row, load_registry(), RowRules())
    assert getattr(config, "base_dir", "") == str(pushed_folder(row.files))
    assert repacked(row) == made
    assert receive_push(made, store, load_registry(), RowRules()) == received
    (folder / "fomc.csv").write_text("time\n2020-01-06 14:00\n", encoding="utf-8")
    assert config_of_row(unpacked(bundle(folder))[0], load_registry(), RowRules(base=folder)).row != config.row


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 2}, "has version 1, was 2"),
        ({"row": []}, "has a 'row'"),
        ({"row": {"strategy_key": "x"}}, "not those that its row names"),
        ({"path": "../x.csv"}, "The path '../x.csv' of a pushed file is refused"),
        ({"path": "/etc/cron.d/x"}, "refused"),
        ({"path": "C:x"}, "refused"),
        ({"path": "a\\b"}, "refused"),
        ({"path": "a//b"}, "refused"),
        ({"content": "%%%"}, "damaged"),
        ({"content": base64.b64encode(b"other").decode()}, "its hash is another one"),
    ],
)
def test_a_bundle_that_is_wrong_is_refused_and_leaves_nothing(
    folder: Path, tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    made = copy.deepcopy(bundle(folder))
    if set(change) & {"path", "content"}:
        made["files"][0].update(change)
    else:
        made.update(change)
    store = SqliteStore(tmp_path / "strategies.db")
    with pytest.raises(RunError) as error:
        receive_push(made, store, load_registry(), RowRules())
    assert said in str(error.value)
    assert store.list() == ()
    assert not [each for each in (tmp_path / "home").rglob("*") if each.is_file()]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PLAIN.replace("use: percent_stop", "use: acme_stop"), "acme_stop"),
        (PLAIN.replace("data: synthetic", "data: store").replace(", bars: 160, seed: 3", ""), "ONE"),
        (PLAIN.replace("timeperiod: 3", "timeperiod: -3"), "timeperiod"),
    ],
)
def test_a_push_is_refused_by_name_where_a_plugin_or_data_is_missing(
    folder: Path, tmp_path: Path, text: str, said: str
) -> None:
    (folder / "small.yaml").write_text(text, encoding="utf-8")
    store = SqliteStore(tmp_path / "strategies.db")
    with pytest.raises(QuantCrafterError) as error:
        receive_push(bundle(folder), store, load_registry(), RowRules())
    assert said in str(error.value) + str(getattr(error.value, "problems", ""))
    assert store.list() == ()
    assert not [each for each in (tmp_path / "home").rglob("*") if each.is_file()]


def test_a_file_outside_the_folder_of_the_strategy_is_not_carried(folder: Path) -> None:
    (folder.parent / "outside.csv").write_text("time\n", encoding="utf-8")
    for name in ("../outside.csv", "../files/not_here.csv", str(folder.parent / "outside.csv")):
        (folder / "small.yaml").write_text(WITH_FILES.replace("fomc.csv", name), encoding="utf-8")
        with pytest.raises(RunError, match="which is outside its folder"):
            bundle(folder)
    assert hash_of({"a": b"1"}) != hash_of({"b": b"1"})


def test_store_commands_import_show_export_and_remove(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["store", "import", str(folder / "small.yaml"), "--key", "own", "--set", "run.cash=5000"]) == 0
    assert main(["store", "list", "--json"]) == 0
    told = capsys.readouterr()
    assert '"key": "own"' in told.out
    assert '"run.cash": 5000' in told.out
    assert '"problem": ""' in told.out
    assert main(["store", "export", str(tmp_path / "all.json")]) == 0
    assert main(["store", "disable", "own"]) == 0
    assert main(["store", "remove", "own"]) == 0
    assert main(["store", "show", "own"]) == 1
    assert main(["store", "import", str(tmp_path / "all.json")]) == 0
    assert main(["store", "enable", "own"]) == 0
    capsys.readouterr()
    assert main(["store", "show", "own"]) == 0
    assert "blocks/smooth.yaml" in capsys.readouterr().out
    other = tmp_path / "other"
    assert main(["store", "push", str(folder / "small.yaml"), "--to", str(other)]) == 1
    other.mkdir()
    assert main(["store", "push", str(folder / "small.yaml"), "--to", str(other)]) == 0
    assert [each.key for each in SqliteStore(other / "strategies.db").list()] == ["small"]
    assert main(["store", "preview", "own", str(folder / "small.yaml")]) == 1
    assert "No orchestrator is running" in capsys.readouterr().err


def test_a_row_s_login_at_a_feed_or_broker_is_not_shown(
    folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    del folder
    rows = [
        StrategyRow(strategy_key="one", strategy=PLAIN, broker="ccxt:binance,secret=geheim"),
        StrategyRow(strategy_key="two", strategy=PLAIN, feed="nosuch:https://me:geheim@h/"),
    ]
    store = SqliteStore(tmp_path / "home" / "strategies.db")
    for row in rows:
        store.put(row)
        with pytest.raises(RunError, match=r"is not allowed for rows") as raised:
            config_of_row(row, load_registry(), RowRules())
        assert "geheim" not in str(raised.value)
    for command in (["list"], ["list", "--json"], ["show", "one"], ["show", "two", "--json"]):
        assert main(["store", *command]) == 0
        told = capsys.readouterr()
        assert "geheim" not in told.out + told.err
        assert "***" in told.out


def test_a_json_file_with_a_bad_row_is_refused_as_a_whole(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "rows.json"
    path.write_text('[{"symbol": "A", "strategy_key": "turtle"}, {"symbol": "B", "enable": 1}]', encoding="utf-8")
    assert main(["store", "import", str(path)]) == 1
    assert "Row 2 of" in capsys.readouterr().err
    assert not (tmp_path / "home" / "strategies.db").exists()
    path.write_text('[{"symbol": "A"', encoding="utf-8")
    assert main(["store", "import", str(path)]) == 1
    assert "is not JSON" in capsys.readouterr().err


def test_a_row_reads_no_file_and_names_no_server_outside_what_is_configured(folder: Path, tmp_path: Path) -> None:
    registry = load_registry()
    (tmp_path / "home" / "strategies").mkdir(parents=True)
    (tmp_path / "home" / "strategies" / "mine.yaml").write_text(PLAIN, encoding="utf-8")
    assert config_of_row(StrategyRow(strategy_key="x", strategy="mine.yaml"), registry, RowRules()).row
    rows = [
        StrategyRow(strategy_key="x", strategy=str(folder / "small.yaml")),
        StrategyRow(strategy_key=str(folder / "small.yaml")),
        StrategyRow(strategy_key="x", strategy="../../mine/small.yaml"),
        StrategyRow(strategy_key="x", strategy=PLAIN, feed="ccxt:binance,url=http://127.0.0.1:1"),
        StrategyRow(strategy_key="x", strategy=PLAIN, broker="vnpy:simulated"),
        StrategyRow(symbol="A", strategy_key="x", engine="backtrader", engine_class="os.path.Nothing"),
        StrategyRow(strategy_key="x", strategy=PLAIN, live=True),
    ]
    for row in rows:
        with pytest.raises(RunError):
            config_of_row(row, registry, RowRules())
    listed = StrategyRow(strategy_key="x", strategy=str(folder / "small.yaml"))
    assert config_of_row(listed, registry, RowRules(folders=(folder,))).row


@pytest.mark.parametrize("as_file", [False, True])
def test_parameters_of_a_row_name_no_file_outside_its_folder(as_file: bool, tmp_path: Path) -> None:  # noqa: FBT001
    strategies = strategies_folder()
    strategies.mkdir(parents=True)
    lines = [f"2024-01-{day:02},1,1,1,1,1" for day in range(1, 29)]
    for place in (tmp_path / "secret.csv", strategies / "own.csv", strategies / "other.csv"):
        place.write_text("\n".join(["date,open,high,low,close,volume", *lines]) + "\n", encoding="utf-8")
    text = re.sub(r"instruments:.*\n(?: +-.*\n)*", "instruments: [{symbol: A, data: csv, path: own.csv}]\n", PLAIN)
    (strategies / "mine.yaml").write_text(text, encoding="utf-8")

    def row(path: Path) -> StrategyRow:
        named = "mine.yaml" if as_file else text
        return StrategyRow(strategy_key="x", strategy=named, params={"instruments.0.path": str(path)})

    assert config_of_row(row(strategies / "other.csv"), load_registry(), RowRules()).row
    with pytest.raises(SpecError, match="lies outside the strategy's folder"):
        config_of_row(row(tmp_path / "secret.csv"), load_registry(), RowRules())
