from __future__ import annotations

from pathlib import Path

from quantcrafter.engine.stats.catalogue import METRICS, metrics_markdown

DOCUMENT = Path(__file__).parents[3] / "docs" / "metrics.md"


def test_the_document_describes_every_metric_as_the_code_does() -> None:
    generated = DOCUMENT.read_text(encoding="utf-8").partition("equal to it -->\n\n")[2]
    assert generated == metrics_markdown()


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
