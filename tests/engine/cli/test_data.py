"""`quantcrafter data`: bars of your own, from outside."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.bar_store import workdays, write_csv
from tests.support.command_line import quantcrafter

STRATEGY = """\
quantcrafter: 1
name: Own bars
instruments:
  - {symbol: SPY, data: store, timeframe: 1d}
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


def test_files_are_imported_listed_filled_exported_and_run_on(tmp_path: Path) -> None:
    home = tmp_path / "home"
    write_csv(tmp_path / "spy_1d.csv", workdays("2024-01-02", 60, range(20, 30)))
    write_csv(tmp_path / "whole.csv", workdays("2024-01-02", 60))

    empty = quantcrafter("data", home=home)
    assert (empty.returncode, empty.stdout) == (0, "")
    assert empty.stderr.startswith("The bar store is empty.")

    done = quantcrafter("data", "import", "spy_1d.csv", home=home, cwd=tmp_path)
    assert done.returncode == 0
    assert "warning: SPY from spy_1d.csv: 1 bar after a gap, 10 bars of 1d missing in all" in done.stderr
    assert "SPY: 50 bars of 1d imported, 0 stored ones replaced." in done.stderr

    (series,) = json.loads(quantcrafter("data", "list", "--json", home=home).stdout)
    assert (series["symbol"], series["timeframe"], series["count"], series["missing"]) == ("SPY", "1d", 50, 10)
    title, _, row = quantcrafter("data", "gaps", "SPY", home=home).stdout.splitlines()
    assert title.strip() == "SPY 1d: 1 gap"
    assert row.split() == ["1d", "2024-01-30", "00:00", "2024-02-13", "00:00", "10"]

    filled = quantcrafter("data", "fill", "SPY", "1d", "--from", "whole.csv", home=home, cwd=tmp_path)
    assert filled.stderr.endswith("SPY 1d: 10 bars filled in, 0 still missing.\n")

    exported = quantcrafter("data", "export", "SPY", "1d", "out.csv", "--start", "2024-03-01", home=home, cwd=tmp_path)
    assert (exported.returncode, exported.stderr) == (0, "17 bars were written to out.csv.\n")

    (tmp_path / "own.yaml").write_text(STRATEGY, encoding="utf-8")
    ran = quantcrafter("run", "own.yaml", "--json", "-", home=home, cwd=tmp_path)
    assert (ran.returncode, json.loads(ran.stdout)["bars"]) == (0, 60)


def test_a_market_is_given_to_the_import_or_told_by_the_symbol(tmp_path: Path) -> None:
    home = tmp_path / "home"
    write_csv(tmp_path / "sap.csv", workdays("2024-01-02", 20))
    write_csv(tmp_path / "0700.HK.csv", workdays("2024-01-02", 20))
    done = quantcrafter("data", "import", "sap.csv", "--market", "eu_stocks", home=home, cwd=tmp_path)
    assert (done.returncode, "midnight" in done.stderr) == (0, False)
    assert quantcrafter("data", "import", "0700.HK.csv", home=home, cwd=tmp_path).returncode == 0
    kept = json.loads(quantcrafter("data", "list", "--json", home=home).stdout)
    assert [(series["symbol"], series["market"]) for series in kept] == [("0700.HK", "hk_stocks"), ("SAP", "eu_stocks")]
    wrong = quantcrafter("data", "import", "sap.csv", "--market", "eu_stock", home=home, cwd=tmp_path)
    assert (wrong.returncode, "Did you mean 'eu_stocks'?" in wrong.stderr) == (1, True)


def test_checking_imports_nothing_and_a_refused_file_does_not_stop_the_others(tmp_path: Path) -> None:
    home = tmp_path / "home"
    write_csv(tmp_path / "qqq.csv", [*workdays("2024-01-02", 5), "2024-01-09,0,0,0,0,1"])
    write_csv(tmp_path / "spy.csv", workdays("2024-01-02", 5))

    checked = quantcrafter("data", "import", "spy.csv", "--check", home=home, cwd=tmp_path)
    assert "5 bars of 1d, 2024-01-02 to 2024-01-08. Nothing was imported." in checked.stderr
    assert json.loads(quantcrafter("data", "--json", home=home).stdout) == []

    done = quantcrafter("data", "import", "qqq.csv", "spy.csv", home=home, cwd=tmp_path)
    assert done.returncode == 1
    assert "with a price of zero or less: row 7" in done.stderr
    assert "use '--negative-prices' or a market such as us_futures" in done.stderr
    assert "repair the bars with '--repair'" in done.stderr
    assert "on_bad_bars" not in done.stderr
    assert ").\nCorrect the file" in done.stderr
    assert [series["symbol"] for series in json.loads(quantcrafter("data", "--json", home=home).stdout)] == ["SPY"]


def test_deleting_asks_and_wrong_names_are_answered(tmp_path: Path) -> None:
    home = tmp_path / "home"
    write_csv(tmp_path / "spy.csv", workdays("2024-01-02", 40))
    quantcrafter("data", "import", "spy.csv", home=home, cwd=tmp_path)

    asked = quantcrafter("data", "delete", "SPY", home=home)
    assert (asked.returncode, asked.stderr) == (
        2,
        "error: Nothing was deleted: use --yes if the input is not a terminal.\n",
    )
    wrong = quantcrafter("data", "delete", "SPYY", "--yes", home=home)
    assert (wrong.returncode, wrong.stderr) == (1, "error: The bar store has no 'SPYY'. Did you mean 'SPY'?\n")
    part = quantcrafter("data", "delete", "SPY", "1d", "--end", "2024-02-01", "-y", home=home)
    assert part.stderr == "SPY 1d: 22 bars were deleted.\n"
    odd = quantcrafter("data", "gaps", "SPY", "fortnight", home=home)
    assert odd.returncode == 2
    assert "A timeframe is a count and a unit" in odd.stderr
    assert (
        "error: A time is written 2024-05-31"
        in quantcrafter("data", "delete", "SPY", "--end", "soon", home=home).stderr
    )


def test_options_are_given_as_the_messages_name_them(tmp_path: Path) -> None:
    home = tmp_path / "home"
    header = "Date;Open;High;Low;Close;Volume\n"
    days = (f"{day:02}/01/2024;1,500;1,700;1,400;1,600;10" for day in range(2, 6))
    (tmp_path / "abc.csv").write_text(header + "\n".join(days) + "\n", encoding="utf-8")
    options = ("--set", "decimal=,", "--set", "time_format=%d/%m/%Y")
    done = quantcrafter("data", "import", "abc.csv", *options, home=home, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    quantcrafter("data", "export", "ABC", "1d", "out.csv", home=home, cwd=tmp_path)
    lines = (tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()
    assert lines[1].startswith("2024-01-02T")
    assert ",1.5,1.7,1.4,1.6,10" in lines[1]
    assert quantcrafter("data", "import", "abc.csv", "--set", "decimal=[", home=home, cwd=tmp_path).returncode == 2
