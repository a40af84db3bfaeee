"""Prices of London in pence: converted to pounds once, by what the file, the strategy or the store says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quantcrafter.engine.api import Bars, Timeframe
from quantcrafter.engine.api.currencies import Conversion, conversion, currency_code
from quantcrafter.engine.cli.main import main
from quantcrafter.engine.data.store import BarStore, Origin
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.compute_process.jobs.run import RunRequest, run_strategy
from quantcrafter.engine.runtime.results.result import RunResult
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from quantcrafter.engine.runtime.run_store.run_writer import save_run
from quantcrafter.engine.runtime.running.load_graph import validate_file
from quantcrafter.engine.runtime.running.run import run
from tests.support.job_context import DirectContext
from tests.support.market_files import ENTER, EXIT, Row, from_of, strategy

ROWS: list[Row] = [
    ("2024-06-03", 7200.0, 7250.0, 7190.0, 7234.0, ENTER),
    ("2024-06-04", 7240.0, 7260.0, 7230.0, 7250.0, 0),
    ("2024-06-05", 7250.0, 7300.0, 7245.0, 7290.0, EXIT),
    ("2024-06-06", 7300.0, 7310.0, 7290.0, 7305.0, 0),
]
FREE = ", buy_duty_percent: 0"


def result_of(folder: Path, instrument: str, settings: str, header: str = "", column: str = "") -> RunResult:
    """Run the rows with another header, or with a column at the end."""
    file = strategy(folder, ROWS, instrument + FREE, settings=settings, quantity=100)
    if header or column:
        head, *lines = (folder / "d.csv").read_text(encoding="utf-8").splitlines()
        name, _, value = column.partition("=")
        more = (f",{name}", f",{value}") if column else ("", "")
        text = "\n".join([(header or head) + more[0], *(line + more[1] for line in lines)])
        (folder / "d.csv").write_text(text + "\n", encoding="utf-8")
    return run(file, registry=load_registry())


def profit(result: RunResult) -> float:
    return float(result.trades["pnl"][0])


@pytest.mark.parametrize(
    ("instrument", "header", "column", "source"),
    [
        ("symbol: VOD.L, currency: GBX", "", "", "file"),
        ("symbol: VOD.L, currency: GBp", "", "", "file"),
        ("symbol: VOD.L, quote_unit: pence", "", "", "file"),
        ("symbol: VOD.L, quote_unit: pence, currency: GBP", "", "", "file"),
        ("symbol: VOD, quote_unit: pence", "", "", "file"),
        ("symbol: VOD.L", "time,open (GBX),high (GBX),low (GBX),close (GBX),volume", "", "data"),
        ("symbol: VOD.L", "time,open,high,low,Close (GBp),volume", "", "data"),
        ("symbol: VOD", "", "currency=GBp", "data"),
        ("symbol: VOD.L", "", "Currency=GBX", "data"),
    ],
)
def test_pence_are_converted_to_pounds_once(
    tmp_path: Path, instrument: str, header: str, column: str, source: str
) -> None:
    """Bought at 7,240 and sold at 7,300 pence: 60 pence, of 100 shares 60 pounds."""
    result = result_of(tmp_path, instrument, ", currency: GBP", header, column)
    assert profit(result) == pytest.approx(60.0)
    assert result.ledger.fills["price"].tolist() == [7240.0, 7300.0]
    assert result.ledger.cash.min() == pytest.approx(100_000.0 - 7240.0)
    assert from_of(result, "currency") == ("GBX", source)
    assert not [each for each in result.warnings if each.code == "market_pence"]
    said = [note for note in result.notes if "amounts are converted to GBP" in note]
    assert len(said) == (source == "data")
    save_run(result, tmp_path / "kept")
    assert RunFolder.open(tmp_path / "kept").instruments[0].currency == "GBX"


@pytest.mark.parametrize("instrument", ["symbol: VOD.L, currency: GBP", "symbol: VOD.L, quote_unit: pounds"])
def test_pounds_are_not_converted(tmp_path: Path, instrument: str) -> None:
    rows: list[Row] = [(day, a / 100, b / 100, c / 100, d / 100, word) for day, a, b, c, d, word in ROWS]
    file = strategy(tmp_path, rows, instrument + FREE, settings=", currency: GBP", quantity=100)
    result = run(file, registry=load_registry())
    assert profit(result) == pytest.approx(60.0)
    assert not result.warnings


def test_pounds_in_the_header_need_no_setting(tmp_path: Path) -> None:
    result = result_of(tmp_path, "symbol: VOD.L", ", currency: GBP", "time,open,high,low,Close (GBP),volume")
    assert profit(result) == pytest.approx(13 * 60.0)  # what the cash is enough for
    assert not result.warnings


def test_without_a_statement_the_warning_names_the_setting(tmp_path: Path) -> None:
    result = result_of(tmp_path, "symbol: VOD.L", ", currency: GBP")
    (told,) = result.warnings
    assert told.code == "market_pence"
    assert "'quote_unit: pence'" in told.remedy
    assert profit(result) == pytest.approx(13 * 60.0)  # what the cash is enough for


def test_pence_of_the_data_that_the_account_can_not_convert_are_told(tmp_path: Path) -> None:
    result = result_of(tmp_path, "symbol: VOD.L", "", column="currency=GBX")
    assert any("hundredths of GBP, but the account is in USD and has no rate" in each for each in result.findings)


@pytest.mark.parametrize("rate", ["GBP", "GBX"])
def test_pence_are_converted_by_the_rate_of_pounds_or_of_pence(tmp_path: Path, rate: str) -> None:
    value = 1.25 if rate == "GBP" else 0.0125
    lines = [
        "time,open,high,low,close",
        *(f"2024-05-{day:02},{value},{value},{value},{value}" for day in range(20, 31)),
    ]
    (tmp_path / "fx.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    file = strategy(
        tmp_path, ROWS, f"symbol: VOD.L, quote_unit: pence{FREE}", settings=f", rates: {{{rate}: fx}}", quantity=100
    )
    text = file.read_text(encoding="utf-8")
    feed = "data:\n  fx: {use: feed, data: csv, path: fx.csv, symbol: GBPUSD}\n"
    file.write_text(text.replace("logic:\n", f"{feed}logic:\n"), encoding="utf-8")
    assert profit(run(file, registry=load_registry())) == pytest.approx(75.0)


@pytest.mark.parametrize(
    ("given", "message", "remedy"),
    [
        (
            "currency: GBX",
            "VOD.L is priced in GBX, the account is in USD: no rate given",
            "Set 'currency: GBP' under 'run'",
        ),
        ("quote_unit: pennies", "must be pence or pounds", ""),
        (
            "quote_unit: pence, currency: EUR",
            "'quote_unit: pence' contradicts 'currency: EUR'",
            "Leave one of them out",
        ),
    ],
)
def test_what_can_not_be_converted_is_refused(tmp_path: Path, given: str, message: str, remedy: str) -> None:
    problems = validate_file(strategy(tmp_path, ROWS, f"symbol: VOD.L, {given}"), load_registry())
    assert any(message in each.message and remedy in each.remedy for each in problems if each.severity == "error")


@pytest.mark.parametrize(
    ("commission", "charged"),
    [
        ("per_order: 5", [5.0, 5.0]),
        ("per_unit: 0.01", [1.0, 1.0]),
        ("per_lot: 0.02", [2.0, 2.0]),
        ("percent: 0.1, minimum: 10", [10.0, 10.0]),
        ("percent: 0.1, minimum: 3", [7.24, 7.30]),
    ],
)
@pytest.mark.parametrize("given", ["symbol: VOD.L, quote_unit: pence", "symbol: VOD.L"])
def test_amounts_of_the_commission_are_in_pounds(
    tmp_path: Path, given: str, commission: str, charged: list[float]
) -> None:
    """100 shares are bought for 7,240 pounds and sold for 7,300."""
    header = "" if "pence" in given else "time,open,high,low,Close (GBX),volume"
    settings = f", currency: GBP, commission: {{{commission}}}"
    result = result_of(tmp_path, f"{given}, lot_size: 1", settings, header)
    assert result.ledger.fills["commission"].tolist() == pytest.approx(charged)
    assert profit(result) == pytest.approx(60.0 - sum(charged))
    assert not result.warnings


def test_an_account_in_pence_is_charged_in_pence(tmp_path: Path) -> None:
    settings = ", currency: GBX, commission: {per_order: 5}"
    result = result_of(tmp_path, "symbol: VOD.L, currency: GBX", settings)
    assert result.ledger.fills["commission"].tolist() == pytest.approx([5.0, 5.0])


def test_the_margin_of_a_contract_in_pence_is_in_pounds(tmp_path: Path) -> None:
    """Of 100 contracts at 40,000 pounds each, an account with 100,000 pounds holds 2."""
    instrument = "symbol: VOD.L, quote_unit: pence, kind: contract, lot_size: 1, margin: {per_contract: 40000}"
    result = result_of(tmp_path, instrument, ", currency: GBP")
    assert result.ledger.fills["lots"].tolist() == [2, 2]


def test_amounts_in_another_currency_than_the_account_are_told_and_converted(tmp_path: Path) -> None:
    """5 pounds are 6.25 dollars at a rate of 1.25."""
    lines = ["time,open,high,low,close", *(f"2024-05-{day:02},1.25,1.25,1.25,1.25" for day in range(20, 32))]
    (tmp_path / "fx.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    settings = ", rates: {GBP: fx}, commission: {per_order: 5}"
    file = strategy(tmp_path, ROWS, f"symbol: VOD.L, quote_unit: pence{FREE}", settings=settings, quantity=100)
    text = file.read_text(encoding="utf-8")
    feed = "data:\n  fx: {use: feed, data: csv, path: fx.csv, symbol: GBPUSD}\n"
    file.write_text(text.replace("logic:\n", f"{feed}logic:\n"), encoding="utf-8")
    result = run(file, registry=load_registry())
    assert result.ledger.fills["commission"].tolist() == pytest.approx([6.25, 6.25])
    (warning,) = result.warnings
    assert warning.code == "commission_currency"
    assert "'per_order: 5' is 5 GBP, not 5 USD" in warning.message
    assert [each.code for each in validate_file(file, load_registry())] == ["commission_currency"]
    file.write_text(file.read_text(encoding="utf-8").replace("per_order: 5", "percent: 5"), encoding="utf-8")
    assert not validate_file(file, load_registry())


@pytest.mark.parametrize(("header", "warned"), [("Close (GBX)", False), ("close", True)])
def test_the_command_line_warns_of_pence_only_where_the_data_do_not_say_it(
    tmp_path: Path, header: str, *, warned: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    file = strategy(tmp_path, ROWS, f"symbol: VOD.L{FREE}", settings=", currency: GBP", quantity=100)
    data = tmp_path / "d.csv"
    data.write_text(data.read_text(encoding="utf-8").replace("close", header, 1), encoding="utf-8")
    for command in (["validate"], ["run", "--no-history", "-q"]):
        assert main([command[0], str(file), *command[1:]]) == 0
        assert ("prices of London are usually in pence" in "".join(capsys.readouterr())) == warned, command


@pytest.mark.parametrize(("header", "warnings"), [("Close (GBX)", 0), ("close", 1)])
def test_a_job_warns_of_pence_only_where_the_data_do_not_say_it(
    tmp_path: Path, header: str, warnings: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path / "home"))
    file = strategy(tmp_path, ROWS, f"symbol: VOD.L{FREE}", settings=", currency: GBP", quantity=100)
    data = tmp_path / "d.csv"
    data.write_text(data.read_text(encoding="utf-8").replace("close", header, 1), encoding="utf-8")
    context = DirectContext()
    run_strategy(RunRequest(file.read_text(encoding="utf-8"), base_dir=str(tmp_path), keep=False), context)
    told = [line for line in context.lines if "prices of London are usually in pence" in line.text]
    assert len(told) == warnings


def test_downloaded_prices_in_pence_are_known_by_their_series(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(tmp_path / "home"))
    open_, high, low, close, volume = (
        np.array([float(each) for each in column]) for column in list(zip(*ROWS, strict=False))[1:]
    )
    opens = np.array([np.datetime64(row[0], "ns").astype(np.int64) for row in ROWS])
    bars = Bars("VOD.L", Timeframe(1, "d"), opens, opens + 86_400_000_000_000, open_, high, low, close, volume)
    BarStore().put(bars, origin=Origin("yfinance", "VOD.L", "splits", 0, currency="GBp"))
    file = strategy(tmp_path, ROWS, "symbol: VOD.L" + FREE, settings=", currency: GBP", quantity=100)
    file.write_text(file.read_text(encoding="utf-8").replace("data: csv, path: d.csv", "data: store"), encoding="utf-8")
    result = run(file, registry=load_registry())
    assert profit(result) == pytest.approx(60.0)
    assert from_of(result, "currency") == ("GBX", "data")


def test_conversions() -> None:
    assert conversion("GBX", "GBP", {}) == Conversion(0.01)
    assert conversion("GBX", "USD", {"GBP": "fx"}) == Conversion(0.01, "fx")
    assert conversion("GBX", "USD", {"GBX": "fx"}) == Conversion(1.0, "fx")
    assert conversion("GBP", "GBX", {}) == Conversion(100.0)
    assert conversion("GBX", "GBX", {}) == conversion("", "USD", {}) == Conversion(1.0)
    assert conversion("GBX", "USD", {}) is None
    assert [currency_code(each) for each in ("GBp", "GBP", "ZAc", "ILA")] == ["GBX", "GBP", "ZAC", "ILA"]
