"""Every reason that the ledger knows has words of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantcrafter.app.services.event_texts import blocked_text, ended_text, filled_text, ordered_text
from quantcrafter.engine.api.ledger import BlockReason, OrderStatus, Reason, StatusReason
from quantcrafter.engine.runtime.explain import Blocked, Facts, FilledOrder, Ordered, explain
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from quantcrafter.engine.runtime.run_store.run_writer import save_run
from quantcrafter.engine.runtime.running.run import run
from tests.support.kept_runs import EXAMPLES, example_run, registry, saved_run


@pytest.mark.parametrize("reason", list(BlockReason))
def test_why_an_entry_was_blocked_is_said_in_words(reason: BlockReason) -> None:
    word = reason.name.lower()
    text = blocked_text(Blocked(1, word, ("uptrend",)))
    assert text.startswith("Signal to enter long, no order: ")
    said = text.partition(": ")[2]
    assert said not in (word, word.replace("_", " "))


@pytest.mark.parametrize("reason", list(Reason))
def test_why_an_order_filled_is_said_in_words(reason: Reason) -> None:
    facts = Facts(example_run("rsi_pullback"), registry())
    word = reason.name.lower()
    text = filled_text(FilledOrder(1, 1, 10, 99.5, word, "stop", 300), facts)
    assert text.startswith("Bought 10 at 99.5: ")
    assert text.partition(": ")[2] not in (word, word.replace("_", " "))


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("side", [1, -1])
def test_what_was_ordered_is_said_in_words(reason: Reason, side: int) -> None:
    text = ordered_text(Ordered(1, side, 10, reason.name.lower()))
    assert text.startswith("Ordered")
    assert "_" not in text


@pytest.mark.parametrize("reason", [each for each in StatusReason if each is not StatusReason.NONE])
def test_what_became_of_an_order_is_said_in_words(reason: StatusReason) -> None:
    facts = Facts(example_run("rsi_pullback"), registry())
    ordered = Ordered(1, 1, 10, "entry", "cancelled", reason.name.lower(), 300)
    text = ended_text(ordered, facts)
    assert text.startswith("Cancelled on 2001-05-")
    assert ": " in text or reason is StatusReason.REDUCED
    filled = ended_text(Ordered(1, 1, 10, "entry", "filled", "reduced", 300, 84.5), facts)
    assert filled.endswith("at 84.5, reduced to the available cash")


def test_an_order_that_the_cash_did_not_pay_is_said_to_be_rejected(tmp_path: Path) -> None:
    text = (EXAMPLES / "rsi_pullback.yaml").read_text(encoding="utf-8")
    poor = saved_run(text, tmp_path, "run.insufficient_cash=reject", "money.size.percent=100", "run.slippage.bps=50")
    rejected = poor.ledger.orders[poor.ledger.orders["status"] == OrderStatus.REJECTED]
    facts = Facts(poor, registry())
    (order,) = [each for each in explain(facts, int(rejected["created_bar"][0])).ordered if each.reason == "entry"]
    assert ended_text(order, facts).startswith("Rejected on ")
    assert ended_text(order, facts).endswith(": not enough cash")


LIMITED = """\
quantcrafter: 1
instruments: [{symbol: ABC, data: csv, path: abc.csv, timeframe: 6h, session: 24x7, stamp: open, timezone: UTC}]
logic:
  high: {use: compare, left: bars.close, op: "==", right: 11}
  low: {use: compare, left: bars.close, op: "==", right: 9}
advisors: {rule: {use: rule, enter_long: [high], exit_long: [low]}}
risk: {few: {use: entry_limit, entries: 1}}
money: {size: {use: fixed_quantity, quantity: 10}}
execution: {entry: {use: market, signals: [rule], risk: [few], money: size}}
"""


@pytest.mark.parametrize(("counted", "said"), [("today", "1 of 1 entries today"), ("open", "1 of 1 entries are open")])
def test_a_limit_of_entries_is_named_with_its_count(tmp_path: Path, counted: str, said: str) -> None:
    # A day has four bars. ABC is bought at the second one's open, and in the first case sold at the third one's.
    closes = {"today": {"ABC": [11, 9, 11, 10, 10, 10]}, "open": {"ABC": [11] + [10] * 5, "XYZ": [10, 11] + [10] * 4}}
    text = LIMITED.replace("entries: 1", f"entries: 1, counted: {counted}, per: portfolio")
    if counted == "open":
        other = text.splitlines()[1].replace("instruments: [", "").rstrip("]").replace("ABC", "XYZ")
        text = text.replace("timezone: UTC}]", "timezone: UTC}, " + other.replace("abc", "xyz") + "]")
    for symbol, prices in closes[counted].items():
        rows = [f"2024-01-0{1 + n // 4} {n % 4 * 6:02}:00,{c},{c},{c},{c},100" for n, c in enumerate(prices)]
        table = "\n".join(["date,open,high,low,close,volume", *rows]) + "\n"
        (tmp_path / f"{symbol.lower()}.csv").write_text(table, encoding="utf-8")
    path = tmp_path / "strategy.yaml"
    path.write_text(text, encoding="utf-8")
    kept = RunFolder.open(save_run(run(path, registry=registry()), tmp_path / "run"))
    (row,) = kept.ledger.blocked
    why = explain(Facts(kept, registry(), int(row["instrument"])), int(row["bar"]))
    assert [blocked_text(each) for each in why.blocked] == [f"Signal to enter long, no order: blocked by 'few': {said}"]
