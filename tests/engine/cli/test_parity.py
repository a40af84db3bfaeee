"""`quantcrafter parity`, from outside: what it prints, and its exit code."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.support.command_line import quantcrafter

ROOT = Path(__file__).parents[3]
CANDLES = str(ROOT / "resources" / "examples" / "engulfing_candles.yaml")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a folder with the planted engines installed as a plugin."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copy(ROOT / "tests" / "support" / "planted_engines.py", folder / "planted_engines.py")
    info = folder / "planted-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: planted\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[quantcrafter.plugins]\nplanted = planted_engines\n")
    return str(folder)


def test_engines_that_agree_exit_with_0_and_leave_a_certificate(site: str, tmp_path: Path) -> None:
    page = tmp_path / "certificate.html"
    options = ("--engines", "native, right", "--report", str(page))
    done = quantcrafter("parity", CANDLES, *options, home=tmp_path, PYTHONPATH=site)
    assert done.returncode == 0, done.stderr
    assert "The same orders, fills and equity on native and right." in done.stdout
    assert "SHA-256" in page.read_text(encoding="utf-8")


def test_a_planted_fill_rule_exits_with_3_and_is_named(site: str, tmp_path: Path) -> None:
    done = quantcrafter("parity", CANDLES, "-e", "native,gapless", home=tmp_path, PYTHONPATH=site)
    assert done.returncode == 3, done.stderr
    assert "First difference: fill rule at bar " in done.stdout
    assert "of MSFT (" in done.stdout
    assert "node 'stop'" in done.stdout
    assert "  native   fill price: " in done.stdout
    assert "  gapless  fill price: " in done.stdout


def test_the_json_has_every_difference(site: str, tmp_path: Path) -> None:
    options = ("-e", "native,late,poor", "--json", "--set", "run.cash=50000")
    done = quantcrafter("parity", CANDLES, *options, home=tmp_path, PYTHONPATH=site)
    assert done.returncode == 3, done.stderr
    found = json.loads(done.stdout)
    assert found["same"] is False
    assert [each["name"] for each in found["outcomes"]] == ["native", "late", "poor"]
    assert found["outcomes"][1]["differences"][0]["cause"] == "signal"
    assert found["outcomes"][1]["differences"][0]["node"] == "pattern"
    assert found["outcomes"][2]["differences"][0]["cause"] == "capability"
    assert found["overrides"] == ["run.cash=50000"]


def test_an_unknown_engine_exits_with_2(tmp_path: Path) -> None:
    done = quantcrafter("parity", CANDLES, "-e", "native,backtradr", home=tmp_path)
    assert done.returncode == 2
    assert "Did you mean 'backtrader'?" in done.stderr
