"""Commands and events about orders, and strategies that draw them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from quantcrafter.engine.api.order_id import MOST_EPOCH, MOST_NUMBER, OrderId
from quantcrafter.engine.api.orders import (
    Accepted,
    Amend,
    Amended,
    AmendRejected,
    Cancel,
    Cancelled,
    CancelRejected,
    Denied,
    Expired,
    Filled,
    OrderCommand,
    OrderEvent,
    Rejected,
    Submit,
    Unanswered,
)

ORDER = OrderId("w1", 7, 42)
LOTS = 10

order_ids = st.builds(
    OrderId,
    st.from_regex(r"[A-Za-z0-9]{1,12}", fullmatch=True),
    st.integers(0, MOST_EPOCH),
    st.integers(0, MOST_NUMBER),
)
_times = st.integers(0, 2**62)
_prices = st.floats(-1e9, 1e9)
_texts = st.text(max_size=8)


def submit(lots: int = LOTS) -> Submit:
    """Return a market order to buy."""
    return Submit(ORDER, "SPY", "buy", "market", lots, float(lots), 1.0, 0)


def amend(change: int, lots: int) -> Amend:
    """Return an amend to so many lots."""
    return Amend(ORDER, change, lots, float(lots), 0)


def _submits(kind: str) -> st.SearchStrategy[Submit]:
    return st.builds(
        Submit,
        order=order_ids,
        symbol=_texts,
        side=st.sampled_from(["buy", "sell"]),
        kind=st.just(kind),
        lots=st.integers(1, 2**53),
        quantity=st.floats(1e-8, 1e12),
        lot_size=st.floats(1e-8, 1e6),
        ts_ns=_times,
        price=st.none() if kind == "market" else _prices,
        limit=_prices if kind == "stop_limit" else st.none(),
        time_in_force=st.sampled_from(["gtc", "day"]),
        reduce_only=st.booleans(),
        parent=st.none() | order_ids,
        reason=_texts,
    )


_changes = st.integers(1, 1000)
_lots = st.integers(1, 2**53)
any_message: st.SearchStrategy[Any] = st.one_of(
    *(_submits(kind) for kind in ("market", "limit", "stop", "stop_limit")),
    st.builds(
        Amend,
        order_ids,
        _changes,
        _lots,
        st.floats(1e-8, 1e12),
        _times,
        st.none() | _prices,
        st.none() | _prices,
    ),
    st.builds(Cancel, order_ids, _times, _texts),
    st.builds(Accepted, order_ids, _times, _texts),
    *(st.builds(kind, order_ids, _times, _texts) for kind in (Rejected, Denied, Cancelled, CancelRejected)),
    st.builds(Filled, order_ids, st.text(min_size=1, max_size=8), _lots, _prices, _times, st.none() | _prices),
    *(st.builds(kind, order_ids, _times) for kind in (Expired, Unanswered)),
    st.builds(Amended, order_ids, _changes, _times),
    st.builds(AmendRejected, order_ids, _changes, _times, _texts),
)
"""A command or an event of any kind, with any fields it may have."""

_few = st.integers(1, 3)
about_one_order: st.SearchStrategy[OrderCommand | OrderEvent] = st.one_of(
    *(st.just(kind(ORDER, 0)) for kind in (Accepted, Rejected, Denied, Cancelled, Expired, CancelRejected)),
    st.just(Unanswered(ORDER, 0)),
    st.just(Cancel(ORDER, 0)),
    st.builds(amend, _few, st.integers(1, 2 * LOTS)),
    st.builds(lambda change: Amended(ORDER, change, 0), _few),
    st.builds(lambda change: AmendRejected(ORDER, change, 0), _few),
    st.builds(lambda name, lots: Filled(ORDER, name, lots, 10.0, 0), st.sampled_from("abcdef"), st.integers(1, LOTS)),
)
"""What may be said about `ORDER`, possible or not."""
