"""A sweep gives what single runs give, and computes no column twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantcrafter.engine.api import DataProvider, DataRequest, RunCancelledError
from quantcrafter.engine.data.load import LoadedBars, load_bars
from quantcrafter.engine.graph import BoundGraph
from quantcrafter.engine.runtime.research.sweep import Axis, sweep
from quantcrafter.engine.runtime.running.load_graph import load_text
from quantcrafter.engine.runtime.running.run import run
from tests.support.kept_runs import EXAMPLES, registry

TEXT = (EXAMPLES / "golden_cross.yaml").read_text(encoding="utf-8")
WEEKLY = EXAMPLES / "weekly_trend_daily_entry.yaml"


def loading(text: str, base_dir: Path = EXAMPLES):  # type: ignore[no-untyped-def]  # noqa: ANN201 - a test's own
    def load(overrides: tuple[str, ...]) -> BoundGraph:
        return load_text(text, registry(), base_dir=base_dir, overrides=overrides)

    return load


@pytest.mark.parametrize(
    ("text", "axes"),
    [
        (TEXT, (Axis("indicators.fast.timeperiod", (10, 20, 50)), Axis("indicators.slow.timeperiod", (100, 200)))),
        (
            WEEKLY.read_text(encoding="utf-8"),
            (Axis("filters.week.period", (10, 20)), Axis("data.weekly.timeframe", ("1w", "2w", "1mo"))),
        ),
        (TEXT, (Axis("run.cash", (1000, 100_000)),)),
    ],
)
def test_each_cell_is_the_run_with_its_values(text: str, axes: tuple[Axis, ...]) -> None:
    load = loading(text)
    found = sweep(load, axes, registry=registry())

    assert [cell.values for cell in found.cells] == sorted(
        (cell.values for cell in found.cells),
        key=lambda values: [axis.values.index(value) for axis, value in zip(axes, values, strict=True)],
    )
    for cell in found.cells:
        overrides = tuple(axis.override(value) for axis, value in zip(axes, cell.values, strict=True))
        assert cell.metrics == run(load(overrides), registry=registry()).metrics
    assert len({repr(cell.metrics) for cell in found.cells}) > 1


def test_a_value_out_of_range_costs_its_own_cells_only() -> None:
    axes = (Axis("indicators.fast.timeperiod", (0, 20)), Axis("indicators.slow.timeperiod", (200,)))
    failed, good = sweep(loading(TEXT), axes, registry=registry()).cells
    assert failed.metrics is None
    assert "timeperiod" in failed.error
    assert good.metrics is not None


def test_bars_are_loaded_once_and_columns_that_do_not_vary_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[DataRequest] = []

    def loader(provider: DataProvider, request: DataRequest, *, on_bad_bars: str = "refuse") -> LoadedBars:
        loads.append(request)
        return load_bars(provider, request, on_bad_bars=on_bad_bars)

    computed: list[int] = []
    cls = type(load_text(TEXT, registry()).nodes["fast"].component)
    whole = cls.compute

    def compute(self: object, **inputs: object) -> object:
        computed.append(self.timeperiod)  # type: ignore[attr-defined]
        return whole(self, **inputs)  # type: ignore[arg-type]

    monkeypatch.setattr(cls, "compute", compute)
    axes = (Axis("indicators.fast.timeperiod", (10, 20, 30)), Axis("indicators.slow.timeperiod", (100, 200)))
    sweep(loading(TEXT), axes, registry=registry(), loader=loader)

    assert len(loads) == 1
    assert sorted(computed) == [10, 20, 30, 100, 200]


def test_it_tells_how_far_it_is_and_stops_when_told() -> None:
    seen: list[tuple[int, int]] = []
    axes = (Axis("indicators.fast.timeperiod", (10, 20, 30, 40)),)
    with pytest.raises(RunCancelledError):
        sweep(
            loading(TEXT),
            axes,
            registry=registry(),
            progress=lambda done, total: seen.append((done, total)),
            cancelled=lambda: len(seen) == 2,
        )
    assert seen == [(1, 4), (2, 4)]
