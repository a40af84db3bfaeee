"""`notify` and `assert`: what is noted, where it is shown, and what ends a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from quantcrafter.engine.api import RunError
from quantcrafter.engine.cli.main import main
from quantcrafter.engine.plugins import Registry, load_registry
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from quantcrafter.engine.runtime.run_store.run_writer import save_run
from quantcrafter.engine.runtime.running.load_graph import load_graph
from quantcrafter.engine.runtime.running.prepare import load_market
from quantcrafter.engine.runtime.running.run import run
from quantcrafter.engine.runtime.sessions.strategy_session import StrategySession
from tests.support.bar_by_bar import run_on, until

CLOSES = [10, 11, 12, 9, 12, 13, 8, 8, 14, 10]
STRATEGY = """\
quantcrafter: 1
instruments: [{symbol: ABC, data: csv, path: abc.csv, timeframe: 1d}]
indicators: {average: {use: ta.SMA, input: bars.close, timeperiod: 2}}
logic:
  pos: {use: position}
  above: {use: compare, left: bars.close, op: ">", right: average}
  high: {use: compare, left: bars.close, op: ">=", right: 12}
  low: {use: compare, left: bars.close, op: "<", right: 10}
  flat: {use: compare, left: pos.quantity, op: "==", right: 0}
  tell: {use: notify, condition: high, text: Twelve or more}
  rising: {use: assert, condition: above, text: Not above its average}
  never_long: {use: assert, condition: flat, text: Long, every: bar}
advisors: {rule: {use: rule, enter_long: [high], exit_long: [low]}}
money: {size: {use: fixed_quantity, quantity: 10}}
execution: {entry: {use: market, signals: [rule], money: size}}
run: {cash: 10000}
"""
# The average of two closes is complete at bar 1; closes are not above it at 3, 6, 7 and 9.
EXPECTED = {
    "tell": [2, 4, 8],
    "rising": [3, 6, 9],
    "never_long": [3, 5, 6, 9],
}


@pytest.fixture(name="registry")
def _registry() -> Registry:
    return load_registry()


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Path:
    lines = [f"2024-01-{n + 1:02},{c},{c},{c},{c},100" for n, c in enumerate(CLOSES)]
    (tmp_path / "abc.csv").write_text("\n".join(["date,open,high,low,close,volume", *lines]) + "\n", encoding="utf-8")
    path = tmp_path / "strategy.yaml"
    path.write_text(STRATEGY, encoding="utf-8")
    return path


def by_node(table: list[dict[str, object]]) -> dict[str, list[object]]:
    return {node: [row["bar"] for row in table if row["node"] == node] for node in EXPECTED}


def test_bars_count_where_it_begins_or_each_from_the_first_complete_one(file: Path, registry: Registry) -> None:
    result = run(file, registry=registry)
    # Bought at bar 3 after 12 at bar 2, sold at 4 after 9 at 3; again from 5 to 7, then from 9.
    assert by_node(result.notices.rows()) == EXPECTED
    first = result.notices[0]
    assert (first["kind"], first["text"], first["instrument"]) == ("notice", "Twelve or more", "ABC")
    assert first["ts_ns"] == result.instruments[0].bars.close_ns[2]
    assert {row["kind"] for row in result.notices if row["node"] != "tell"} == {"failure"}
    assert result.to_json()["notices"] == result.notices.rows()


def test_they_change_nothing_that_is_traded(file: Path, registry: Registry) -> None:
    with_notes = run(file, registry=registry).fills
    kept = [line for line in STRATEGY.splitlines() if "use: notify" not in line and "use: assert" not in line]
    file.write_text("\n".join(kept) + "\n", encoding="utf-8")
    assert run(file, registry=registry).fills == with_notes


def test_a_saved_run_and_the_report_have_them(file: Path, registry: Registry, tmp_path: Path) -> None:
    result = run(file, registry=registry)
    found = RunFolder.open(save_run(result, tmp_path / "saved"))
    assert found.notices == result.notices
    assert len(RunFolder.open(save_run(result, tmp_path / "tables", keep="tables")).notices) == 0
    page = result.write_report(tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<h2>Notices</h2>" in page
    assert "Not above its average" in page


def test_the_summary_counts_them(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(file)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "'tell' noted 3 x, first on 2024-01-04 00:00 UTC: Twelve or more" in shown
    assert "Assertion 'rising' failed 3 x" in shown


@pytest.mark.parametrize(("node", "day"), [("rising", "2024-01-05"), ("never_long", "2024-01-05")])
def test_an_assertion_that_stops_ends_the_run(file: Path, registry: Registry, node: str, day: str) -> None:
    text = "Not above its average" if node == "rising" else "Long"
    file.write_text(STRATEGY.replace(f"text: {text}", f"text: {text}, action: stop"), encoding="utf-8")
    with pytest.raises(RunError, match=rf"The assertion '{node}' failed for ABC on {day}.*: {text}\.") as caught:
        run(file, registry=registry)
    assert caught.value.node == node


def test_a_session_returns_them_as_they_happen(file: Path, registry: Registry) -> None:
    graph = load_graph(file, registry)
    market = load_market(graph, lambda *_: None, lambda: False)
    whole = run(graph, registry=registry)
    session = StrategySession.open(graph, until(graph, market, 0))
    run_on(session, graph, market, 5)
    early = session.take_notices()
    run_on(session, graph, market)
    late = session.take_notices()
    assert session.take_notices() == ()
    expected = [
        (row["ts_ns"], row["node"], row["kind"], row["symbol"], row["text"]) for row in renamed(whole.notices.rows())
    ]
    found = [(each.ts_ns, each.node, each.kind, each.symbol, each.text) for each in (*early, *late)]
    assert sorted(found) == sorted(expected)
    assert 0 < len(early) < len(found)


def test_what_a_condition_on_the_position_noted_is_not_noted_again_after_a_restart(
    file: Path, registry: Registry
) -> None:
    file.write_text(STRATEGY.replace(", every: bar", ""), encoding="utf-8")
    graph = load_graph(file, registry)
    market = load_market(graph, lambda *_: None, lambda: False)
    close_ns = market.bars[0].close_ns.tolist()
    session, noted = StrategySession.open(graph, until(graph, market, 0)), []
    for count in range(1, len(CLOSES) + 1):
        run_on(session, graph, market, count)
        noted += [close_ns.index(each.ts_ns) for each in session.take_notices() if each.node == "never_long"]
        if count < len(CLOSES):
            session = StrategySession.open(graph, until(graph, market, count), session.state())
    # Positions are open at bar 3, from bar 5 to 6, and at bar 9.
    assert noted == [3, 5, 9]


def renamed(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    return [{**row, "symbol": row["instrument"]} for row in rows]


def test_json_of_the_command_line_has_them(file: Path, tmp_path: Path) -> None:
    target = tmp_path / "result.json"
    assert main(["run", str(file), "--quiet", "--json", str(target)]) == 0
    assert by_node(json.loads(target.read_text(encoding="utf-8"))["notices"]) == EXPECTED
