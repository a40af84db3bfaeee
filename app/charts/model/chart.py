"""ChartModel: all that the chart shows of one instrument of a run, prepared to be drawn. No Qt.

Making it reads whole columns, so it is made away from the GUI thread.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from quantcrafter.app.charts.model.candles import CandleLevels
from quantcrafter.app.charts.model.curves import Curves, curves_of
from quantcrafter.app.charts.model.detail_levels import FlagLevels, RangeLevels
from quantcrafter.app.charts.model.outputs import ChartOutput, PlotPlace, outputs_of
from quantcrafter.app.charts.model.prices import decimals_of
from quantcrafter.app.charts.model.rolls import RollMarks
from quantcrafter.app.charts.model.time_axis import BarClock
from quantcrafter.app.charts.model.trades import HeldUnits, TradeMarks
from quantcrafter.engine.api import InstrumentJob
from quantcrafter.engine.api.ledger import OpenPosition
from quantcrafter.engine.runtime.results.run_view import RunView

Line = RangeLevels | FlagLevels


@dataclass
class ChartModel:
    """One instrument of a run. `lines` holds the columns that were prepared so far, by the outputs' keys."""

    run: RunView
    instrument: int
    clock: BarClock
    candles: CandleLevels
    close: RangeLevels
    trades: TradeMarks
    holdings: HeldUnits
    curves: Curves
    outputs: tuple[ChartOutput, ...]
    decimals: int
    open_positions: tuple[OpenPosition, ...] = ()
    rolls: RollMarks = field(default_factory=lambda: RollMarks(()))
    lines: dict[str, Line] = field(default_factory=dict)
    heikin_ashi: CandleLevels | None = None

    @property
    def job(self) -> InstrumentJob:
        """The instrument."""
        return self.run.instruments[self.instrument]

    def __len__(self) -> int:
        return len(self.clock)

    def read_line(self, output: ChartOutput) -> Line:
        """Return the levels of an output's column; this reads the whole column."""
        column = self.run.column(output.node, output.output, self.instrument)
        return FlagLevels(column) if output.place is PlotPlace.STRIP else RangeLevels(column)


def chart_model(run: RunView, instrument: int) -> ChartModel:
    """Return what is needed to draw an instrument, without the outputs' columns."""
    job = run.instruments[instrument]
    clock = BarClock(job.bars)
    return ChartModel(
        run=run,
        instrument=instrument,
        clock=clock,
        candles=CandleLevels.of(job.bars),
        close=RangeLevels(job.bars.close),
        trades=TradeMarks(run.ledger, instrument),
        holdings=HeldUnits(run.ledger, instrument, job.lot_size),
        curves=curves_of(run, instrument),
        outputs=outputs_of(run, instrument),
        open_positions=tuple(each for each in run.ledger.open_positions if each.instrument == instrument),
        rolls=RollMarks(job.rolls),
        decimals=decimals_of(job.finest_tick) if job.tick_size > 0 else 2,
    )


def read_lines(model: ChartModel, outputs: Iterable[ChartOutput], *, heikin_ashi: bool = False) -> ChartModel:
    """Make the columns of these outputs ready, and the Heikin-Ashi bars if asked for; return the model."""
    for output in outputs:
        if output.key not in model.lines:
            model.lines[output.key] = model.read_line(output)
    if heikin_ashi and model.heikin_ashi is None:
        model.heikin_ashi = model.candles.heikin_ashi()
    return model
