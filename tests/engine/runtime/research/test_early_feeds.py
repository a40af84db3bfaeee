"""Feeds that close too early, beside finer bars of the same instrument."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quantcrafter.engine.cli.main import main
from quantcrafter.engine.runtime.research.lookahead import find_lookahead
from quantcrafter.engine.runtime.running.run import run
from tests.support.kept_runs import registry

STRATEGY = """\
quantcrafter: 1
name: Two timeframes
instruments:
  - {symbol: X, data: csv, path: fine.csv, timeframe: 15m, session: 24x7, timezone: UTC}
data:
  hour: {use: feed, symbol: X, data: csv, path: hours.csv, timeframe: 1h, session: 24x7, timezone: UTC, stamp: STAMP}
logic:
  up: {use: compare, left: hour.close, op: ">", right: 0}
advisors:
  go: {use: rule, enter_long: [up]}
money:
  size: {use: fixed_quantity, quantity: 1}
execution:
  entry: {use: market, signals: [go], money: size}
"""


def write(folder: Path, stamp: str, *, noise: float = 0.0) -> Path:
    """Write quarters of an hour, and hours made of them, whose times mark their opens."""
    rng = np.random.default_rng(3)
    closes = np.round(100 + np.cumsum(rng.normal(0, 0.3, 480)), 2)
    opens = np.concatenate(([100.0], closes[:-1]))
    begin = np.datetime64("2024-03-04T00:00", "m")
    fine, hours = ["time,open,high,low,close,volume"], ["time,open,high,low,close,volume"]
    for n in range(480):
        a, b = opens[n], closes[n]
        fine.append(f"{begin + 15 * n},{a},{max(a, b)},{min(a, b)},{b},1")
    for n in range(120):
        part = np.concatenate((opens[4 * n : 4 * n + 4], closes[4 * n : 4 * n + 4]))
        close = round(closes[4 * n + 3] + noise * (n % 3), 4)
        high, low = max(part.max(), close), min(part.min(), close)
        hours.append(f"{begin + 60 * n},{part[0]},{high},{low},{close},1")
    (folder / "fine.csv").write_text("\n".join(fine) + "\n", encoding="utf-8")
    (folder / "hours.csv").write_text("\n".join(hours) + "\n", encoding="utf-8")
    (folder / "s.yaml").write_text(STRATEGY.replace("STAMP", stamp), encoding="utf-8")
    return folder / "s.yaml"


def test_times_of_opens_that_are_read_as_closes_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path / "home"))
    file = write(tmp_path, "close")
    found = find_lookahead(file, registry=registry())
    assert [(each.node, each.output) for each in found] == [("hour", "close")]
    assert main(["lookahead", str(file)]) == 1
    assert "1 node looks ahead: hour." in capsys.readouterr().out


def test_a_feed_that_closes_in_time_is_not_found(tmp_path: Path) -> None:
    assert find_lookahead(write(tmp_path, "open"), registry=registry()) == []


@pytest.mark.parametrize("stamp", ["open", "close"])
def test_a_feed_of_another_source_is_not_found_by_chance(stamp: str, tmp_path: Path) -> None:
    """Two of three closes differ by a hundredth from those of the finer bars."""
    assert find_lookahead(write(tmp_path, stamp, noise=0.0003), registry=registry()) == []


@pytest.mark.parametrize(("session", "found"), [("00:00-01:00 UTC", 1), ("00:00-08:00 UTC", 0), ("00:00-02:30 UTC", 1)])
def test_a_session_that_ends_before_the_exchange_opens_is_found(session: str, found: int, tmp_path: Path) -> None:
    """Days of Shanghai with two to five bars from 01:30 UTC on: none of them lies inside a session until 01:00."""
    rng = np.random.default_rng(5)
    fine, days, price = ["time,open,high,low,close,volume"], ["time,open,high,low,close,volume"], 10.0
    for day in range(4, 9):
        made = []
        for n in range(int(rng.integers(2, 6))):
            close = round(price + rng.normal(0, 0.05), 2)
            made.append((price, max(price, close), min(price, close), close))
            shown = ",".join(map(str, made[-1]))
            fine.append(f"2024-03-{day:02}T{1 + (90 + 30 * n) // 60 - 1:02}:{30 * (n % 2 == 0):02}:00Z,{shown},1")
            price = close
        high, low = max(each[1] for each in made), min(each[2] for each in made)
        days.append(f"2024-03-{day:02},{made[0][0]},{high},{low},{price},1")
    (tmp_path / "fine.csv").write_text("\n".join(fine) + "\n", encoding="utf-8")
    (tmp_path / "days.csv").write_text("\n".join(days) + "\n", encoding="utf-8")
    text = STRATEGY.replace("timeframe: 15m", "timeframe: 30m").replace(
        "hours.csv, timeframe: 1h, session: 24x7, timezone: UTC, ", "DAYS"
    )
    text = text.replace("DAYSstamp: STAMP", f"days.csv, timeframe: 1d, session: '{session}'")
    (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
    assert bool(find_lookahead(tmp_path / "s.yaml", registry=registry())) == found


MIXED = STRATEGY.replace(
    "symbol: X, data: csv, path: fine.csv, timeframe: 15m, session: 24x7, timezone: UTC",
    "symbol: A, data: csv, path: a.csv, timeframe: 1h",
).replace(
    "symbol: X, data: csv, path: hours.csv, timeframe: 1h, session: 24x7, timezone: UTC, stamp: STAMP",
    "symbol: ES, data: csv, path: es.csv, timeframe: 1hZONE",
)


def mixed(folder: Path, *, offset: str = "-05:00", zone: str = "") -> Path:
    """Write a stock's hours with an offset, and round-the-clock hours without."""
    days, lines = (16, 17, 18), "time,open,high,low,close,volume\n"
    stock = [f"2024-01-{day}T{hour:02}:30:00{offset},100,101,99,100,10" for day in days for hour in range(9, 16)]
    other = [f"2024-01-{day} {hour:02}:00,5000,5001,4999,5000,10" for day in days for hour in range(24)]
    (folder / "a.csv").write_text(lines + "\n".join(stock) + "\n", encoding="utf-8")
    (folder / "es.csv").write_text(lines + "\n".join(other) + "\n", encoding="utf-8")
    (folder / "s.yaml").write_text(MIXED.replace("ZONE", zone), encoding="utf-8")
    return folder / "s.yaml"


@pytest.mark.parametrize("offset", ["-05:00", ""])  # an offset in the file, or the hours of New York
def test_times_without_a_zone_beside_others_with_one_are_told_and_found(offset: str, tmp_path: Path) -> None:
    file = mixed(tmp_path, offset=offset)
    result = run(file, registry=registry())
    assert [each for each in result.findings if "hour: times have no time zone and are taken as UTC" in each]
    (found,) = find_lookahead(file, registry=registry())
    assert (found.node, found.output) == ("hour", "close")
    assert "Set 'timezone' of hour" in str(found)


def test_times_with_a_zone_of_their_own_are_not_found(tmp_path: Path) -> None:
    file = mixed(tmp_path, zone=", timezone: UTC")
    assert not run(file, registry=registry()).findings
    assert not find_lookahead(file, registry=registry())


def test_times_that_all_lack_a_zone_are_not_found(tmp_path: Path) -> None:
    file = mixed(tmp_path)
    text = file.read_text(encoding="utf-8").replace("path: a.csv", "path: es.csv")
    file.write_text(text, encoding="utf-8")
    assert not run(file, registry=registry()).findings
    assert not find_lookahead(file, registry=registry())


HOURS = "time,open,high,low,close,volume\n" + "".join(
    f"2024-01-{day} {hour:02}:00,5000,5001,4999,{5000 + hour % 2},10\n" for day in range(15, 20) for hour in range(24)
)
DAYS = "time,open,high,low,close,volume\n" + "".join(f"2024-01-{day},100,101,99,100,10\n" for day in range(15, 20))
CALLED = "hour: times have no time zone and are taken as UTC"


def of_two(folder: Path, instrument: str, feed: str) -> Path:
    """Write days, and round-the-clock hours without a zone, and a strategy with one of them as its feed."""
    (folder / "days.csv").write_text(DAYS, encoding="utf-8")
    (folder / "hours.csv").write_text(HOURS, encoding="utf-8")
    (folder / "zoned.csv").write_text(HOURS.replace(":00,", ":00:00Z,"), encoding="utf-8")
    first, second = STRATEGY.split("  - {", 1)[1].split("}", 1)[0], STRATEGY.split("hour: {", 1)[1].split("}", 1)[0]
    text = STRATEGY.replace(first, instrument).replace(second, f"use: feed, {feed}")
    (folder / "s.yaml").write_text(text, encoding="utf-8")
    return folder / "s.yaml"


@pytest.mark.parametrize(
    ("instrument", "feed"),
    [
        (
            "symbol: A, data: csv, path: days.csv, timeframe: 1d, market: us_stocks",
            "symbol: ES, data: csv, path: hours.csv, timeframe: 1h",
        ),
        (
            "symbol: A, data: csv, path: zoned.csv, timeframe: 1h",
            "symbol: ES, data: csv, path: hours.csv, timeframe: 1d",
        ),
        (
            "symbol: A, data: csv, path: zoned.csv, timeframe: 1h",
            "symbol: EURUSD, data: csv, path: hours.csv, timeframe: 1h, market: forex",
        ),
        (
            "symbol: A, data: csv, path: zoned.csv, timeframe: 1h",
            "symbol: ES, data: store, timeframe: 1h",
        ),
    ],
    ids=["days beside hours", "days made of hours", "a market round the clock", "imported before"],
)
def test_times_without_a_zone_are_told_and_found_wherever_they_come_from(
    instrument: str, feed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path / "home"))
    file = of_two(tmp_path, instrument, feed)
    assert main(["data", "import", str(tmp_path / "hours.csv"), "--symbol", "ES"]) == 0
    assert [each for each in run(file, registry=registry()).findings if CALLED in each]
    (found,) = find_lookahead(file, registry=registry())
    assert "may look ahead: the times of hour have no time zone" in str(found)


def test_hours_of_a_daily_feed_are_found_too(tmp_path: Path) -> None:
    """Here the instrument's own times may be too late beside the days, which are known at midnight UTC."""
    instrument = "symbol: A, data: csv, path: hours.csv, timeframe: 1h"
    file = of_two(tmp_path, instrument, "symbol: B, data: csv, path: days.csv, timeframe: 1d")
    (found,) = find_lookahead(file, registry=registry())
    assert "the times of A have no time zone" in str(found)


def test_the_store_forgets_the_guess_when_all_bars_are_imported_with_a_zone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path / "home"))
    zoned = "symbol: A, data: csv, path: zoned.csv, timeframe: 1h"
    file = of_two(tmp_path, zoned, "symbol: ES, data: store, timeframe: 1h")
    importing = ["data", "import", str(tmp_path / "hours.csv"), "--symbol", "ES"]
    assert main(importing) == main([*importing, "--set", "timezone=UTC"]) == 0
    assert not run(file, registry=registry()).findings
    assert not find_lookahead(file, registry=registry())


def test_hours_that_keep_to_those_of_their_market_have_a_zone(tmp_path: Path) -> None:
    lines = [f"2024-01-{day} {h:02}:30,100,101,99,100,10" for day in (16, 17, 18) for h in range(9, 16)]
    file = of_two(
        tmp_path,
        "symbol: A, data: csv, path: zoned.csv, timeframe: 1h",
        "symbol: B, data: csv, path: b.csv, timeframe: 1h, market: us_stocks",
    )
    (tmp_path / "b.csv").write_text("time,open,high,low,close,volume\n" + "\n".join(lines) + "\n", encoding="utf-8")
    assert not run(file, registry=registry()).findings
    assert not find_lookahead(file, registry=registry())


@pytest.mark.parametrize("market", ["", ", market: crypto_spot"])
def test_times_without_a_zone_of_two_files_are_told_and_found(
    market: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path / "home"))
    file = of_two(
        tmp_path,
        f"symbol: A, data: csv, path: other.csv, timeframe: 1h{market}",
        "symbol: ES, data: csv, path: hours.csv, timeframe: 1h",
    )
    (tmp_path / "other.csv").write_text(HOURS, encoding="utf-8")
    (told,) = [each for each in run(file, registry=registry()).findings if "no time zone" in each]
    assert "A, hour: times have no time zone and are all taken as UTC, but are of different sources" in told
    assert main(["lookahead", str(file)]) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "the times of hour and A have no time zone and are both taken as UTC, but are of different sources" in out
    assert "Set 'timezone' of each" in out


@pytest.mark.parametrize(("symbol", "count"), [("ES", 1), ("A", 0)])
def test_series_of_the_store_without_a_zone_may_be_of_different_clocks(
    symbol: str, count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path / "home"))
    file = of_two(tmp_path, "symbol: A, data: store, timeframe: 1h", f"symbol: {symbol}, data: store, timeframe: 4h")
    for each in ("A", "ES"):
        assert main(["data", "import", str(tmp_path / "hours.csv"), "--symbol", each]) == 0
    assert sum("no time zone" in each for each in run(file, registry=registry()).findings) == count
    assert len(find_lookahead(file, registry=registry())) == count


def test_nodes_that_compare_instruments_of_different_clocks_are_found(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text(HOURS, encoding="utf-8")
    text = STRATEGY.split("instruments:", maxsplit=1)[0] + (
        "instruments:\n"
        "  - {symbol: A, data: csv, path: a.csv, timeframe: 1h}\n"
        "  - {symbol: B, data: csv, path: b.csv, timeframe: 1hZONE}\n"
        "logic:\n"
        "  best: {use: top_n, input: bars.close, n: 1}\n"
        "advisors:\n"
        "  go: {use: rule, enter_long: [best]}\n"
    )
    text += "money:" + STRATEGY.split("money:", 1)[1]
    file = tmp_path / "s.yaml"
    for zone, names in (("", "A, B"), (", timezone: UTC", "A")):
        file.write_text(text.replace("ZONE", zone), encoding="utf-8")
        (found,) = find_lookahead(file, registry=registry())
        assert found.node == "best"
        assert f"the times of {names} have no time zone" in str(found)
    file.write_text(text.replace("b.csv", "a.csv").replace("ZONE", ""), encoding="utf-8")
    assert not find_lookahead(file, registry=registry())


@pytest.mark.parametrize(
    ("time", "setting", "bars_zone", "count"),
    [
        ("2024-03-04T12:00Z", "", "", 1),
        ("2024-03-04 12:00:00-05:00", "", "", 1),
        ("2024-03-04 12:00", ", timezone: America/New_York", "", 1),
        ("2024-03-04 12:00", "", "", 0),
        ("2024-03-04T12:00Z", "", ", timezone: UTC", 0),
    ],
)
def test_bars_without_a_zone_beside_a_file_of_signals_with_one_are_told(
    time: str, setting: str, bars_zone: str, count: int, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text(HOURS, encoding="utf-8")
    (tmp_path / "signals.csv").write_text(f"time,signal\n{time},buy\n", encoding="utf-8")
    text = STRATEGY.split("instruments:", maxsplit=1)[0] + (
        f"instruments:\n  - {{symbol: A, data: csv, path: a.csv, timeframe: 1h{bars_zone}}}\n"
        f"advisors:\n  go: {{use: signal_file, path: signals.csv{setting}}}\n"
    )
    file = tmp_path / "s.yaml"
    file.write_text(text + "money:" + STRATEGY.split("money:", 1)[1], encoding="utf-8")
    told = [each for each in run(file, registry=registry()).findings if "no time zone" in each]
    assert len(told) == count
    assert all("A: times have no time zone and are taken as UTC, unlike those of go." in each for each in told)
