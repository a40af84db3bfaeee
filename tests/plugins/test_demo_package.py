"""A plugin package, installed by pip, is used by name in a strategy file without an import anywhere."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import quantcrafter

PACKAGE = Path(__file__).parents[2] / "resources" / "plugins" / "quantcrafter_demo"
STRATEGY = """\
quantcrafter: 1
name: Riding waves
instruments:
  - {symbol: WAVE, data: demo.waves, timeframe: 1d, count: 400}
indicators:
  line: {use: demo.vwma, length: 15}
advisors:
  streak: {use: demo.streak, line: line, closes: 2}
filters:
  quiet: {use: demo.quiet, limit: 10}
money:
  size: {use: fixed_quantity, quantity: 10}
execution:
  entry: {use: market, signals: [streak], filters: [quiet], money: size}
"""

DECIDING = """\
risk:
  low: {use: demo.lowest_low, bars: 3}
money:
  size: {use: demo.round_lots, percent: 40}
execution:
  entry: {use: demo.half_range, signals: [streak], filters: [quiet], risk: [low], money: size, patience: 3}
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a folder into which pip has installed the package."""
    folder = tmp_path_factory.mktemp("site")
    options = ("--no-build-isolation", "--no-deps", "--no-index", "--disable-pip-version-check", "--quiet")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, "--target", str(folder), str(PACKAGE)],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return str(folder)


@pytest.fixture
def strategy(tmp_path: Path) -> Path:
    """Return a strategy file that uses everything in the package."""
    path = tmp_path / "waves.yaml"
    path.write_text(STRATEGY, encoding="utf-8")
    return path


def test_the_installed_package_is_listed_with_what_it_brings(site: str, tmp_path: Path) -> None:
    done = quantcrafter("plugins", "--json", home=tmp_path, PYTHONPATH=site)

    demo = next(plugin for plugin in json.loads(done.stdout) if plugin["name"] == "demo")
    assert (demo["status"], demo["version"], demo["distribution"]) == ("loaded", "0.3.1", "quantcrafter-demo")
    assert demo["provides"] == {
        "indicators": ["demo.vwma"],
        "advisors": ["demo.streak"],
        "filters": ["demo.quiet"],
        "execution": ["demo.half_range"],
        "risk": ["demo.lowest_low"],
        "money": ["demo.round_lots"],
        "data_providers": ["demo.waves"],
    }


def test_a_strategy_file_uses_the_package_by_name(site: str, strategy: Path, tmp_path: Path) -> None:
    done = quantcrafter("validate", str(strategy), home=tmp_path, PYTHONPATH=site)

    assert done.returncode == 0, done.stderr
    assert all(line.startswith("WAVE: ") for line in done.stderr.splitlines()), done.stderr
    assert done.stdout == f"{strategy}: valid\n"


def test_without_the_package_each_name_is_a_located_error(strategy: Path, tmp_path: Path) -> None:
    done = quantcrafter("validate", str(strategy), home=tmp_path)

    assert done.returncode == 2
    for name, line in (("demo.waves", 4), ("demo.vwma", 6), ("demo.streak", 8), ("demo.quiet", 10)):
        assert any(text.startswith(f"{strategy}:{line}:") and name in text for text in done.stderr.splitlines())


def test_a_run_trades_on_the_signals_of_the_package(site: str, strategy: Path, tmp_path: Path) -> None:
    done = quantcrafter("run", str(strategy), "--json", "-", home=tmp_path, PYTHONPATH=site)

    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["synthetic"]
    assert "SYNTHETIC" in done.stderr
    trades = result["trades"]
    assert len(trades) >= 4
    assert all(trade["side"] == "long" and trade["quantity"] == 10 for trade in trades)
    entries = [trade["entry_bar"] for trade in trades]
    distances = [later - earlier for earlier, later in itertools.pairwise(entries)]
    assert set(distances[1:]) <= {59, 60, 61}, "the waves are 60 bars long, and each is ridden once"


def test_its_own_execution_risk_and_money_decide_a_run(site: str, tmp_path: Path) -> None:
    path = tmp_path / "deciding.yaml"
    path.write_text(STRATEGY.partition("money:")[0] + DECIDING, encoding="utf-8")
    done = quantcrafter("run", str(path), "--json", "-", home=tmp_path, PYTHONPATH=site)

    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert len(result["trades"]) >= 4
    entries = [fill for fill in result["fills"] if fill["side"] == "buy"]
    assert all(fill["order_type"] == "limit" and fill["quantity"] % 10 == 0 for fill in entries)
    assert {fill["reason"] for fill in result["fills"]} == {"component"}
    stops = [order for order in result["orders"] if order["rule"] == "low"]
    assert len(stops) == len(entries)
    assert {order["order_type"] for order in stops} == {"stop"}


def test_a_disabled_package_counts_as_not_installed(site: str, strategy: Path, tmp_path: Path) -> None:
    assert quantcrafter("plugins", "disable", "demo", home=tmp_path, PYTHONPATH=site).returncode == 0
    assert quantcrafter("validate", str(strategy), home=tmp_path, PYTHONPATH=site).returncode == 2
    assert quantcrafter("plugins", "enable", "demo", home=tmp_path, PYTHONPATH=site).returncode == 0
    assert quantcrafter("validate", str(strategy), home=tmp_path, PYTHONPATH=site).returncode == 0
