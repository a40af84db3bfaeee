"""A continuous series of futures in a run: the money by hand, and the same on every engine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quantcrafter.engine.adapters.native import NativeEngine
from quantcrafter.engine.api import SpecError
from quantcrafter.engine.api.capability import Capability
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.parity.run import run_parity
from quantcrafter.engine.runtime.results.report_columns import report_data
from quantcrafter.engine.runtime.results.result import RunResult
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from quantcrafter.engine.runtime.run_store.run_writer import save_run
from quantcrafter.engine.runtime.running.load_graph import load_graph, validate_file
from quantcrafter.engine.runtime.running.run import run
from quantcrafter.engine.stats.report_figures import price_figure
from tests.support.contract_files import write_contracts

COSTS = ", commission: {per_unit: 2.5}, slippage: {ticks: 1}"


def write(
    folder: Path,
    *,
    adjust: str = "back_difference",
    signals: str = "enter_long: [up]",
    risk: str = "",
    more: str = "",
    settings: str = COSTS,
    money: str = "fixed_quantity, quantity: 2",
    instrument: str = "",
) -> Path:
    """Write three contracts of the S&P 500, and a strategy that is long from the fifth bar on."""
    write_contracts(folder / "data")
    file = folder / "strategy.yaml"
    wired = ", risk: [stop]" if risk else ""
    file.write_text(
        f"""quantcrafter: 1
name: series
instruments:
  - symbol: ES
    data: csv
    timeframe: 1d
    market: us_futures
    margin: {{per_contract: 1000}}
    continuous: {{contracts: data/ES*.csv, roll: {{rule: days_before_expiry, days: 5}}, adjust: {adjust}}}
{instrument}
indicators:
  average: {{use: ta.SMA, input: bars.close, timeperiod: 5}}
logic:
  up: {{use: compare, left: bars.close, op: ">", right: average}}
{more}
advisors:
  go: {{use: rule, {signals}}}
{f"risk: {{stop: {risk}}}" if risk else ""}
money:
  size: {{use: {money}}}
execution:
  entry: {{use: market, signals: [go], money: size{wired}}}
run: {{cash: 100000{settings}}}
""",
        encoding="utf-8",
    )
    return file


def result_of(file: Path) -> RunResult:
    return run(file, registry=load_registry())


def test_the_money_of_a_position_through_two_rolls_is_that_of_the_contracts(tmp_path: Path) -> None:
    result = result_of(write(tmp_path))
    fills = [
        (str(np.datetime64(int(row["ts_ns"]), "ns"))[:10], row["side"], row["price"], row["reason"])
        for row in result.fills
    ]
    # The average of five bars is known on Monday, 8 January, and the entry fills on Tuesday, 8 points after the first.
    assert fills == [
        ("2024-01-08", "buy", 5008.0, "entry"),
        ("2024-03-08", "sell", 5068.0, "roll"),
        ("2024-03-08", "buy", 5118.0, "roll"),
        ("2024-06-14", "sell", 5216.0, "roll"),
        ("2024-06-14", "buy", 5276.0, "roll"),
        ("2024-09-20", "sell", 5374.0, "expiry"),
    ]
    # Points of each contract, at 50 dollars; six fills of two contracts, each with 2.50 and a tick of 12.50.
    points = (5068 - 5008) + (5216 - 5118) + (5374 - 5276)
    assert points == 256
    costs = 6 * 2 * (2.5 + 12.5)
    assert result.ledger.equity[-1] == 100_000 + 2 * 50 * points - costs
    assert result.ledger.cash[-1] == result.ledger.equity[-1]
    # After the first roll, the profit of the first contract is paid, less four fills of costs.
    day = result.instruments[0].roll
    assert day is not None
    first = int(np.flatnonzero(~np.isnan(day))[0])
    assert result.ledger.cash[first] == 100_000 + 2 * 50 * (5068 - 5008) - 3 * 2 * 15


def test_the_trade_is_one_and_its_profit_is_that_of_all_contracts(tmp_path: Path) -> None:
    result = result_of(write(tmp_path))
    (trade,) = result.trades
    assert trade["pnl"] == 2 * 50 * 256 - 6 * 2 * 15
    # In the prices of the last contract: 110 points above those of the first one.
    assert (trade["entry_price"], trade["exit_price"]) == (5008 + 110, 5374.0)
    assert trade["exit_reason"] == "expiry"


def test_a_last_contract_without_bars_at_its_expiry_is_closed_at_the_last_one_before(tmp_path: Path) -> None:
    file = write(tmp_path)
    last = max((tmp_path / "data").glob("ES*.csv"), key=lambda path: path.read_text(encoding="utf-8").splitlines()[-1])
    rows = last.read_text(encoding="utf-8").splitlines()
    kept = [row for row in rows if not "2024-09-18" <= row[:10] <= "2024-09-20"]
    last.write_text("\n".join([*kept, rows[-1].replace(rows[-1][:10], "2024-09-25")]) + "\n", encoding="utf-8")
    result = result_of(file)
    assert [result.fills["price"][-1], result.fills["reason"][-1]] == [5371.0, "expiry"]
    assert not len(result.ledger.open_positions)


@pytest.mark.parametrize("adjust", ["none", "back_difference", "back_ratio"])
def test_the_adjustment_changes_the_columns_and_not_the_money_of_the_same_trades(tmp_path: Path, adjust: str) -> None:
    result = result_of(write(tmp_path, adjust=adjust))
    assert result.ledger.equity[-1] == 100_000 + 2 * 50 * 256 - 6 * 2 * 15


def test_a_stop_moves_with_the_contract(tmp_path: Path) -> None:
    result = result_of(write(tmp_path, risk="{use: percent_stop, percent: 5}"))
    stop = next(row for row in result.ledger.orders if row["rule"] >= 0)
    level = round(5008.0 * 0.95 * 4) / 4
    assert stop["price"] == level + 50 + 60


@pytest.mark.parametrize(("cash", "quantity"), [(250_400, 1), (500_800, 2), (500_700, 1)])
def test_a_percentage_of_equity_is_of_the_real_price(tmp_path: Path, cash: int, quantity: int) -> None:
    # A contract is worth 50 x 5,008 = 250,400 at the close of the decision; at the adjusted close it would be 255,900.
    file = write(tmp_path, money="percent_of_equity, percent: 100", settings="")
    file.write_text(file.read_text(encoding="utf-8").replace("cash: 100000", f"cash: {cash}"), encoding="utf-8")
    assert result_of(file).fills["quantity"][0] == quantity


def test_conditions_on_the_position_see_prices_as_columns_do(tmp_path: Path) -> None:
    more = """  pos: {use: position}
  gained: {use: compare, left: bars.close, op: ">", right: pos.entry_price}
  held: {use: compare, left: pos.bars, op: ">=", right: 50}
  both: {use: and, conditions: [gained, held]}
"""
    result = result_of(write(tmp_path, signals="enter_long: [up], exit_long: [both]", more=more))
    seen = np.array(result.column("pos", "entry_price"))
    bars = np.array(result.column("pos", "bars"))
    held = bars > 0
    first = int(np.flatnonzero(held)[0])
    # The first trade was entered at 5,008 in the first contract: 5,118 in the prices of the columns, rolls or not.
    until = first + int(np.argmin(held[first:]))
    assert set(seen[first:until].tolist()) == {5118.0}


def test_a_line_as_stop_is_a_real_price(tmp_path: Path) -> None:
    file = write(tmp_path, risk="{use: line_stop, line: below}")
    below = 'logic:\n  below: {use: arithmetic, left: average, op: "-", right: 40}'
    file.write_text(file.read_text(encoding="utf-8").replace("logic:", below), encoding="utf-8")
    result = result_of(file)
    stop = next(row for row in result.ledger.orders if row["rule"] >= 0)
    # On Monday, 8 January the average of five closes is 5,004.6 in the first contract.
    first = np.mean([5002, 5003, 5004, 5005, 5008]) - 40
    assert stop["price"] == round(first * 4) / 4 + 110


def test_every_engine_has_the_same_trades(tmp_path: Path) -> None:
    pytest.importorskip("backtrader")
    file = write(tmp_path, risk="{use: trailing_stop, percent: 1}")
    report = run_parity(load_graph(file, load_registry()), registry=load_registry(), engines=("native", "backtrader"))
    assert [outcome.differences for outcome in report.outcomes] == [()] * len(report.outcomes)


def test_an_engine_without_it_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lesser = NativeEngine.capabilities - {Capability.CONTINUOUS_FUTURES}
    monkeypatch.setattr(NativeEngine, "capabilities", lesser)
    with pytest.raises(SpecError, match="continuous futures"):
        result_of(write(tmp_path))


def test_each_roll_is_told_and_the_terms_say_how_it_is_made(tmp_path: Path) -> None:
    result = result_of(write(tmp_path))
    told = [note for note in result.notes if "Rolled" in note]
    assert told[0] == "ES: Rolled on 2024-03-08 from ESH24 to ESM24, at 5068 and 5118: a difference of +50."
    assert len(told) == 2
    terms = result.instruments[0].terms
    assert terms["continuous"].value == "data/ES*.csv, rolled 5 days_before_expiry, back_difference"
    assert "expiry" not in terms


def test_a_kept_run_knows_its_rolls(tmp_path: Path) -> None:
    result = result_of(write(tmp_path))
    save_run(result, tmp_path / "kept")
    kept = RunFolder.open(tmp_path / "kept")
    job = result.instruments[0]
    assert kept.instruments[0].roll is not None
    assert job.roll is not None
    assert kept.instruments[0].roll.tobytes() == job.roll.tobytes()
    assert kept.fills["reason"].tolist().count("roll") == 4


def test_a_run_that_starts_after_a_roll_is_not_rolled_at_its_start(tmp_path: Path) -> None:
    result = result_of(write(tmp_path, settings=f"{COSTS}, start: 2024-03-11"))
    assert result.fills["reason"].tolist() == ["entry", "roll", "roll", "expiry"]


def test_buy_and_hold_follows_the_contracts(tmp_path: Path) -> None:
    result = result_of(write(tmp_path))
    # Bought at the first open, 5,001 on 2 January, and held to 5,374: 110 points are the distances of the contracts.
    gained = 5374 - 110 - 5001
    assert result.metrics["buy_and_hold_pct"] == pytest.approx(100 * gained / 5001)


@pytest.mark.parametrize(
    ("instrument", "told"),
    [
        ("    expiry: 2024-09-20", "ES has both 'expiry' and 'continuous'."),
        ("    path: data/ESH24.csv", "ES has both 'path' and 'continuous'."),
        ("    kind: spot", "'continuous' is for contracts, but ES is spot."),
    ],
)
def test_what_excludes_a_series_is_refused(tmp_path: Path, instrument: str, told: str) -> None:
    problems = validate_file(write(tmp_path, instrument=instrument), load_registry())
    assert told in [problem.message for problem in problems]


@pytest.mark.parametrize(
    ("series", "told"),
    [
        ("{contracts: data/ES*.csv}", "'continuous.roll' is missing."),
        ("{roll: {rule: volume}}", "'continuous.contracts' is missing."),
        ("{contracts: data/ES*.csv, roll: {rule: expiry}}", "'continuous.roll.rule' must be"),
        ("{contracts: data/ES*.csv, roll: {rule: dates}}", "'dates' are the days of the rule 'dates'"),
        ("{contracts: data/ES*.csv, roll: {rule: volume}, adjust: forward}", "'continuous.adjust' must be"),
    ],
)
def test_a_wrong_series_is_explained(tmp_path: Path, series: str, told: str) -> None:
    file = write(tmp_path)
    text = file.read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if "continuous:" in line)
    file.write_text(text.replace(line, f"    continuous: {series}"), encoding="utf-8")
    problems = validate_file(file, load_registry())
    assert any(told in problem.message for problem in problems), [problem.message for problem in problems]


def test_a_longer_bar_than_a_day_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path)
    file.write_text(file.read_text(encoding="utf-8").replace("timeframe: 1d", "timeframe: 1w"), encoding="utf-8")
    problems = validate_file(file, load_registry())
    assert "'timeframe' of a continuous series can be at most a day, was 1w." in [each.message for each in problems]


def test_rolls_are_named_in_a_run_that_is_stored_and_marked_in_its_report(tmp_path: Path) -> None:
    result = result_of(write(tmp_path))
    (job,) = RunFolder.open(save_run(result, tmp_path / "run")).instruments
    assert [(each.old, each.new, each.old_price, each.new_price) for each in job.rolls] == [
        ("ESH24", "ESM24", 5068.0, 5118.0),
        ("ESM24", "ESU24", 5216.0, 5276.0),
    ]
    assert [each.difference for each in job.rolls] == [50.0, 60.0]
    assert job.rolls == result.instruments[0].rolls
    later = result.instruments[0].rows(job.rolls[0].bar, len(job.bars))
    assert [(each.bar, each.old, each.new) for each in later.rolls] == [
        (job.rolls[1].bar - job.rolls[0].bar, "ESM24", "ESU24")
    ]
    (marks,) = [trace for trace in price_figure(report_data(result), 0)["traces"] if trace["name"] == "Roll"]
    assert marks["at"] == [each.bar for each in job.rolls]
    assert marks["y"] == [5118.0, 5276.0]
    assert marks["text"] == ["ESH24 to ESM24, +50", "ESM24 to ESU24, +60"]
