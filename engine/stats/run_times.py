"""RunTimes: how the times of a run are shown, each in the time zone of its instrument's exchange."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from quantcrafter.engine.api.bars import Bars
from quantcrafter.engine.api.engine import InstrumentJob
from quantcrafter.engine.api.ports import TimeColumn
from quantcrafter.engine.data.labels import (
    DEFAULT_ZONE,
    bar_label,
    common_zone,
    day_text,
    moment_text,
    named_moment,
    wall_ns,
    with_zone,
    zone_name,
)
from quantcrafter.engine.stats.tables import Column


@dataclass(frozen=True, eq=False)
class RunTimes:
    """How the times of a run are shown.

    `zones` is the zone of each instrument's exchange by symbol, `is_intraday` whether any has bars shorter than a day:
    else days are shown. `bars` are the instruments' bars by symbol, as far as they are known: with daily bars, what
    happened at a bar is shown with its trading day.
    """

    zones: Mapping[str, str]
    is_intraday: bool = True
    bars: Mapping[str, Bars] = field(default_factory=dict)

    @classmethod
    def of(cls, instruments: Sequence[InstrumentJob]) -> RunTimes:
        """Return how the times of a run of these instruments are shown."""
        return cls(
            {job.symbol: job.bars.session.timezone for job in instruments},
            any(job.bars.timeframe.is_intraday for job in instruments),
            {job.symbol: job.bars for job in instruments},
        )

    @property
    def zone(self) -> str:
        """The zone of what belongs to the whole account: that of all exchanges, else UTC."""
        return common_zone(self.zones.values())

    @property
    def is_mixed(self) -> bool:
        """Whether the exchanges have different zones: then each time names its own."""
        return len(set(self.zones.values())) > 1

    def zone_of(self, symbol: str) -> str:
        """Return the zone of an instrument's times; that of the account for none."""
        return self.zones.get(symbol, self.zone if not symbol else DEFAULT_ZONE)

    def head(self, label: str) -> str:
        """Return a column's heading with the zone of its times; without one where each time names its own."""
        return label if self.is_mixed or not self.is_intraday else with_zone(label, self.zone)

    def text(self, ts_ns: int, symbol: str = "", bar: int = -1, *, named: bool = False) -> str:
        """Return when something happened, as a cell of a column says it.

        Args:
            ts_ns: the moment, in UTC ns.
            symbol: the instrument; empty for the whole account.
            bar: the instrument's bar at which it happened, -1 for none.
            named: put the zone behind a time even if it is that of all instruments.
        """
        zone = self.zone_of(symbol)
        if not self.is_intraday:
            bars = self.bars.get(symbol)
            if bars is not None and 0 <= bar < len(bars):
                return bar_label(int(bars.open_ns[bar]), bars.timeframe, bars.session)
            return day_text(ts_ns if symbol else ts_ns - 1, zone)  # the account's day ends with its last close
        text = moment_text(ts_ns, zone)
        return f"{text} {zone_name(zone)}" if self.is_mixed or named else text

    def moment(self, ts_ns: int, symbol: str = "") -> str:
        """Return a time that stands alone, with its zone: `2024-05-31 09:30 New York`."""
        return named_moment(ts_ns, self.zone_of(symbol))

    def wall_ns(self, ts_ns: TimeColumn, symbols: Column) -> TimeColumn:
        """Return moments as the clocks of each row's exchange show them, in ns as if they were UTC."""
        zones = np.array([self.zone_of(str(symbol)) for symbol in symbols.tolist()], dtype=np.str_)
        made = np.array(ts_ns, dtype=np.int64)
        for zone in set(zones.tolist()):
            own = zones == zone
            made[own] = wall_ns(made[own], zone)
        return made

    def file_columns(self, ts_ns: Mapping[str, TimeColumn], symbols: Column) -> dict[str, Column]:
        """Return columns of a file: times by name as text in each row's zone, and `time_zone` with its full name."""
        zones = np.array([self.zone_of(str(symbol)) for symbol in symbols.tolist()], dtype=np.str_)
        made: dict[str, Column] = {
            name: self.wall_ns(column, symbols).astype("datetime64[ns]").astype("datetime64[s]").astype(np.str_)
            for name, column in ts_ns.items()
        }
        return {**made, "time_zone": zones}
