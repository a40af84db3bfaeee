"""Orders at a vnpy gateway: which of ours they are, and what is reported of them.

vnpy's orders have ids of the gateway, made when they are sent. A journal on disk says which of ours each is: a line
before an order is sent, and one with its id afterwards. An order with the first line alone may or may not be there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vnpy.trader.constant import Status

from quantcrafter.engine.api import Accepted, Cancelled, Filled, OrderEvent, OrderId, Rejected
from quantcrafter.engine.api.order_id import OrderError, lots_in

_ACTIVE = (Status.SUBMITTING, Status.NOTTRADED, Status.PARTTRADED)


class Journal:
    """Which orders of ours have which ids at the gateway.

    Args:
        path: the file; one line of JSON for each thing that happened.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.sent: dict[str, list[str]] = {}
        self.orders: dict[str, str] = {}
        self.counts: dict[str, int] = {}
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        for line in text[: text.rfind("\n") + 1].splitlines():
            self._take(json.loads(line))
        self._file = path.open("a", encoding="utf-8")
        if text and not text.endswith("\n"):
            self._file.write("\n")

    def begin(self, order: OrderId, parts: int) -> None:
        """Note that an order is about to be sent, in so many parts."""
        self._write({"order": str(order), "parts": parts})

    def sent_as(self, order: OrderId, venue_id: str) -> None:
        """Note the id of an order, or of one of its parts, at the gateway."""
        self._write({"order": str(order), "id": venue_id})

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, entry: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(entry) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._take(entry)

    def _take(self, entry: Mapping[str, Any]) -> None:
        order = str(entry["order"])
        if "id" in entry:
            self.sent.setdefault(order, []).append(str(entry["id"]))
            self.orders[str(entry["id"])] = order
        else:
            self.sent.setdefault(order, [])
            self.counts[order] = int(entry["parts"])


@dataclass
class GatewayOrder:
    """An order of ours as the gateway has it, in one or more parts by their ids."""

    order: OrderId
    lot_size: float
    parts: dict[str, Any] = field(default_factory=dict)
    """vnpy's orders by id; None until the first report."""
    filled: dict[str, float] = field(default_factory=dict)
    """Quantities of the trades that were reported, by part."""
    seen: set[str] = field(default_factory=set)
    is_short: bool = False
    """Whether its parts are less than the order: what is left of it ends with them."""
    is_accepted: bool = False
    is_over: bool = False

    def traded(self, trade: Any, ts_ns: int) -> Iterator[OrderEvent]:
        """Yield the report of a trade, if it is new."""
        if trade.vt_tradeid in self.seen:
            return
        self.seen.add(trade.vt_tradeid)
        self.filled[trade.vt_orderid] = self.filled.get(trade.vt_orderid, 0.0) + float(trade.volume)
        try:
            lots = lots_in(float(trade.volume), self.lot_size)
        except OrderError:
            lots = max(1, round(float(trade.volume) / self.lot_size))
        yield from self._accepted(trade.vt_orderid, ts_ns)
        yield Filled(self.order, trade.vt_tradeid, lots, float(trade.price), ts_ns)

    def changed(self, report: Any, ts_ns: int, text: str) -> Iterator[OrderEvent]:
        """Yield what is new of a part. `text` is why, if it was rejected."""
        self.parts[report.vt_orderid] = report
        if report.status in (Status.NOTTRADED, Status.PARTTRADED, Status.ALLTRADED):
            yield from self._accepted(report.vt_orderid, ts_ns)
        yield from self.ended(ts_ns, text)

    def ended(self, ts_ns: int, text: str = "") -> Iterator[OrderEvent]:
        """Yield the order's end, once all parts have ended and all of their trades are reported."""
        reports = list(self.parts.values())
        if self.is_over or any(each is None or each.status in _ACTIVE for each in reports):
            return
        if any(float(each.traded) > self.filled.get(each.vt_orderid, 0.0) + 1e-9 for each in reports):
            return
        self.is_over = True
        if all(each.status == Status.REJECTED for each in reports):
            yield Rejected(self.order, ts_ns, text)
        elif self.is_short or any(each.status in (Status.CANCELLED, Status.REJECTED) for each in reports):
            yield Cancelled(self.order, ts_ns, text if any(each.status == Status.REJECTED for each in reports) else "")

    def _accepted(self, venue_id: str, ts_ns: int) -> Iterator[OrderEvent]:
        if not self.is_accepted:
            self.is_accepted = True
            yield Accepted(self.order, ts_ns, venue_id=venue_id)
