"""A comparison of engines finds the first difference, and names its class, bar, node and both sides."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from quantcrafter.engine.api import RunCancelledError, RunError, SpecError
from quantcrafter.engine.api.ledger import OrderKind
from quantcrafter.engine.plugins import Registry, load_registry
from quantcrafter.engine.runtime.parity import Cause, EngineDifference, ParityReport
from quantcrafter.engine.runtime.parity.certificate import certificate_page, write_certificate
from quantcrafter.engine.runtime.parity.run import run_parity
from quantcrafter.engine.runtime.results.result import RunResult
from quantcrafter.engine.runtime.running.load_graph import load_graph
from quantcrafter.engine.runtime.running.run import run
from tests.support import planted_engines

EXAMPLES = Path(__file__).parents[4] / "resources" / "examples"
CANDLES = EXAMPLES / "engulfing_candles.yaml"  # nodes: pattern, stop, target, size, entry


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry(extra_plugins=[("planted", planted_engines)])


@pytest.fixture(scope="module")
def native(registry: Registry) -> RunResult:
    """Return the example as the native engine runs it."""
    return run(CANDLES, registry=registry)


def parity(registry: Registry, *engines: str, file: Path = CANDLES) -> ParityReport:
    return run_parity(load_graph(file, registry), registry=registry, engines=engines)


def first(registry: Registry, engine: str) -> EngineDifference:
    report = parity(registry, "native", engine)
    assert not report.same
    assert report.first is not None
    return report.first


def test_a_stop_that_ignores_gaps_is_a_fill_rule_at_the_stops_node(registry: Registry, native: RunResult) -> None:
    ledger = native.ledger
    stops = ledger.fills[ledger.fills["kind"] == OrderKind.STOP]
    gap = next(fill for fill in stops if fill["price"] != ledger.orders[fill["order_id"]]["price"])

    found = first(registry, "gapless")
    assert (found.cause, found.what, found.node) == (Cause.FILL_RULE, "fill price", "stop")
    assert (found.symbol, found.bar) == ("MSFT", gap["bar"])
    assert found.ts_ns == native.instruments[0].bars.close_ns[gap["bar"]]
    assert float(found.expected) == pytest.approx(gap["price"])
    assert float(found.found) == pytest.approx(ledger.orders[gap["order_id"]]["price"])


def test_a_limit_that_does_not_fill_is_a_fill_rule_at_the_targets_node(registry: Registry, native: RunResult) -> None:
    fill = next(fill for fill in native.ledger.fills if fill["kind"] == OrderKind.LIMIT)

    found = first(registry, "deaf")
    assert (found.cause, found.what, found.node, found.bar) == (Cause.FILL_RULE, "fill", "target", fill["bar"])
    assert found.expected.startswith("sell ")
    assert found.expected.endswith(" (limit)")
    assert found.found.startswith("no fill (cancelled at bar ")


def test_a_signal_one_bar_late_is_a_signal_at_the_advisors_node(registry: Registry) -> None:
    file = EXAMPLES / "golden_cross.yaml"
    order = run(file, registry=registry).ledger.orders[0]

    found = parity(registry, "native", "late", file=file).first
    assert found is not None
    assert (found.cause, found.what, found.node) == (Cause.SIGNAL, "order", "cross")
    assert found.bar == order["created_bar"]
    assert found.expected.startswith("buy ")
    assert found.found.endswith(f"at bar {order['created_bar'] + 1}")


def test_a_late_signal_that_made_no_order_is_found_where_it_is_blocked(registry: Registry, native: RunResult) -> None:
    blocked = native.ledger.blocked[0]
    assert blocked["bar"] < native.ledger.orders[0]["created_bar"]

    found = first(registry, "late")
    assert (found.cause, found.what, found.node) == (Cause.SIGNAL, "blocked entry", "pattern")
    assert found.bar == blocked["bar"]
    assert (found.expected, found.found) == tuple(f"at bar {found.bar + late}, warmup" for late in (0, 1))


def test_less_than_a_tick_is_rounding(registry: Registry, native: RunResult) -> None:
    fill = next(fill for fill in native.ledger.fills if fill["kind"] == OrderKind.LIMIT)

    found = first(registry, "rough")
    assert (found.cause, found.what, found.node, found.bar) == (Cause.ROUNDING, "fill price", "target", fill["bar"])
    assert float(found.found) - float(found.expected) == pytest.approx(0.004)


def test_another_commission_is_a_fee_of_the_first_fill(registry: Registry, native: RunResult) -> None:
    fill = native.ledger.fills[0]

    found = first(registry, "dear")
    assert (found.cause, found.what, found.bar) == (Cause.FEE, "commission", fill["bar"])
    assert float(found.found) - float(found.expected) == pytest.approx(1.0)


def test_what_an_engine_cannot_do_is_a_capability_at_the_node_that_asks(registry: Registry) -> None:
    report = parity(registry, "native", "poor", "sick")
    poor, sick = report.outcomes[1:]
    assert [(each.cause, each.node) for each in poor.differences] == [(Cause.CAPABILITY, "target")]
    assert "doesn't do limit orders, which node 'target' needs" in poor.differences[0].found
    assert (sick.differences[0].cause, sick.differences[0].found) == (
        Cause.CAPABILITY,
        "Prices above 100 make it dizzy.",
    )
    assert poor.final_equity is None
    assert not report.same


def test_engines_that_do_the_same_agree(registry: Registry, native: RunResult) -> None:
    report = parity(registry, "native", "right")
    assert report.same
    assert report.first is None
    one, other = report.outcomes
    assert (one.orders, one.fills, one.trades) == (len(native.orders), len(native.fills), len(native.trades))
    assert (other.orders, other.fills, other.final_equity) == (one.orders, one.fills, one.final_equity)


def test_what_follows_is_listed_in_order_of_time_after_the_first(registry: Registry) -> None:
    differences = parity(registry, "native", "gapless").outcomes[1].differences
    assert len(differences) > 1
    assert differences[0].cause is Cause.FILL_RULE
    assert all(each.cause is None for each in differences[1:])
    times = [each.ts_ns for each in differences]
    assert times == sorted(times)
    assert times[0] < times[1], "the first is not repeated"


def test_a_difference_in_a_portfolio_is_placed_at_its_own_instrument(registry: Registry) -> None:
    file = EXAMPLES / "momentum_portfolio.yaml"
    result = run(file, registry=registry, overrides=["execution.entry.filters=[]"])
    order = result.ledger.orders[0]
    graph = load_graph(file, registry, ["execution.entry.filters=[]"])
    found = run_parity(graph, registry=registry, engines=("native", "dear")).first
    assert found is not None
    fill = result.ledger.fills[0]
    assert (found.instrument, found.bar) == (fill["instrument"], fill["bar"])
    assert found.symbol == result.instruments[int(order["instrument"])].symbol


def test_the_reference_is_the_first_that_is_named(registry: Registry) -> None:
    report = parity(registry, "dear", "right", "dear")
    assert [outcome.name for outcome in report.outcomes] == ["dear", "right"]
    assert report.reference.name == "dear"
    assert report.first is not None
    assert float(report.first.found) - float(report.first.expected) == pytest.approx(-1.0)


@pytest.mark.parametrize(
    ("engines", "message"),
    [
        (("native",), "at least two engines, had native"),
        (("native", "nativ"), "There is no engine 'nativ'. Did you mean 'native'"),
    ],
)
def test_engines_that_cannot_be_compared_are_refused(
    registry: Registry, engines: tuple[str, ...], message: str
) -> None:
    with pytest.raises(SpecError, match=message):
        parity(registry, *engines)


def test_a_reference_that_cannot_run_is_an_error_and_no_difference(registry: Registry) -> None:
    with pytest.raises(RunError, match=r"dizzy\. Name another engine first"):
        parity(registry, "sick", "native")


def test_it_can_be_cancelled(registry: Registry) -> None:
    with pytest.raises(RunCancelledError):
        run_parity(
            load_graph(CANDLES, registry), registry=registry, engines=("native", "right"), cancelled=lambda: True
        )


def test_the_certificate_holds_hashes_versions_and_the_first_difference(registry: Registry, tmp_path: Path) -> None:
    report = parity(registry, "native", "gapless")
    page = write_certificate(tmp_path / "certificate.html", report).read_text(encoding="utf-8")
    assert hashlib.sha256(CANDLES.read_bytes()).hexdigest() in page
    assert report.data_hash in page
    assert report.instruments[0].hash in page
    assert "quantcrafter 0.1.0" in page
    assert "fill rule" in page
    assert "gapless differs from native." in page
    assert "<script" not in page
    same = certificate_page(parity(registry, "native", "right"))
    assert "The same orders, fills and equity on native and right." in same
    assert "First difference" not in same


def test_the_hash_of_the_data_tells_other_data_apart(registry: Registry) -> None:
    graph = load_graph(CANDLES, registry, ["instruments.0.symbol=IBM"])
    other = run_parity(graph, registry=registry, engines=("native", "right"))
    assert other.data_hash != parity(registry, "native", "right").data_hash
    assert np.isfinite(other.reference.seconds)
