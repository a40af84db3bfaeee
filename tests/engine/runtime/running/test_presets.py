"""Every market's preset: a strategy differs with and without it only in values that the preset sets, and says so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from quantcrafter.engine.api import Market, Term
from quantcrafter.engine.api.market import TickTables
from quantcrafter.engine.data.markets import MARKETS, session_of
from quantcrafter.engine.runtime.results.result import RunResult
from quantcrafter.engine.runtime.running.run import run
from quantcrafter.engine.trading_calendar.trading_days import next_session_day, trading_days
from tests.support.kept_runs import registry
from tests.support.ledger_checks import assert_same_bits

SYMBOLS = {"forex": "EURUSD", "us_futures": "ES", "cn_stocks": "600000"}
BY_PRESET = {"market", "symbol"}
WITHOUT = {"data", "default", "guess", "account"}
OF_THE_BOOKS = {
    "tick_size",
    "lot_size",
    "kind",
    "multiplier",
    "pip_size",
    "buy_duty_percent",
    "sell_duty_percent",
    "settlement",
    "price_limit_percent",
    "price_limit_amounts",
    "tick_table",
}
"""The values that change a fill, a fee or a size."""

STRATEGY = """\
quantcrafter: 1
name: Preset
instruments:
  - {symbol: 'SYMBOL', data: csv, path: d.csv, timeframe: 1d}
indicators:
  fast: {use: ta.SMA, input: bars.close, timeperiod: 3}
  slow: {use: ta.SMA, input: bars.close, timeperiod: 9}
advisors:
  cross: {use: crossover, fast: fast, slow: slow}
risk:
  stop: {use: percent_stop, percent: 1.3}
money:
  size: {use: percent_of_equity, percent: 73}
execution:
  entry: {use: market, signals: [cross], money: size, risk: [stop]}
run: {cash: 1000000, currency: MONEY, margin: {initial_percent: 100}}
"""


def write(folder: Path, market: Market, instrument: str = "") -> Path:
    """Write 300 sessions of a market on its tick, with whole lots as volumes, and the strategy."""
    session = session_of(market)
    days = np.unique(next_session_day(np.arange(19_400, 19_850), session))[:300]
    symbol = SYMBOLS.get(market.name, "X")
    contract = market.contract(symbol)
    tick = 0.00001 if market.pairs else contract.tick_size if contract is not None else 0.01
    middle = 1.08 if market.pairs else 2600.0 if market.name == "jp_stocks" else 100.0
    rng = np.random.default_rng(7)
    closes = middle * np.exp(np.cumsum(rng.normal(0, 0.01, len(days))))
    opens = np.concatenate(([middle], closes[:-1])) * np.exp(rng.normal(0, 0.003, len(days)))
    prices = [opens, np.maximum(opens, closes) * 1.004, np.minimum(opens, closes) * 0.996, closes]
    table = market.ticks_of(market.tick_table)
    lines = ["date,open,high,low,close,volume"]
    for number, day in enumerate(days.tolist()):
        ticks = [bands_tick(table, float(each[number])) or tick for each in prices]
        row = zip(ticks, (float(each[number]) for each in prices), strict=True)
        shown = ",".join(f"{round(price / own) * own:.5f}" for own, price in row)
        lines.append(f"{np.datetime64(day, 'D')},{shown},{int(rng.integers(50, 90)) * 100_000}")
    (folder / "d.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    text = STRATEGY.replace("timeframe: 1d", f"timeframe: 1d{instrument}")
    text = text.replace("SYMBOL", symbol).replace("MONEY", market.currency or "USD")
    (folder / "strategy.yaml").write_text(text, encoding="utf-8")
    return folder / "strategy.yaml"


def bands_tick(table: TickTables, price: float) -> float:
    """Return the tick at a price by the first version of a table, 0 without one."""
    return max((tick for low, tick in table[0][1] if low <= price), default=0.0) if table else 0.0


def result_of(folder: Path, market: Market, instrument: str = "") -> RunResult:
    return run(write(folder, market, instrument), registry=registry())


def named(market: Market) -> str:
    return market.name


@pytest.mark.parametrize("market", MARKETS, ids=named)
def test_a_preset_explains_every_difference_that_it_makes(market: Market, tmp_path: Path) -> None:
    with_it, without = result_of(tmp_path, market, f", market: {market.name}"), result_of(tmp_path, market)
    preset, plain = with_it.instruments[0].terms, without.instruments[0].terms
    assert len(with_it.ledger.fills) > 10
    differing = {
        name
        for name in preset.keys() | plain.keys()
        if name not in preset or name not in plain or preset[name].value != plain[name].value
    }
    assert differing  # the market itself, at least
    for own in market.file_terms:  # only the file can set them: they are said to be none
        assert (preset[own].value, preset[own].source) == ("none", "default")
    if preset.get("tick_table", Term("", "")).value == "none":  # which of several tables isn't known
        assert not market.tick_table
        assert preset["tick_table"].source == "default"
        differing -= {"tick_table"}
    for name in differing - set(market.file_terms):
        # The preset says it, or takes a value of the guess away: then the other run names what it had instead.
        assert name not in preset or preset[name].source in BY_PRESET, (name, preset[name])
        assert name not in plain or plain[name].source in WITHOUT, (name, plain[name])
    for name in preset.keys() - differing:
        assert preset[name].source in BY_PRESET | WITHOUT
    if not differing & OF_THE_BOOKS:
        assert with_it.ledger.fills.tolist() == without.ledger.fills.tolist()


def in_yaml(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.10f}".rstrip("0").rstrip(".")
    return f"'{str(value).replace('24x7 UTC', '24x7')}'"


@pytest.mark.parametrize("market", MARKETS, ids=named)
def test_a_preset_is_the_values_that_it_says_it_sets(market: Market, tmp_path: Path) -> None:
    with_it = result_of(tmp_path, market, f", market: {market.name}")
    said = with_it.instruments[0].terms
    written = {
        name: term.value
        for name, term in said.items()
        if name not in {"market", "calendar", "price_limit_amounts"} and term.source in BY_PRESET
    }
    if "tick_table" in written:  # the size of a tick would take its place
        del written["tick_size"]
    spelled = result_of(tmp_path, market, "".join(f", {name}: {in_yaml(value)}" for name, value in written.items()))
    # Half days, and hours of earlier years, are in the calendar alone, which no file can write.
    early = with_it.ledger.ts_ns < spelled.ledger.ts_ns
    assert (with_it.ledger.ts_ns <= spelled.ledger.ts_ns).all()
    assert "calendar" in said or not early.any()
    assert_same_bits(with_it.ledger, replace(spelled.ledger, ts_ns=with_it.ledger.ts_ns))
    for name, value in written.items():
        assert spelled.instruments[0].terms[name].value == value, name
        assert spelled.instruments[0].terms[name].source == "file", name


@pytest.mark.parametrize("market", MARKETS, ids=named)
def test_a_preset_sets_what_it_declares(market: Market, tmp_path: Path) -> None:
    said = result_of(tmp_path, market, f", market: {market.name}").instruments[0].terms
    assert (said["market"].value, said["market"].source) == (market.name, "market")
    for name in ("tick_size", "lot_size", "kind", "buy_duty_percent", "sell_duty_percent", "trading_days", "currency"):
        value = getattr(market, name)
        if value and not (name == "kind" and value == "spot"):
            assert said[name].value == value, name
            assert said[name].source in BY_PRESET, name


@pytest.mark.parametrize("market", MARKETS, ids=named)
def test_days_of_an_unknown_market_close_no_earlier_than_those_of_each_market(market: Market, tmp_path: Path) -> None:
    with_it = result_of(tmp_path, market, f", market: {market.name}").instruments[0].bars
    without = result_of(tmp_path, market)
    assert (without.instruments[0].bars.close_ns >= with_it.close_ns).all()
    assert without.instruments[0].terms["session"].source == "guess"
    if market.calendar or market.pairs:  # days of weeks without a weekend close at midnight UTC, as those of coins do
        assert "Set 'market' or 'session' for the true close" in without.notes[0]


@pytest.mark.parametrize("dated", ["first", "last"])
@pytest.mark.parametrize("market", MARKETS, ids=named)
def test_weeks_of_an_unknown_market_close_no_earlier_than_their_last_session(
    market: Market, dated: str, tmp_path: Path
) -> None:
    daily = result_of(tmp_path, market, f", market: {market.name}").instruments[0].bars
    session = session_of(market)
    days = trading_days(daily.open_ns, session)
    weeks = np.unique((days + 3) // 7)[1:-1]  # 1970-01-01 was a Thursday
    lines, ends = ["date,open,high,low,close,volume"], []
    for week in weeks.tolist():
        rows = np.flatnonzero((days + 3) // 7 == week)
        day = 7 * week - 3 if dated == "first" else int(days[rows[-1]])
        prices = daily.open[rows[0]], daily.high[rows].max(), daily.low[rows].min(), daily.close[rows[-1]]
        lines.append(f"{np.datetime64(day, 'D')},{','.join(f'{each:.5f}' for each in prices)},1")
        ends.append(int(daily.close_ns[rows[-1]]))
    (tmp_path / "d.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    file = tmp_path / "strategy.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace(f"1d, market: {market.name}", "1w"), encoding="utf-8")
    bars = run(file, registry=registry()).instruments[0].bars
    assert len(bars) >= len(ends) - 1
    assert (bars.close_ns >= np.array(ends[: len(bars)])).all()
