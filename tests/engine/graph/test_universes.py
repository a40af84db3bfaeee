"""Universes in the list of instruments: every way to name the symbols, and what goes wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantcrafter.app.document.document import Document
from quantcrafter.app.document.instrument_names import entry_name
from quantcrafter.app.inspector.subjects import instrument_form
from quantcrafter.engine.api import SpecError
from quantcrafter.engine.plugins import Registry, load_registry
from quantcrafter.engine.runtime.research.lookahead import find_lookahead
from quantcrafter.engine.runtime.running.instrument_values import instrument_values
from quantcrafter.engine.runtime.running.load_graph import load_graph, validate_file
from quantcrafter.engine.runtime.running.prepare import load_market
from quantcrafter.engine.runtime.running.run import run
from quantcrafter.engine.runtime.sessions.strategy_session import StrategySession
from quantcrafter.engine.spec.document import StrategyFile
from quantcrafter.engine.spec.identity import strategy_hash
from tests.support.bar_by_bar import run_on, until
from tests.support.ledger_checks import assert_same_bits

STRATEGY = """\
quantcrafter: 1
name: Universe
instruments:
  - ENTRY
indicators:
  momentum: {use: ta.ROC, input: bars.close, timeperiod: 3}
logic:
  best: {use: top_n, input: momentum, n: 1}
  weight: {use: where, condition: best, then: 1, otherwise: 0}
execution:
  hold: {use: rebalance, weight: weight, every_bars: 5}
"""


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry()


def written(folder: Path, entry: str, more: str = "") -> Path:
    path = folder / "strategy.yaml"
    path.write_text(STRATEGY.replace("ENTRY", entry) + more, encoding="utf-8")
    return path


def bars(path: Path, first: int = 1, count: int = 30, rise: float = 0.1) -> None:
    """Write daily bars of January 2024 and later."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = []
    for number in range(first, first + count):
        close = 10 + rise * number
        month, day = divmod(number, 28)
        rows.append(f"2024-{month + 1:02}-{day + 1:02},{close},{close + 1},{close - 1},{close},100")
    path.write_text("date,open,high,low,close,volume\n" + "\n".join(rows) + "\n", encoding="utf-8")


def symbols(path: Path, registry: Registry) -> list[str]:
    return [each.spec.symbol for each in load_graph(path, registry).instruments]


@pytest.mark.parametrize(
    "entry",
    [
        "{universe: [IBM, AAPL], data: sample}",
        "{universe: {symbols: [IBM, FB, AAPL], exclude: [FB]}, data: sample}",
        "{universe: {file: members.txt}, data: sample}",
        "{universe: {file: members.csv}, data: sample}",
    ],
)
def test_a_universe_is_the_same_strategy_as_its_instruments_written_out(
    entry: str, registry: Registry, tmp_path: Path
) -> None:
    (tmp_path / "members.txt").write_text("# two\nIBM  # old\n\nAAPL\n", encoding="utf-8")
    (tmp_path / "members.csv").write_text("\ufeffSymbol\r\nIBM\r\nAAPL\r\n", encoding="utf-8")
    path = written(tmp_path, entry)
    assert symbols(path, registry) == ["IBM", "AAPL"]
    alone = tmp_path / "alone"
    alone.mkdir()
    both = written(alone, "{symbol: IBM, data: sample}\n  - {symbol: AAPL, data: sample}")
    assert_same_bits(run(path, registry=registry).ledger, run(both, registry=registry).ledger)
    assert "IBM" not in strategy_hash(load_graph(path, registry).spec)


def test_a_query_takes_the_symbols_that_the_provider_knows(registry: Registry, tmp_path: Path) -> None:
    assert symbols(written(tmp_path, '{universe: {query: "*"}, data: sample}'), registry) == [
        "AAPL",
        "FB",
        "GOOG",
        "IBM",
        "MSFT",
    ]
    assert symbols(written(tmp_path, '{universe: {query: "[AI]*"}, data: sample}'), registry) == ["AAPL", "IBM"]


def test_files_are_named_after_their_symbols_and_run_everywhere(registry: Registry, tmp_path: Path) -> None:
    for name, first, rise in (("AAA", 1, 0.1), ("BBB.X", 1, 0.2), ("LATE", 12, 0.5)):
        bars(tmp_path / "bars" / f"{name}.csv", first, 30, rise)
    bars(tmp_path / "bars" / ".hidden.csv")
    path = written(tmp_path, '{universe: {files: "bars/*.csv"}, data: csv, session: 24x7}')
    assert symbols(path, registry) == ["AAA", "BBB.X", "LATE"]
    graph = load_graph(path, registry)
    result = run(path, registry=registry)
    assert set(result.fills["instrument"]) == {"BBB.X", "LATE"}
    assert find_lookahead(path, registry=registry) == []
    market = load_market(graph, lambda *_: None, lambda: False)
    session = StrategySession.open(graph, until(graph, market, 0))
    run_on(session, graph, market)
    assert_same_bits(session.ledger(), result.ledger)
    values = instrument_values(path.read_text(encoding="utf-8"), 0, registry, base_dir=tmp_path)
    assert (values.symbol, values.error) == ("AAA", "")


def test_a_file_says_what_differs_and_the_path_has_the_symbol(registry: Registry, tmp_path: Path) -> None:
    for name in ("AAA", "BBB"):
        bars(tmp_path / "bars" / f"{name}.csv")
    (tmp_path / "members.csv").write_text(
        "symbol,lot_size,sector,fast,currency\nAAA,10,tech,5,\nBBB,,old,6.5,USD\n", encoding="utf-8"
    )
    entry = (
        '{universe: {file: members.csv}, data: csv, path: "bars/{symbol}.csv", session: 24x7, lot_size: 2, '
        "values: {country: US, sector: none}}"
    )
    first, second = (each.spec for each in load_graph(written(tmp_path, entry), registry).instruments)
    assert (first.lot_size, second.lot_size, second.currency) == (10, 2, "USD")
    assert dict(first.values) == {"country": "US", "sector": "tech", "fast": 5}
    assert dict(second.values) == {"country": "US", "sector": "old", "fast": 6.5}
    assert first.options["path"] == "bars/AAA.csv"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("symbol,tick_size\nAAA,0.1\nBBB,-1\n", r"members.csv:3:1: .*'tick_size' of an instrument must be"),
        ("symbol\nAAA\nBBB\nAAA\n", r"members.csv:4:1: .*'AAA' occurs twice: line 2 of .* and line 4 of"),
        ("name\nAAA\n", r"members.csv:1:1: .*no column 'symbol'; there are 'name'"),
        ("symbol,a,a\nAAA,1,2\n", "column 'a' occurs twice"),
        ("symbol,data\nAAA,csv\n", "column can't be called 'data'"),
        ("symbol,a\nAAA,1,2\n", "Line 2 has 3 cells, the header 2"),
        ("symbol,a\n,1\n", "Line 2 has no symbol"),
        ("symbol,a b\nAAA,1\n", "'a b' can't be the name of a value"),
        ('symbol\n"AAA\n', "not valid CSV"),
        ("", "'members.csv' has no symbol"),
    ],
)
def test_what_is_wrong_in_a_file_of_symbols_is_told_with_its_line(
    table: str, said: str, registry: Registry, tmp_path: Path
) -> None:
    (tmp_path / "members.csv").write_text(table, encoding="utf-8")
    with pytest.raises(SpecError, match=said):
        load_graph(written(tmp_path, "{universe: {file: members.csv}, data: sample}"), registry)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{universe: [IBM], symbol: IBM, data: sample}", "either 'symbol' or 'universe'"),
        ("{universe: [], data: sample}", "lists no symbol"),
        ("{universe: [700], data: sample}", "A symbol must be text, was a number. Put it in quotes"),
        ("{universe: IBM, data: sample}", "must be a list or a mapping, was text"),
        ("{universe: {fil: a.csv}, data: sample}", "has no key 'fil'. Did you mean 'file'"),
        ("{universe: {file: a.csv, query: x}, data: sample}", "one of symbols, file, files, query, has 2"),
        ("{universe: {query: 3}, data: sample}", "'query' must be text"),
        ("{universe: {query: Z*}, data: sample}", r"No symbol of 'sample' matches 'Z\*'. It has"),
        ("{universe: {query: x}, data: synthetic}", "doesn't say which symbols it has"),
        ("{universe: {query: x}, data: synthetic, sed: 3}", "has no parameter 'sed'. Did you mean 'seed'"),
        ("{universe: [IBM, IBM], data: sample}", "'IBM' occurs twice"),
        ("{universe: [IBM], data: sample}\n  - {symbol: IBM, data: sample}", "'IBM' occurs twice"),
        ("{universe: {symbols: [IBM], exclude: [KO]}, data: sample}", "'exclude' names 'KO'"),
        ("{universe: {symbols: [IBM], exclude: [IBM]}, data: sample}", "'exclude' leaves none of the 1 symbols"),
        ("{universe: {symbols: [IBM], exclude: KO}, data: sample}", "'exclude' must be a list of symbols"),
        ("{universe: {files: nowhere/*.csv}, data: csv}", r"No file matches '.*nowhere/\*.csv'"),
        ("{universe: {files: '*/a.csv'}, data: csv}", "wildcards in the name of the file only"),
        ("{universe: {files: '../*.csv'}, data: csv}", "lies outside the strategy's folder"),
        ("{universe: {files: '*.csv'}, data: sample}", "'sample' reads no files"),
        ("{universe: {files: '*.csv'}, data: csv, path: a.csv}", "so 'path' can't be given as well"),
        ("{universe: {file: missing.csv}, data: sample}", "doesn't exist"),
        ("{universe: [IBM], data: nothing}", "There is no data provider 'nothing'"),
    ],
)
def test_a_universe_that_is_none_is_one_clear_error(entry: str, said: str, registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=said) as raised:
        load_graph(written(tmp_path, entry), registry)
    errors = [problem for problem in raised.value.problems if problem.severity == "error"]
    assert all(problem.line for problem in errors)


def test_two_files_of_a_symbol_are_never_merged(registry: Registry, tmp_path: Path) -> None:
    for name in ("a/AAA.csv", "b/AAA.csv"):
        bars(tmp_path / name)
    entry = '{universe: {files: "a/*.csv"}, data: csv}\n  - {universe: {files: "b/*.csv"}, data: csv}'
    with pytest.raises(SpecError, match=r"'AAA' occurs twice: line 4 of .* and line 5 of"):
        load_graph(written(tmp_path, entry), registry)


def test_members_without_a_bar_in_the_range_are_left_out_by_name(registry: Registry, tmp_path: Path) -> None:
    bars(tmp_path / "bars" / "AAA.csv", 1, 60)
    bars(tmp_path / "bars" / "EARLY.csv", 1, 10)
    bars(tmp_path / "bars" / "LATE.csv", 70, 20)
    entry = '{universe: {files: "bars/*.csv"}, data: csv, session: 24x7}'
    path = written(tmp_path, entry, "run: {start: 2024-01-20, end: 2024-03-01, benchmark: AAA}\n")
    result = run(path, registry=registry)
    assert [job.symbol for job in result.instruments] == ["AAA"]
    assert [str(note) for note in result.notes if "left out" in note] == [
        f"{name}: no bar opens within the range of the run, so it is left out." for name in ("EARLY", "LATE")
    ]
    path = written(tmp_path, entry, "run: {start: 2024-01-20, end: 2024-03-01, benchmark: LATE}\n")
    with pytest.raises(Exception, match="The benchmark LATE has no bar within the range"):
        run(path, registry=registry)
    single = written(tmp_path, "{symbol: LATE, data: csv, path: bars/LATE.csv}", "run: {end: 2024-03-01}\n")
    with pytest.raises(Exception, match=r"LATE from .*: no bar opens within the range of the run"):
        run(single, registry=registry)


def test_the_file_keeps_the_universe_as_it_is_written(registry: Registry, tmp_path: Path) -> None:
    path = written(tmp_path, '{universe: {query: "*"}, data: sample}  # all of them')
    file = StrategyFile.loads(path.read_text(encoding="utf-8"))
    file.set(("instruments", 0, "timeframe"), "1w")
    assert '{universe: {query: "*"}, data: sample, timeframe: 1w}  # all of them' in file.dumps()
    assert validate_file(path, registry) == []


def test_the_inspector_edits_a_universe_and_the_canvas_names_it(registry: Registry, tmp_path: Path) -> None:
    document = Document.open(written(tmp_path, '{universe: {query: "*"}, data: sample}'), registry)
    form = instrument_form(document, 0)
    fields = {field.path: field for field in form.fields}
    assert form.value(fields["universe", "query"]) == "*"
    assert not fields["symbol",].required
    assert not form.finding(fields["symbol",])
    assert "* · 1d" in document.graph().nodes["bars"].subtitle
    document.do(*form.edits(fields["universe", "query"], "A*"), label="Set")
    assert '{universe: {query: "A*"}' in document.text.replace("A*}", '"A*"}').replace('""', '"')
    form = instrument_form(document, 0)
    document.do(*form.edits(fields["universe", "query"], "Z*"), label="Set")
    assert "No symbol of" in str(document.problems[0].message)
    listed = Document.open(written(tmp_path, "{universe: [IBM, AAPL, MSFT], data: sample}"), registry)
    form = instrument_form(listed, 0)
    fields = {field.path: field for field in form.fields}
    assert ("universe", "file") not in fields
    assert form.value(fields["universe",]) == ["IBM", "AAPL", "MSFT"]
    listed.do(*form.edits(fields["universe",], ["IBM", "GOOG"]), label="Set")
    assert "universe: [IBM, GOOG]" in listed.text


@pytest.mark.parametrize(
    ("entry", "name"),
    [
        ({"symbol": "AAPL"}, "AAPL"),
        ({"universe": ["A", "B", "C"]}, "A, B +1"),
        ({"universe": {"symbols": ["A"]}}, "A"),
        ({"universe": {"file": "m.csv", "exclude": ["A"]}}, "m.csv"),
        ({"universe": {}}, ""),
        ({"universe": 3}, ""),
        ("AAPL", ""),
    ],
)
def test_an_entry_is_called_by_its_symbols_or_where_they_come_from(entry: object, name: str) -> None:
    assert entry_name(entry) == name


def test_a_further_column_of_an_empty_universe_is_no_crash(tmp_path: Path) -> None:
    text = """quantcrafter: 1
instruments: [{universe: {symbols: [A], exclude: [A]}, data: csv, path: "{symbol}.csv", columns: {sc: signal}}]
logic: {up: {use: compare, left: bars.sc, op: ">", right: 0}}
advisors: {go: {use: rule, enter_long: [up]}}
money: {size: {use: fixed_quantity, quantity: 1}}
execution: {entry: {use: market, signals: [go], money: size}}
"""
    file = tmp_path / "s.yaml"
    file.write_text(text, encoding="utf-8")
    assert "'exclude' leaves none" in str(validate_file(file, load_registry())[0].message)
