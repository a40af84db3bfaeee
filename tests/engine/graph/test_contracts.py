"""Problems of contracts, margins and pips, each with its place; and case by case what such a file earns."""

from __future__ import annotations

from pathlib import Path

import pytest

import quantcrafter
from quantcrafter.engine.api.errors import Severity
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.load_graph import validate_file

FILE = """quantcrafter: 1
instruments:
  - {{symbol: USDJPY, data: csv, path: d.csv, session: 24x7, tick_size: 0.001, lot_size: 1000{instrument}}}
data:
  rate: {{use: feed, symbol: {feed}, data: csv, path: {path}, session: 24x7}}
logic:
  enter: {{use: compare, left: bars.volume, op: "==", right: 1}}
  leave: {{use: compare, left: bars.volume, op: "==", right: 2}}
advisors: {{go: {{use: rule, enter_long: [enter], exit_long: [leave]}}}}
risk: {{stop: {risk}}}
money: {{size: {{use: fixed_quantity, quantity: 100000}}}}
execution: {{entry: {{use: market, signals: [go], money: size, risk: [stop]}}}}
run: {{cash: 10000, currency: USD, rates: {{JPY: 1/rate}}, margin: {{initial_percent: 4}}}}
"""
STOP = "{use: percent_stop, percent: 50}"
PIPS = "{use: pips_stop, pips: 500}"
WARNED = "USDJPY is spot and itself the rate by which its JPY are converted"


def write(
    folder: Path, instrument: str, *, feed: str = "USDJPY", path: str = "d.csv", risk: str = STOP, below: float = 0.0
) -> Path:
    """Write a strategy on prices that rise from 150 to 165, bought and sold by the volume, less `below`."""
    rows = [(150, 1), (150, 0), (155, 0), (160, 0), (165, 2), (165, 0)]
    lines = [
        f"2024-01-0{day},{p - below},{p + 1 - below},{p - 1 - below},{p - below},{v}"
        for day, (p, v) in enumerate(rows, 1)
    ]
    (folder / "d.csv").write_text("\n".join(["time,open,high,low,close,volume", *lines]) + "\n", encoding="utf-8")
    (folder / "other.csv").write_bytes((folder / "d.csv").read_bytes())
    file = folder / "s.yaml"
    file.write_text(FILE.format(instrument=instrument, feed=feed, path=path, risk=risk), encoding="utf-8")
    return file


def problems(file: Path) -> list[str]:
    return [f"{p.line}:{p.column} {p.message} {p.remedy}" for p in validate_file(file, load_registry())]


@pytest.mark.parametrize(("feed", "path"), [("USDJPY", "d.csv"), ("rate", "d.csv"), ("USDJPY", "other.csv")])
def test_spot_whose_price_is_its_own_rate_is_warned_of_and_earns_nothing(tmp_path: Path, feed: str, path: str) -> None:
    file = write(tmp_path, ", currency: JPY", feed=feed, path=path)
    (found,) = validate_file(file, load_registry())
    assert found.severity is Severity.WARNING
    assert found.message.startswith(WARNED)
    assert "kind: contract" in found.remedy
    assert (found.line, found.field) == (3, "currency")
    assert quantcrafter.run(file).metrics["net_profit"] == pytest.approx(0.0, abs=1e-9)


def test_the_same_as_a_contract_earns_the_way_of_the_price_at_the_last_rate(tmp_path: Path) -> None:
    file = write(tmp_path, ", currency: JPY, kind: contract")
    assert problems(file) == []
    result = quantcrafter.run(file)
    assert result.metrics["net_profit"] == pytest.approx(1_500_000 / 165)
    assert result.metrics["average_trade_pct"] == pytest.approx(100 * 1_500_000 / 165 / 100_000)
    started, ended = result.metrics["start_ns"], result.metrics["end_ns"]
    assert started is not None
    assert ended is not None
    years = (ended - started) / (365.25 * 86_400e9)
    assert result.metrics["turnover"] == pytest.approx(200_000 / result.ledger.equity.mean() / years)
    # As a contract the money is kept, and 15 yen a dollar are won at the last rate.
    assert result.metrics["buy_and_hold_pct"] == pytest.approx(100 * 15 / 165)
    assert result.trades["entry_value"].tolist() == pytest.approx([100_000])


@pytest.mark.parametrize("kind", ["", ", kind: contract"])
def test_a_pair_that_counts_in_another_currency_than_its_name_says_is_warned_of(tmp_path: Path, kind: str) -> None:
    (found,) = validate_file(write(tmp_path, kind), load_registry())
    assert found.severity is Severity.WARNING
    assert found.message == "USDJPY is priced in JPY by its name, but has no 'currency' and so counts in USD."
    assert "Add 'currency: JPY'" in found.remedy
    assert problems(write(tmp_path, f"{kind}, currency: USD")) == []


@pytest.mark.parametrize("symbol", ["EURUSD", "GOOGLE", "CADENT", "JPYUSD=X", "XAU/USD"])
def test_other_symbols_are_not_taken_for_pairs_in_another_currency(tmp_path: Path, symbol: str) -> None:
    file = write(tmp_path, "")
    file.write_text(
        file.read_text(encoding="utf-8").replace("{symbol: USDJPY", f"{{symbol: {symbol}"), encoding="utf-8"
    )
    assert problems(file) == []


def test_a_rate_of_another_pair_is_not_warned_of(tmp_path: Path) -> None:
    file = write(tmp_path, ", currency: JPY", feed="OTHER", path="other.csv")
    file.write_text(file.read_text(encoding="utf-8").replace("symbol: USDJPY", "symbol: EURJPY"), encoding="utf-8")
    assert problems(file) == []


@pytest.mark.parametrize(
    ("instrument", "message"),
    [
        (", kind: future", "'kind' of an instrument must be spot or contract, was 'future'."),
        (", multiplier: 5", "'multiplier' is for contracts, but USDJPY is spot. Add 'kind: contract'."),
        (", kind: contract, multiplier: 0", "'multiplier' of an instrument must be a number above 0, was 0."),
        (", pip_size: -1", "'pip_size' of an instrument must be a number above 0, was -1."),
        (", margin: 5", "'margin' of an instrument must be a mapping, was a number."),
        (", margin: {per_contract: 9}", "'margin' per contract is for contracts, but USDJPY is spot."),
        (", kind: contract, borrow_percent: 2", "'borrow_percent' is for spot: contracts are not borrowed."),
        (", kind: contract, margin: {per_contract: 0}", "'margin.per_contract' must be greater than 0, was 0."),
        (", kind: contract, margin: {per_contracts: 9}", "Did you mean 'per_contract'?"),
        (", kind: contract, margin: {per_contract: 9, maintenance_per_contract: 10}", "was 10 above 9"),
        (", kind: contract, margin: {maintenance_per_contract: 10}", "needs 'per_contract'"),
        (", kind: contract, margin: {per_contract: 9, initial_percent: 5}", "not in both"),
        (", kind: contract, margin: {maintenance_percent: 50}", "must not be above 'initial_percent', was 50 above 4"),
    ],
)
def test_what_is_wrong_with_a_contract_is_one_problem_at_its_place(
    tmp_path: Path, instrument: str, message: str
) -> None:
    (found,) = problems(write(tmp_path, f", currency: USD{instrument}"))
    assert found.startswith("3:")
    assert message in found


def test_pips_without_a_pip_size_are_told_at_the_node_with_the_instrument(tmp_path: Path) -> None:
    (found,) = problems(write(tmp_path, ", currency: JPY, kind: contract", risk=PIPS))
    assert "'stop' counts in pips, but there is no 'pip_size' of USDJPY. Give it, such as" in found
    assert found.startswith("10:")


@pytest.mark.parametrize(
    ("instrument", "warned"),
    [
        ("pip_size: 0.0001", ""),
        ("pip_size: 0.0001, tick_size: 0.001", "was 0.0001 below 0.001: distances in pips are rounded to whole ticks."),
        ("pip_size: 0.0001, tick_size: 0.0001", ""),
        ("pip_size: 0.0001, tick_size: 0.00001", ""),
        ("pip_size: 0.01", ""),
        ("kind: contract", ""),
    ],
)
def test_a_pip_below_the_tick_is_warned_of_at_its_place(tmp_path: Path, instrument: str, warned: str) -> None:
    file = write(tmp_path, ", currency: USD, kind: contract")
    text = file.read_text(encoding="utf-8").replace("USDJPY", "EURUSD").replace("kind: contract", instrument)
    file.write_text(text.replace("tick_size: 0.001, lot_size", "lot_size"), encoding="utf-8")
    found = validate_file(file, load_registry())
    assert [(each.severity, each.line, each.field) for each in found] == (
        [(Severity.WARNING, 3, "pip_size")] if warned else []
    )
    if warned:
        assert found[0].message.startswith("The 'pip_size' of EURUSD must not be below its 'tick_size'")
        assert warned in found[0].message
        assert found[0].remedy == "Set 'tick_size' to the smallest step of its price, such as 0.00001."


def test_a_stop_in_pips_lies_that_many_pips_away(tmp_path: Path) -> None:
    file = write(tmp_path, ", currency: JPY, kind: contract, pip_size: 0.01", risk=PIPS)
    result = quantcrafter.run(file)
    assert [row["price"] for row in result.orders if row["rule"] == "stop"] == [145.0]


def test_a_kept_run_knows_its_contracts_and_their_rates(tmp_path: Path) -> None:
    from quantcrafter.app.charts.model.curves import exposure_curve
    from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
    from quantcrafter.engine.runtime.run_store.run_writer import save_run

    result = quantcrafter.run(write(tmp_path, ", currency: JPY, kind: contract, multiplier: 2"))
    kept = RunFolder.open(save_run(result, tmp_path / "kept"))
    (job,) = kept.instruments
    assert (job.kind, job.multiplier, job.currency) == ("contract", 2.0, "JPY")
    assert job.rate_close is not None
    rates = result.instruments[0].rate_close
    assert rates is not None
    assert job.rate_close.tolist() == rates.tolist()
    # 100,000 x 2 yen contracts at any price are 200,000 dollars.
    assert exposure_curve(kept)[1] == pytest.approx(100 * 200_000 / result.ledger.equity[1])
    assert kept.trades["entry_value"].tolist() == result.trades["entry_value"].tolist()


def test_the_example_of_the_page_on_the_strategy_file_is_valid(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "strategy-file.md").read_text(encoding="utf-8")
    block = page.split("### Contracts")[1].split("```yaml\n")[1].split("```")[0]
    for name in ("eurusd", "es"):
        block = block.replace(f"data: csv, path: {name}.csv", "data: sample")
    rest = "advisors: {go: {use: breakout, entry_bars: 5}}\n"
    rest += "execution: {entry: {use: market, signals: [go], risk: [stop], money: size}}\n"
    file = tmp_path / "s.yaml"
    file.write_text(f"quantcrafter: 1\n{block}{rest}", encoding="utf-8")
    assert problems(file) == []
