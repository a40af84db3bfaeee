"""Small files on contracts in another currency, each against arithmetic by hand, as a user would run them."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantcrafter.engine.runtime.results.result import RunResult
from quantcrafter.engine.runtime.running.load_graph import validate_file
from quantcrafter.engine.runtime.running.run import run
from tests.support.small_cases import SmallCase, assert_fills, equity_of, registry, trades_of

STRATEGY = """\
quantcrafter: 1
instruments:
  - {{symbol: {symbol}, data: csv, path: d.csv, timeframe: 1d, session: 24x7, tick_size: 0.001, lot_size: 1000,
     currency: JPY{more}}}
data:
  rate: {{use: feed, symbol: {symbol}, data: csv, path: rate.csv, session: 24x7}}
logic:
  el: {{use: compare, left: bars.volume, op: "==", right: 1}}
  xl: {{use: compare, left: bars.volume, op: "==", right: 2}}
  es: {{use: compare, left: bars.volume, op: "==", right: 3}}
  xs: {{use: compare, left: bars.volume, op: "==", right: 4}}
advisors:
  go: {{use: rule, enter_long: [el], exit_long: [xl], enter_short: [es], exit_short: [xs]}}
money:
  size: {{use: fixed_quantity, quantity: 100000}}
execution:
  entry: {{use: market, signals: [go], money: size}}
run: {{cash: 10000, currency: USD, rates: {{JPY: 1/rate}}, margin: {{initial_percent: 4}}}}
"""
RISE = [150, 150, 151.5, 153, 154.5, 156, 157.5, 159, 160.5, 162, 163.5, 165, 165]
ENTER_LONG, EXIT_LONG, ENTER_SHORT, EXIT_SHORT = 1, 2, 3, 4


def write(
    folder: Path,
    prices: list[float],
    signals: dict[int, int],
    *,
    rates: list[float] | None = None,
    more: str = ", kind: contract",
    symbol: str = "USDJPY",
) -> Path:
    """Write bars that open and close at a price, the rate of the yen (the price itself if left out), and a strategy."""
    for name, column in (("d", prices), ("rate", rates or prices)):
        rows = [
            f"2024-01-{day + 1:02},{price},{price + 1},{price - 1},{price},{signals.get(day, 0)}"
            for day, price in enumerate(column)
        ]
        (folder / f"{name}.csv").write_text("\n".join(["time,open,high,low,close,volume", *rows, ""]), encoding="utf-8")
    path = folder / "case.yaml"
    path.write_text(STRATEGY.format(more=more, symbol=symbol), encoding="utf-8")
    return path


def trade(path: Path) -> RunResult:
    """Run a strategy."""
    return run(path, registry=registry())


def test_a_currency_pair_earns_the_way_of_its_price_converted_where_it_is_closed(tmp_path: Path) -> None:
    result = trade(write(tmp_path, RISE, {0: ENTER_LONG, 11: EXIT_LONG}))
    assert_fills(result, (1, "buy", 100_000, 150, "entry"), (12, "sell", 100_000, 165, "signal"))
    # 1,500,000 yen at 165.
    assert trades_of(result, "pnl") == [(pytest.approx(9_090.909, abs=1e-3),)]
    assert equity_of(result)[-1] == 10_000 + 1_500_000 / 165
    # On the way: at 153 on bar 3, 300,000 yen at 153.
    assert equity_of(result)[3] == 10_000 + 300_000 / 153


def test_a_short_of_a_currency_pair_that_rises_loses_the_same(tmp_path: Path) -> None:
    result = trade(write(tmp_path, RISE[:4], {0: ENTER_SHORT, 2: EXIT_SHORT}))
    assert_fills(result, (1, "sell", 100_000, 150, "entry"), (3, "buy", 100_000, 153, "signal"))
    # The open of bar 3 knows the rate at the close before, 151.5.
    assert equity_of(result)[-1] == 10_000 - 300_000 / 151.5


def test_profit_is_converted_at_the_rate_of_the_fill_that_realised_it_and_never_again(tmp_path: Path) -> None:
    # A contract whose rate moves by itself: + 3 a unit, realised at 100 yen a dollar; later the yen falls to 200.
    rates = [150.0, 150.0, 150.0, 100.0, 200.0, 200.0]
    prices = [100.0, 100.0, 103.0, 103.0, 103.0, 103.0]
    result = trade(write(tmp_path, prices, {0: ENTER_LONG, 2: EXIT_LONG}, rates=rates, symbol="NIKKEI"))
    # The fill at the open of bar 3 knows the rate of bar 2's close: 150.
    assert equity_of(result) == [10_000, 10_000, 12_000, 12_000, 12_000, 12_000]


def test_open_profit_counts_at_the_current_rate(tmp_path: Path) -> None:
    rates = [150.0, 150.0, 150.0, 100.0, 300.0]
    prices = [100.0, 100.0, 103.0, 103.0, 103.0]
    result = trade(write(tmp_path, prices, {0: ENTER_LONG}, rates=rates, symbol="NIKKEI"))
    assert equity_of(result) == [10_000, 10_000, 12_000, 13_000, 11_000]


def test_contracts_side_by_side_count_by_their_profit_at_closes_on_which_nothing_happens(tmp_path: Path) -> None:
    free = "{cash: 100000, margin: {maintenance_percent: 0}}"
    case = SmallCase(instrument="kind: contract, multiplier: 5", run=free)
    moves = {"A": [0, 2, 3, -1, 4, 4, 5, 1, 2], "B": [0, -1, -3, -2, 1, 0, 2, 3, 3]}
    bars = {
        symbol: [(base, base + 1, base - 1, base, "enter_long"), *[_bar(base, base + move) for move in moves[symbol]]]
        for symbol, base in (("A", 100), ("B", 50))
    }
    result = case.trade(tmp_path, bars)
    # 10 units with 5 each, from the opens of 100 and 50.
    profits = [50 * (one + two) for one, two in zip(*moves.values(), strict=True)]
    assert equity_of(result) == [100_000, *(100_000 + profit for profit in profits)]


def _bar(base: float, close: float) -> tuple[float, float, float, float]:
    return base, max(base, close) + 1, min(base, close) - 1, close


def test_a_spot_exchange_rate_that_is_converted_by_itself_is_warned_of(tmp_path: Path) -> None:
    path = write(tmp_path, RISE, {0: ENTER_LONG, 11: EXIT_LONG}, more="")
    warnings = [problem for problem in validate_file(path, registry()) if problem.severity == "warning"]
    assert any("USDJPY" in each.message and "kind: contract" in f"{each.message} {each.remedy}" for each in warnings)
    path = write(tmp_path, RISE, {0: ENTER_LONG, 11: EXIT_LONG})
    assert not validate_file(path, registry())


@pytest.mark.parametrize(("more", "made"), [(", kind: contract", 100_000), (", kind: contract, multiplier: 2", 50_000)])
def test_margin_takes_a_part_of_the_value_with_its_multiplier(more: str, made: float, tmp_path: Path) -> None:
    # 4 % of 100,000 dollars is 4,000; of twice that 8,000. With 5,000 the second is cut to what can be paid.
    path = write(tmp_path, RISE[:3], {0: ENTER_LONG}, more=more)
    text = path.read_text(encoding="utf-8").replace("cash: 10000", "cash: 4001")
    path.write_text(text, encoding="utf-8")
    assert_fills(trade(path), (1, "buy", made, 150, "entry"))
