"""Why a run closed no trade, in one or two sentences: each kind of reason, from a real run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from quantcrafter.app.services.phrases import Phrases
from quantcrafter.engine.runtime.explain import why_no_trade
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from quantcrafter.engine.runtime.run_store.run_writer import save_run
from quantcrafter.engine.runtime.running.run import run
from quantcrafter.engine.spec import check_strategy
from tests.support.kept_runs import registry
from tests.support.translations import LANGUAGES, translations

STRATEGY = """\
quantcrafter: 1
instruments: [{{symbol: AAPL, {data}}}]
indicators:
  fast: {{use: ta.SMA, input: bars.close, timeperiod: 5}}
  slow: {{use: ta.SMA, input: bars.close, timeperiod: {slow}}}
  top: {{use: ta.MAX, input: bars.high, timeperiod: 20}}
logic:
  up: {{use: crosses_above, left: fast, right: slow}}
  down: {{use: crosses_below, left: fast, right: slow}}
  dear: {{use: compare, left: bars.close, op: ">", right: 1000000}}
advisors:
  go: {{use: rule, enter_long: [{enter}], exit_long: [{exit}]}}
  other: {{use: rule, enter_long: [down], exit_long: [up]}}
filters:
  calm: {{use: volatility_band, input: bars.close, minimum: 1000000}}
  hot: {{use: volatility_band, input: bars.close, minimum: 0, group: block}}
  some: {{use: volatility_band, input: bars.close, maximum: 10}}
risk:
  stop: {{use: line_stop, line: top}}
  cap: {{use: max_exposure, percent: 0.0001}}
  late: {{use: session_end, minutes: 1440}}
money:
  size: {money}
execution: {{entry: {{use: {execution}, signals: [{signals}], filters: [{filters}], risk: [{risk}], money: size}}}}
run: {{cash: {cash}}}
"""
PLAIN = {
    "enter": "up",
    "exit": "down",
    "money": "{use: fixed_quantity, quantity: 1}",
    "execution": "market",
    "signals": "go",
    "filters": "",
    "risk": "",
    "cash": "100000",
    "slow": "20",
    "data": "data: sample, timeframe: 1d",
}

CASES = {
    "one filter": ({"filters": "calm"}, "No trades: 93 entry signals, all blocked by filter 'calm'."),
    "a filter that blocks while it holds": (
        {"filters": "hot"},
        "No trades: 93 entry signals, all blocked by filter 'hot'.",
    ),
    "two filters": ({"filters": "calm, hot"}, "No trades: 93 entry signals, all blocked by filters 'calm' and 'hot'."),
    "filters that block in part": (
        {"filters": "calm, some"},
        (
            "No trades: 93 entry signals, and none became an order: 48 of them blocked by filter 'calm'; "
            "45 of them blocked by filters 'calm' and 'some'."
        ),
    ),
    "no signal": ({"enter": "dear"}, "No trades: 'go' gave no entry signal in 3,270 bars."),
    "signals that never agree": (
        {"signals": "go, other", "execution": "market, combine: all"},
        "No trades: 'go' and 'other' never gave the same entry signal at the same bar, and the execution needs all.",
    ),
    "contrary signals": (
        {"exit": "up"},
        "No trades: 93 entry signals, all contradicted by another signal at the same bar.",
    ),
    "no size": (
        {"money": "{use: percent_of_equity, percent: 0.0001}"},
        (
            "No trades: 93 entry signals, all sized to less than one lot. One lot of AAPL is 1, then worth 3.99 USD; "
            "the account has 100,000.00 USD. Set a smaller 'lot_size' if the market has it, or a larger size."
        ),
    ),
    "no distance for the stop": (
        {"risk": "stop"},
        "No trades: 93 entry signals, all without a distance for the stop or target.",
    ),
    "no cash": ({"cash": "0.5"}, "No trades: 93 entry orders, none of them filled: rejected for lack of cash."),
    "a part of the volume below one lot": (
        {"cash": "100000, slippage: {volume_percent: 0.0000000001}"},
        (
            "No trades: 93 entry orders, none of them filled: 'volume_percent' of 1e-10 lets at most 0.000879481 of "
            "AAPL fill in one bar, less than a lot of 1. Set a larger one, or a smaller 'lot_size' if the market "
            "has it."
        ),
    ),
    "a cap": ({"risk": "cap"}, "No trades: 93 entry orders, none of them filled: cut to zero by a cap."),
    "a risk rule that lets no entry pass": (
        {"risk": "late", "data": "data: synthetic, timeframe: 1h, bars: 3000, seed: 2"},
        "No trades: 94 entry signals, all blocked by 'late' at the end of the session.",
    ),
    "a price that is never reached": (
        {"execution": "limit, offset_percent: 90, time_in_force: bars, bars: 2"},
        (
            "No trades: 93 entry orders, none of them filled: 88 of them expired before the price was reached; "
            "5 of them cancelled by an exit signal."
        ),
    ),
    "a warm-up over all bars": (
        {"slow": "5000"},
        "No trades: the warm-up takes all 3,270 bars. Use more bars, or shorter periods.",
    ),
    "a position that is never left": (
        {"exit": "dear"},
        "No closed trades: the position that was entered is still open at the end.",
    ),
}


def _runs(choices: dict[str, str], folder: Path) -> tuple[str, str]:
    """Run a strategy; return what is said of the run, and of the same run saved."""
    spec, problems = check_strategy(STRATEGY.format(**{**PLAIN, **choices}), file="s.yaml")
    assert spec is not None, [str(problem) for problem in problems]
    result = run(spec, registry=registry())
    saved = RunFolder.open(save_run(result, folder / "run"))
    return why_no_trade(result), why_no_trade(saved)


@pytest.mark.parametrize("case", CASES)
def test_a_run_without_a_trade_says_why(case: str, tmp_path: Path) -> None:
    choices, text = CASES[case]
    told = _runs(choices, tmp_path)
    assert told == (text, text)
    for language in LANGUAGES:
        left = re.sub(r"['«“]\w+['»”]|AAPL|USD", "", Phrases(translations(language)).translate(told[0]))
        assert not re.findall(r"[A-Za-z]{2,}", left), left


def test_a_run_with_trades_has_nothing_to_say(tmp_path: Path) -> None:
    assert _runs({}, tmp_path) == ("", "")
