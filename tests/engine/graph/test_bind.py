from __future__ import annotations

import pytest

from quantcrafter.engine.api import Problem, Severity
from quantcrafter.engine.graph import bind
from quantcrafter.engine.spec import check_strategy
from tests.support.catalog import SmallCatalog, strategy_text

GOOD = """
indicators:
  fast: {use: mean, input: bars.close, period: 3}
  slow: {use: mean, input: bars.close, period: 5}
  range: {use: channel}
logic:
  up: {use: above, left: fast, right: slow}
advisors:
  trend: {use: while, condition: up}
filters:
  dear: {use: gate, condition: up}
risk:
  stop: {use: stop, percent: 2}
money:
  size: {use: units, quantity: 10}
execution:
  entry: {use: at_market, signals: [trend], filters: [dear], risk: [stop], money: size}
"""


def problems_of(text: str) -> list[Problem]:
    spec, problems = check_strategy(text, file="s.yaml", base_dir=".")
    if spec is None:
        return problems
    return [*problems, *bind(spec, SmallCatalog())[1]]


def only(text: str) -> Problem:
    found = problems_of(text)
    assert len(found) == 1, [str(problem) for problem in found]
    return found[0]


def test_a_good_file_has_no_problem() -> None:
    assert problems_of(strategy_text(GOOD)) == []


@pytest.mark.parametrize(
    ("old", "new", "code", "words"),
    [
        (
            "use: mean, input: bars.close, period: 3",
            "use: meen",
            "unknown_use",
            "Did you mean 'mean'?",
        ),
        ("period: 3", "perod: 3", "extra_forbidden", "Did you mean 'period'?"),
        ("period: 3", "period: 0", "greater_than_equal", "greater than or equal to 1, was 0"),
        ("period: 3", "period: fast", "int_parsing", "'period'"),
        ("input: bars.close, period: 3", "period: 3", "missing", "needs 'input'"),
        ("left: fast", "left: fats", "dangling", "Did you mean 'fast'"),
        ("left: fast", "left: range", "which_output", "range.upper, range.lower"),
        ("left: fast", "left: range.uper", "unknown_output", "Did you mean 'upper'?"),
        ("left: fast", "left: bars.clos", "dangling", "close"),
        ("left: fast", "left: bars", "type_mismatch", "takes a series, but 'bars' is a bars"),
        ("input: bars.close, period: 5", "input: slow, period: 5", "cycle", "slow <- slow"),
        (
            "condition: up}\nfilters",
            "condition: slow}\nfilters",
            "type_mismatch",
            "takes a condition, but 'slow' is a series",
        ),
        ("condition: up}\nfilters", "condition: slow}\nfilters", "type_mismatch", "Compatible outputs: up."),
        ("signals: [trend]", "signals: [up]", "type_mismatch", "takes a signal"),
        ("money: size", "money: stop", "type_mismatch", "takes a money"),
        ("use: gate, condition: up", "use: while, condition: up", "unknown_use", "Move node 'dear' to 'advisors'."),
    ],
)
def test_a_wrong_part_is_named_with_its_place_and_a_remedy(old: str, new: str, code: str, words: str) -> None:
    text = strategy_text(GOOD)
    assert old in text
    broken = text.replace(old, new)
    errors = [problem for problem in problems_of(broken) if problem.severity is Severity.ERROR]
    matching = [problem for problem in errors if words in f"{problem.message} {problem.remedy}"]
    assert matching, [str(problem) for problem in errors]
    found = matching[0]
    assert found.code == code or found.code in ("dangling", "unknown_output")
    first_changed = next(
        i for i, (a, b) in enumerate(zip(text.split("\n"), broken.split("\n"), strict=False), 1) if a != b
    )
    assert (found.file, found.line) == ("s.yaml", first_changed)
    assert found.column > 1
    assert found.node
    assert found.path


def test_all_problems_come_at_once() -> None:
    text = strategy_text(GOOD).replace("period: 3", "period: 0").replace("left: fast", "left: nothing")
    text = text.replace("percent: 2", "percent: 200").replace("money: size", "money: sise")
    assert {problem.node for problem in problems_of(text)} >= {"fast", "up", "stop", "entry"}


def test_a_cycle_over_several_nodes_names_them_in_order() -> None:
    text = strategy_text(GOOD).replace("fast: {use: mean, input: bars.close", "fast: {use: mean, input: slow")
    text = text.replace("slow: {use: mean, input: bars.close", "slow: {use: mean, input: fast")
    problem = only(text)
    assert problem.code == "cycle"
    assert "fast <- slow <- fast" in problem.message


def test_many_diamonds_in_a_row_are_walked_once() -> None:
    rows = ["  n0: {use: mean, input: bars.close}"]
    for i in range(60):
        rows += [f"  a{i}: {{use: mean, input: n{i}}}", f"  b{i}: {{use: mean, input: n{i}, period: 4}}"]
        rows += [f"  n{i + 1}: {{use: mix, left: a{i}, right: b{i}}}"]
    spec, _ = check_strategy(strategy_text("indicators:\n" + "\n".join(rows)))
    assert spec is not None
    graph, _ = bind(spec, SmallCatalog())
    assert len(graph.nodes) == 121


def test_an_unknown_component_does_not_drag_its_neighbours_into_the_report() -> None:
    problem = only(strategy_text(GOOD).replace("use: above", "use: third_party"))
    assert problem.code == "unknown_use"
    assert problem.node == "up"
    assert "plugin" in problem.remedy


def test_a_stop_that_is_not_wired_is_a_warning() -> None:
    problem = only(strategy_text(GOOD).replace("risk: [stop], ", ""))
    assert problem.severity is Severity.WARNING
    assert problem.node == "stop"


def test_sizing_by_risk_wants_a_stop() -> None:
    text = strategy_text(GOOD).replace("{use: units, quantity: 10}", "{use: by_risk}")
    assert problems_of(text) == []
    without = text.replace("risk: [stop], ", "").replace("risk:\n  stop: {use: stop, percent: 2}\n", "")
    assert only(without).code == "no_stop"


def test_a_strategy_without_execution_says_that_it_never_trades() -> None:
    text = strategy_text(GOOD)
    start = text.index("execution:")
    end = text.index("run:")
    assert only(text[:start] + text[end:]).code == "no_execution"


def test_a_second_execution_node_is_accepted_up_to_eight_in_all() -> None:
    more = "\n".join(f"  e{number}: {{use: at_market, signals: [trend], money: size}}" for number in range(7))
    text = strategy_text(GOOD).replace("money: size}", f"money: size}}\n{more}")
    assert problems_of(text) == []
    ninth = text.replace(more, f"{more}\n  last: {{use: at_market, signals: [trend], money: size}}")
    assert only(ninth).code == "many_executions"


@pytest.mark.parametrize(("name", "codes"), [("handmade", []), ("undecided", ["no_decision"])])
def test_a_component_decides_in_its_own_code_or_is_refused_by_name(name: str, codes: list[str]) -> None:
    text = strategy_text(GOOD).replace(
        "{use: at_market, signals: [trend], filters: [dear], risk: [stop], money: size}",
        f"{{use: {name}, signals: [trend]}}",
    )
    errors = [problem for problem in problems_of(text) if problem.severity is Severity.ERROR]
    assert [problem.code for problem in errors] == codes
    assert all(name in problem.message for problem in errors)


def test_an_unknown_provider_and_its_wrong_parameters_are_located() -> None:
    unknown = only(strategy_text(GOOD, instrument="{symbol: X, data: rampp}"))
    assert (unknown.line, unknown.field, unknown.remedy) == (4, "data", "Did you mean 'ramp'?")
    wrong = only(strategy_text(GOOD, instrument="{symbol: X, data: ramp, stepp: 2}"))
    assert (wrong.line, wrong.field, wrong.remedy) == (4, "stepp", "Did you mean 'step'?")
    out_of_range = only(strategy_text(GOOD, instrument="{symbol: X, data: ramp, bars: 0}"))
    assert out_of_range.field == "bars"
