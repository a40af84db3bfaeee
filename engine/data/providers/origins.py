"""Programs and sites whose files are known by their names or headers, and what their times mean where none says it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from quantcrafter.engine.api.message import Message
from quantcrafter.engine.data.providers.column_names import field_of, plain
from quantcrafter.engine.data.providers.time_zones import ABBREVIATIONS, is_zone

if TYPE_CHECKING:
    from quantcrafter.engine.data.providers.files import FileProvider


class FileOrigin(NamedTuple):
    """Whose file it is, and what its times mean: zone, stamp, and the order of day and month."""

    name: str = ""
    zone: str = ""
    stamp: str = ""
    day_first: bool = False

    def applied(self, options: FileProvider) -> FileProvider:
        """Return the options with the zone and the stamp of the origin where they are left to be guessed."""
        update: dict[str, str] = {}
        if self.zone and options.timezone == "auto":
            update["timezone"] = self.zone
        if self.stamp and options.stamp == "auto":
            update["stamp"] = self.stamp
        return options.model_copy(update=update) if update else options

    def notes(self, options: FileProvider) -> tuple[str, ...]:
        """Return what is to be said of the guess."""
        if not self.zone or options.timezone != "auto" or not self.name:
            return ()
        taken = Message(
            "A file of {name}: times are taken as {zone}. Set 'timezone' if this is wrong.",
            name=self.name,
            zone=self.zone,
        )
        if self.stamp == "close" and options.stamp == "auto":
            return taken, Message(
                "A file of {name}: times are when bars close. Set 'stamp' if this is wrong.", name=self.name
            )
        return (taken,)


_UTC_HEADERS = {"gmttime", "datetimeutc", "timestamputc", "timeutc", "dateutc", "utctime", "utc", "opentimeutc"}
_BY_NAME: tuple[tuple[re.Pattern[str], FileOrigin], ...] = (
    # HistData.com says of its files that they are in Eastern Standard Time without daylight saving.
    (re.compile(r"^(?:HISTDATA_COM|DAT)_(?:ASCII|MT|NT|MS|XLSX)_", re.IGNORECASE), FileOrigin("HistData", "EST")),
    # NinjaTrader exports in UTC, and stamps bars at their end
    (re.compile(r"\.(?:Last|Bid|Ask)\.txt(?:\.gz)?$", re.IGNORECASE), FileOrigin("NinjaTrader", "UTC", "close")),
    (re.compile(r"^intraday_(?:extended_)?\d+min_", re.IGNORECASE), FileOrigin("Alpha Vantage", "America/New_York")),
)
_ZONE_IN_HEADER = re.compile(r"[(\[]\s*([A-Za-z]+(?:/[A-Za-z_/]+)?)\s*[)\]]\s*$")
_TRADESTATION = {"date", "time", "open", "high", "low", "close", "up", "down"}


def origin_of(file_name: str, names: Sequence[str]) -> FileOrigin:
    """Return whose file it is; an empty origin where nothing shows it."""
    for pattern, origin in _BY_NAME:
        if pattern.search(file_name):
            return origin
    plains = {plain(name) for name in names}
    for name in names:
        found = _ZONE_IN_HEADER.search(name) if field_of(plain(name)) in ("time", "date") else None
        if found is not None and (zone := ABBREVIATIONS.get(found[1], found[1])) and is_zone(zone):
            return FileOrigin("", zone)
    if plains & {"gmttime", "localtime"}:  # Dukascopy; its local times carry their offset
        return FileOrigin("", "UTC" if "gmttime" in plains else "", day_first=True)
    if plains & _UTC_HEADERS:
        return FileOrigin("", "UTC")
    if plains >= _TRADESTATION:
        return FileOrigin("TradeStation", "America/New_York", "close")
    return FileOrigin()
