from __future__ import annotations

from quantcrafter.engine.stats.metric_catalog import METRICS
from tests.support.metrics_page import DOCUMENT, MARK, metrics_page


def test_the_document_is_what_make_docs_writes() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == metrics_page()


def test_make_docs_writes_the_document() -> None:
    recipe = (DOCUMENT.parents[1] / "Makefile").read_text(encoding="utf-8").partition("\ndocs:")[2].partition("\n\n")[0]
    assert "tests.support.metrics_page" in recipe
    assert "docs/metrics.md" in recipe


def test_the_tables_have_every_metric_and_the_text_above_what_their_formulas_name() -> None:
    written, _, tables = DOCUMENT.read_text(encoding="utf-8").partition(MARK)
    for metric in METRICS:
        assert f"| `{metric.key}` | {metric.label} | {metric.unit} |" in tables
    assert all(f"(**{letter}**)" in written for letter in "rNfb")


def test_every_metric_has_a_formula_a_source_and_a_key_of_its_own() -> None:
    assert len({metric.key for metric in METRICS}) == len(METRICS)
    assert len({(metric.label, metric.unit) for metric in METRICS}) == len(METRICS)
    assert all(metric.formula and metric.source for metric in METRICS)


def test_keys_name_their_unit() -> None:
    suffixes = {"%": "_pct", "time": "_ns", "days": "_days"}
    for metric in METRICS:
        if metric.unit in suffixes:
            assert metric.key.endswith(suffixes[metric.unit])
        else:
            assert not metric.key.endswith(("_pct", "_ns", "_days"))
