"""`quantcrafter engines` and `quantcrafter run --engine-class`, from outside."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.command_line import quantcrafter

FOLDER = Path(__file__).parents[2] / "support" / "own_strategies"


def test_engines_are_listed_with_versions_and_abilities(tmp_path: Path) -> None:
    done = quantcrafter("engines", "--json", home=tmp_path)
    listed = json.loads(done.stdout)
    assert [each["name"] for each in listed["engines"]] == ["native", "backtrader", "vnpy"]
    assert all(each["installed"] for each in listed["engines"])
    assert listed["allowed_classes"] == []
    assert "No strategy class may be imported." in quantcrafter("engines", home=tmp_path).stdout


def test_a_class_runs_once_it_is_allowed_and_what_it_prints_does_not_spoil_the_json(tmp_path: Path) -> None:
    (tmp_path / "loud.py").write_text(
        "import backtrader as bt\n"
        "class Loud(bt.Strategy):\n"
        "    params = (('every', 5),)\n"
        "    def next(self):\n"
        "        print('loud', len(self))\n"
        "        if len(self) % self.p.every == 0:\n"
        "            self.close() if self.position else self.buy(size=2)\n"
    )
    options = ("--engine", "backtrader", "--engine-class", "loud.Loud", "--data", "sample:IBM", "-p", "every=7")
    refused = quantcrafter("run", *options, home=tmp_path)
    assert refused.returncode == 1
    assert "quantcrafter engines allow loud" in refused.stderr

    assert quantcrafter("engines", "allow", "loud", "--folder", str(tmp_path), home=tmp_path).returncode == 0
    done = quantcrafter("run", *options, "--json", "-", home=tmp_path)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert "loud 9" in done.stderr
    assert (result["strategy"], result["engine"]) == ("Loud", "backtrader")
    assert {trade["quantity"] for trade in result["trades"]} == {2}
    assert all(fill["bar"] % 7 == 0 for fill in result["fills"])
    assert "Loud" in quantcrafter("runs", home=tmp_path).stdout

    assert quantcrafter("engines", "disallow", "loud", home=tmp_path).returncode == 0
    assert quantcrafter("run", *options, home=tmp_path).returncode == 1


def test_options_that_do_not_go_together_are_usage_errors(tmp_path: Path) -> None:
    for options, message in [
        ((), "name a strategy file, or a class"),
        (("x.yaml", "--data", "sample:IBM"), "belong to --engine-class"),
        (("--engine-class", "a.B"), "which engine the class is written for"),
        (("--engine", "backtrader", "--engine-class", "a.B"), "what to run it on"),
        (("--engine", "vnpy", "--engine-class", "a.B", "--data", "sample:IBM", "-p", "x"), "a parameter is NAME=VALUE"),
    ]:
        done = quantcrafter("run", *options, home=tmp_path)
        assert (done.returncode, message in done.stderr) == (2, True), done.stderr
