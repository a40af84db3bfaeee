"""`quantcrafter data download` and `data update` from outside, with servers on loopback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command_line import clean_environment, quantcrafter
from tests.support.exchange_server import Server, dropped, rows_of, running_server

HOUR_MS = 3_600_000
START_MS = 1_704_067_200_000  # 2024-01-01
BTC = ("BTC/USDT", "--from", "ccxt:binance", "--timeframe", "1h")


@pytest.fixture
def server() -> Iterator[Server]:
    """Hours of BTC/USDT, the newest of which is half over."""
    rows = rows_of(START_MS, 1501, HOUR_MS)
    with running_server(rows[-1][0] + HOUR_MS // 2, BTCUSDT=rows) as running:
        yield running


def test_bars_are_downloaded_updated_listed_and_run_on(tmp_path: Path, server: Server) -> None:
    done = quantcrafter(
        "data", "download", *BTC, "--since", "2024", "--set", f"url={server.url}", "--json", home=tmp_path
    )
    assert done.returncode == 0
    assert done.stderr == (
        "BTC/USDT 1h: 1,500 bars downloaded, as traded. "
        "The store has 1,500 now, 2024-01-01 00:00 to 2024-03-03 11:00.\n"
    )
    (made,) = json.loads(done.stdout)
    assert (made["symbol"], made["added"], made["series"]["count"]) == ("BTC/USDT", 1500, 1500)
    assert made["series"]["market"] == "crypto_spot"
    assert made["series"]["download"] == {
        "provider": "ccxt",
        "symbol": "BTC/USDT",
        "adjustment": "none",
        "since_ns": START_MS * 1_000_000,
        "options": {"exchange": "binance", "url": server.url},
        "currency": "USDT",
    }

    server.rows["BTCUSDT"] = rows = rows_of(START_MS, 1511, HOUR_MS)
    server.now_ms = rows[-1][0] + 1
    updated = quantcrafter("data", "update", home=tmp_path)
    assert (updated.returncode, updated.stdout) == (0, "")
    assert "BTC/USDT 1h: 10 bars downloaded" in updated.stderr

    again = quantcrafter("data", "update", "BTC/USDT", "1h", home=tmp_path)
    assert "BTC/USDT 1h: 0 bars downloaded" in again.stderr

    listed = quantcrafter("data", home=tmp_path)
    assert listed.stdout.splitlines()[1].endswith("ccxt:binance (as traded)")

    (tmp_path / "s.yaml").write_text(STRATEGY, encoding="utf-8")
    ran = quantcrafter("run", str(tmp_path / "s.yaml"), "--json", "-", home=tmp_path)
    assert (ran.returncode, json.loads(ran.stdout)["bars"]) == (0, 1510)


def test_one_symbol_that_fails_does_not_stop_the_others(tmp_path: Path, server: Server) -> None:
    done = quantcrafter(
        "data",
        "download",
        "XRP/USDT",
        *BTC,
        "--since",
        "2024-01",
        "--set",
        f"url={server.url}",
        "--json",
        home=tmp_path,
    )
    assert done.returncode == 1
    failed, made = json.loads(done.stdout)
    assert failed["error"].startswith("binance has no symbol 'XRP/USDT'.")
    assert (failed["symbol"], made["added"]) == ("XRP/USDT", 1500)
    first, second = done.stderr.splitlines()
    assert first.startswith("error: binance has no symbol 'XRP/USDT'.")
    assert second.startswith("BTC/USDT 1h: 1,500 bars downloaded")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("X", "--from", "yahoo"), "There is no download provider 'yahoo'."),
        (("X", "--from", "ccxt"), "'ccxt' needs the exchange: write 'ccxt:NAME'."),
        (("X", "--from", "ccxt:binanse"), "ccxt has no exchange 'binanse'. Did you mean 'binance'?"),
        (
            ("X", "--from", "yfinance", "-t", "7h", "--since", "2020"),
            "yfinance has no bars of 7h. Choose one of 1m, 2m",
        ),
        (("X", "--from", "yfinance", "--since", "2020", "--adjust", "no"), "no prices adjusted for 'no'."),
        (("X", "--from", "yfinance"), "X 1d isn't stored yet: say since when to download it, such as '--since 2020'."),
        (
            ("X", "--from", "yfinance", "--since", "then"),
            "A download begins with a year, month, day or time such as 2020",
        ),
        (("X", "--from", "yfinance", "-t", "day"), "A timeframe is a count and a unit"),
        (("X", "--from", "yfinance", "--set", "colour=red"), "there is no option 'colour'"),
        (("X", "Y", "--from", "yfinance", "--as", "Z"), "it names one symbol, 2 are given."),
    ],
)
def test_wrong_arguments_are_one_line_and_exit_code_2(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    done = quantcrafter("data", "download", *arguments, home=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert done.stderr.replace("Try 'quantcrafter data download --help'.\n", "").count("\n") == 1


def test_without_a_network_the_reason_is_one_line(tmp_path: Path) -> None:
    done = quantcrafter("data", "download", *BTC, "--since", "2024", "--set", "url=http://127.0.0.1:9", home=tmp_path)
    assert done.returncode == 1
    assert done.stderr == (
        "ccxt:binance: Connection refused. Trying again in 1 s.\n"
        "ccxt:binance: Connection refused. Trying again in 2 s.\n"
        "error: ccxt:binance can't be reached: Connection refused. Check the network connection, and start the "
        "download again.\n"
    )


def test_without_the_library_the_command_that_installs_it_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    for name in ("ccxt", "yfinance"):
        (blocked / f"{name}.py").write_text("raise ImportError\n", encoding="utf-8")
    for source, library in (("ccxt:binance", "ccxt"), ("yfinance", "yfinance")):
        done = quantcrafter(
            "data", "download", "X", "--from", source, "--since", "2020", home=tmp_path, PYTHONPATH=str(blocked)
        )
        assert done.returncode == 1
        assert done.stderr == (
            f"error: Downloads need the library '{library}', which is not installed. Install it with: "
            "pip install 'quantcrafter[download]'\n"
        )


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends Ctrl-C to a whole console")
def test_ctrl_c_keeps_what_was_fetched_and_the_same_command_continues(tmp_path: Path, server: Server) -> None:
    arguments = ["data", "download", *BTC, "--since", "2024", "--set", f"url={server.url}"]
    hangs = threading.Event()

    def hang(_handler: object) -> bool:
        hangs.set()
        server.gate.wait(60)
        return False

    server.faults = [lambda _: False, hang]
    with subprocess.Popen(
        [sys.executable, "-m", "quantcrafter.engine.cli", *arguments],
        env=clean_environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert hangs.wait(60)
        os.kill(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=30)
    server.gate.set()

    assert (process.returncode, out) == (130, "")
    assert "The downloaded bars are stored. Run the same command again to continue.\nInterrupted.\n" in err
    (series,) = json.loads(quantcrafter("data", "list", "--json", home=tmp_path).stdout)
    assert series["count"] == 1000
    done = quantcrafter(*arguments, home=tmp_path)
    assert "500 bars downloaded, as traded. The store has 1,500 now" in done.stderr


def test_a_process_that_is_killed_leaves_a_series_that_the_same_command_continues(
    tmp_path: Path, server: Server
) -> None:
    server.most = 100
    arguments = ["data", "download", *BTC, "--since", "2024", "--set", f"url={server.url}"]
    with subprocess.Popen(
        [sys.executable, "-m", "quantcrafter.engine.cli", *arguments], env=clean_environment(tmp_path)
    ) as process:
        server.at_page = lambda number: process.kill() if number == 4 else None
        process.wait(60)
    server.at_page = lambda _number: None

    done = quantcrafter(*arguments, home=tmp_path)
    assert (done.returncode, "The store has 1,500 now" in done.stderr) == (0, True)


def test_progress_and_waiting_are_told_on_standard_error_alone(tmp_path: Path, server: Server) -> None:
    server.faults = [dropped]
    done = quantcrafter("data", "download", *BTC, "--since", "2024", "--set", f"url={server.url}", home=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("ccxt:binance: the connection was closed. Trying again in 1 s.\nBTC/USDT 1h: 1,500")


STRATEGY = """\
quantcrafter: 1
name: Coins
instruments:
  - {symbol: BTC/USDT, data: store, timeframe: 1h}
indicators:
  fast: {use: ta.SMA, input: bars.close, timeperiod: 3}
  slow: {use: ta.SMA, input: bars.close, timeperiod: 9}
advisors:
  cross: {use: crossover, fast: fast, slow: slow}
money:
  size: {use: fixed_quantity, quantity: 10}
execution:
  entry: {use: market, signals: [cross], money: size}
"""
