"""The life of an order: what each command and event does to it, in the orders in which brokers really send them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantcrafter.engine.api.order_id import OrderError, OrderId
from quantcrafter.engine.api.order_state import TABLE, OrderState, TrackedOrder, order_fields, order_from_fields
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
from tests.support.order_messages import LOTS, ORDER, about_one_order, amend, submit

ACCEPTED = Accepted(ORDER, 0, "V1")
CANCEL = Cancel(ORDER, 0)
CANCELLED = Cancelled(ORDER, 0)


def fill(name: str, lots: int, price: float = 10.0) -> Filled:
    return Filled(ORDER, name, lots, price, 0)


def say(order: TrackedOrder, message: OrderCommand | OrderEvent) -> TrackedOrder:
    return order.ask(message) if isinstance(message, (Submit, Amend, Cancel)) else order.apply(message)


def after(*messages: OrderCommand | OrderEvent, lots: int = LOTS) -> TrackedOrder:
    order = TrackedOrder.begin(submit(lots))
    for message in messages:
        order = say(order, message)
    return order


def heard(messages: Sequence[OrderCommand | OrderEvent]) -> list[TrackedOrder]:
    """Return the order after each message that is possible, from its beginning on."""
    orders = [after()]
    for message in messages:
        try:
            orders.append(say(orders[-1], message))
        except OrderError:
            continue
    return orders


many = st.lists(about_one_order, max_size=20)


@pytest.mark.parametrize(
    ("messages", "state", "filled"),
    [
        ([], OrderState.PENDING_NEW, 0),
        ([ACCEPTED], OrderState.ACCEPTED, 0),
        ([ACCEPTED, fill("a", 4)], OrderState.PARTLY_FILLED, 4),
        ([ACCEPTED, fill("a", 4), fill("b", 6)], OrderState.FILLED, 10),
        ([Rejected(ORDER, 0)], OrderState.REJECTED, 0),
        ([ACCEPTED, Rejected(ORDER, 0)], OrderState.REJECTED, 0),
        ([Denied(ORDER, 0)], OrderState.DENIED, 0),
        ([ACCEPTED, Expired(ORDER, 0)], OrderState.EXPIRED, 0),
        ([ACCEPTED, CANCEL], OrderState.PENDING_CANCEL, 0),
        ([ACCEPTED, CANCEL, CANCELLED], OrderState.CANCELLED, 0),
        ([CANCELLED], OrderState.CANCELLED, 0),
    ],
)
def test_the_usual_course_of_an_order(
    messages: list[OrderCommand | OrderEvent], state: OrderState, filled: int
) -> None:
    order = after(*messages)
    assert (order.state, order.filled) == (state, filled)
    assert order.left == (0 if state.is_over else LOTS - filled)


def test_a_fill_before_the_order_was_accepted() -> None:
    order = after(fill("a", 4))
    assert order.state is OrderState.PARTLY_FILLED
    assert say(order, ACCEPTED).state is OrderState.PARTLY_FILLED
    assert say(order, ACCEPTED).venue_id == "V1"


def test_accepted_after_the_order_has_filled_or_ended_changes_nothing() -> None:
    for end in (fill("a", LOTS), CANCELLED, Rejected(ORDER, 0), Expired(ORDER, 0)):
        order = after(end)
        assert say(order, ACCEPTED) == order


def test_a_fill_while_a_cancel_is_under_way() -> None:
    order = after(ACCEPTED, CANCEL, fill("a", 4))
    assert (order.state, order.filled, order.left) == (OrderState.PENDING_CANCEL, 4, 6)
    assert say(order, fill("b", 6)).state is OrderState.FILLED


def test_cancelled_after_parts_have_filled() -> None:
    order = after(ACCEPTED, fill("a", 4), CANCEL, CANCELLED)
    assert (order.state, order.filled, order.left) == (OrderState.CANCELLED, 4, 0)


@pytest.mark.parametrize("end", [CANCELLED, Expired(ORDER, 0), Rejected(ORDER, 0)])
def test_a_fill_that_comes_after_the_end_is_booked(end: OrderEvent) -> None:
    order = after(ACCEPTED, fill("a", 4), end, fill("b", 5))
    assert (order.filled, order.left) == (9, 0)
    assert order.state is after(ACCEPTED, fill("a", 4), end).state


def test_the_same_execution_reported_twice_counts_once() -> None:
    order = after(ACCEPTED, fill("a", 4))
    assert say(order, fill("a", 4)) == order


def test_an_execution_that_is_reported_again_with_other_lots_or_price_is_refused() -> None:
    order = after(ACCEPTED, fill("a", 4))
    for other in (fill("a", 5), fill("a", 4, 11.0)):
        with pytest.raises(OrderError, match="execution a was reported with 4 lots at 10 before"):
            say(order, other)


def test_more_than_was_ordered_can_not_fill() -> None:
    with pytest.raises(
        OrderError, match=r"w1-7-16 \(SPY\) is partly filled, 4 of 10 lots filled.*fill of 7 lots at 10"
    ):
        after(ACCEPTED, fill("a", 4), fill("b", 7))


def test_a_refused_cancel_leaves_the_order_at_work() -> None:
    refused = CancelRejected(ORDER, 0, "too late")
    assert after(ACCEPTED, CANCEL, refused).state is OrderState.ACCEPTED
    assert after(ACCEPTED, fill("a", 4), CANCEL, refused).state is OrderState.PARTLY_FILLED
    assert after(CANCEL, refused).state is OrderState.PENDING_NEW
    assert after(ACCEPTED, CANCEL, refused, refused).state is OrderState.ACCEPTED
    assert after(ACCEPTED, CANCEL, fill("a", LOTS), refused).state is OrderState.FILLED


def test_an_amend_takes_effect_when_it_is_confirmed() -> None:
    asked = after(ACCEPTED, amend(1, 20))
    assert (asked.state, asked.lots) == (OrderState.PENDING_AMEND, LOTS)
    done = say(asked, Amended(ORDER, 1, 0))
    assert (done.state, done.lots) == (OrderState.ACCEPTED, 20)
    assert say(done, Amended(ORDER, 1, 0)) == done


def test_a_refused_amend_leaves_the_terms_as_they_were() -> None:
    order = after(ACCEPTED, fill("a", 4), amend(1, 20), AmendRejected(ORDER, 1, 0, "no"))
    assert (order.state, order.lots, order.text) == (OrderState.PARTLY_FILLED, LOTS, "no")
    assert say(order, AmendRejected(ORDER, 1, 0, "no")) == order


def test_an_order_amended_twice_waits_for_the_last_answer() -> None:
    order = after(ACCEPTED, amend(1, 12), amend(2, 14), Amended(ORDER, 1, 0))
    assert (order.state, order.lots) == (OrderState.PENDING_AMEND, 12)
    assert say(order, Amended(ORDER, 2, 0)).lots == 14
    refused = say(order, AmendRejected(ORDER, 2, 0))
    assert (refused.state, refused.lots) == (OrderState.ACCEPTED, 12)


def test_the_answer_to_an_earlier_amend_does_not_undo_a_later_one() -> None:
    order = after(ACCEPTED, amend(1, 12), amend(2, 14), Amended(ORDER, 2, 0))
    assert (order.state, order.lots) == (OrderState.ACCEPTED, 14)
    assert say(order, Amended(ORDER, 1, 0)) == order
    assert say(order, AmendRejected(ORDER, 1, 0)) == order


def test_a_fill_that_overtakes_the_answer_to_an_amend() -> None:
    order = after(ACCEPTED, amend(1, 20), fill("a", 15))
    assert (order.state, order.filled, order.lots) == (OrderState.PENDING_AMEND, 15, 15)
    assert say(order, Amended(ORDER, 1, 0)).left == 5
    with pytest.raises(OrderError, match="15 of 20 lots have filled"):
        say(order, fill("b", 6))


def test_an_order_that_filled_before_its_amend_is_refused_is_filled() -> None:
    order = after(ACCEPTED, amend(1, 20), fill("a", LOTS))
    assert order.state is OrderState.PENDING_AMEND
    assert say(order, AmendRejected(ORDER, 1, 0)).state is OrderState.FILLED


def test_an_order_amended_to_less_than_has_filled_meanwhile_is_filled() -> None:
    order = after(ACCEPTED, amend(1, 5), fill("a", 6), Amended(ORDER, 1, 0))
    assert (order.state, order.lots, order.filled) == (OrderState.FILLED, 6, 6)


def test_a_cancel_counts_more_than_an_amend_under_way() -> None:
    order = after(ACCEPTED, amend(1, 20), CANCEL)
    assert order.state is OrderState.PENDING_CANCEL
    assert say(order, CancelRejected(ORDER, 0)).state is OrderState.PENDING_AMEND
    with pytest.raises(OrderError, match="pending cancel"):
        order.ask(amend(2, 30))


def test_without_an_answer_an_order_is_neither_rejected_nor_accepted() -> None:
    order = after(Unanswered(ORDER, 0))
    assert (order.state, order.left) == (OrderState.UNKNOWN, LOTS)
    assert say(order, ACCEPTED).state is OrderState.ACCEPTED
    assert say(order, fill("a", 4)).state is OrderState.PARTLY_FILLED
    assert say(order, Rejected(ORDER, 0)).state is OrderState.REJECTED
    assert say(order, CANCEL).state is OrderState.PENDING_CANCEL
    with pytest.raises(OrderError, match="is unknown"):
        order.ask(amend(1, 20))


def test_an_answer_that_came_just_in_time_is_not_forgotten() -> None:
    assert after(ACCEPTED, Unanswered(ORDER, 0)).state is OrderState.ACCEPTED
    assert after(ACCEPTED, CANCEL, Unanswered(ORDER, 0), ACCEPTED).state is OrderState.PENDING_CANCEL


@pytest.mark.parametrize(
    ("before", "message", "says"),
    [
        ([Denied(ORDER, 0)], fill("a", 1), "is denied, 0 of 10 lots filled. A fill of 1 lots at 10 is not possible"),
        ([Denied(ORDER, 0)], ACCEPTED, "Accepted is not possible now"),
        ([fill("a", LOTS)], Rejected(ORDER, 0), "Rejected is not possible now"),
        ([fill("a", LOTS)], CANCEL, "is filled"),
        ([CANCELLED], amend(1, 5), "is cancelled"),
        ([], amend(1, 5), "is pending new"),
        ([ACCEPTED], Denied(ORDER, 0), "Denied is not possible now"),
        ([ACCEPTED], Amended(ORDER, 1, 0), "0 amends have been sent"),
        ([ACCEPTED, amend(1, 5)], AmendRejected(ORDER, 2, 0), "1 amends have been sent"),
        ([ACCEPTED], CancelRejected(ORDER, 0), "no cancel has been sent"),
        ([ACCEPTED], amend(2, 5), "the next change is 1"),
        ([ACCEPTED, fill("a", 4)], amend(1, 4), "4 lots have filled, and 4 are to be in all"),
        ([], submit(), "Submit is not possible now"),
        ([], Accepted(OrderId("w1", 7, 43), 0), "names order w1-7-17, and this is w1-7-16"),
    ],
)
def test_what_can_not_be_is_refused(
    before: list[OrderCommand | OrderEvent], message: OrderCommand | OrderEvent, says: str
) -> None:
    with pytest.raises(OrderError) as raised:
        say(after(*before), message)
    assert says in str(raised.value)


def test_the_table_has_a_row_for_each_state() -> None:
    assert set(TABLE) == set(OrderState)


@given(many)
def test_no_more_fills_than_was_ordered(messages: list[OrderCommand | OrderEvent]) -> None:
    for order in heard(messages):
        assert 0 <= order.filled <= order.lots
        assert order.filled == sum(each.lots for each in order.fills)
        assert (order.state is OrderState.FILLED) <= (order.filled == order.lots)


@given(many)
def test_an_order_that_is_over_stays_over(messages: list[OrderCommand | OrderEvent]) -> None:
    orders = heard(messages)
    for before, now in itertools.pairwise(orders):
        if before.state.is_over:
            assert now.state is before.state
            assert now.filled >= before.filled


@given(many)
def test_a_repeated_report_changes_nothing(messages: list[OrderCommand | OrderEvent]) -> None:
    order = after()
    for message in messages:
        try:
            order = say(order, message)
        except OrderError:
            continue
        if not isinstance(message, (Submit, Amend, Cancel)):
            assert say(order, message) == order


@given(many, st.data())
def test_reports_that_come_again_later_change_no_fill(
    messages: list[OrderCommand | OrderEvent], data: st.DataObject
) -> None:
    order = heard(messages)[-1]
    if order.fills:
        again = data.draw(st.sampled_from(order.fills))
        assert order.apply(again) == order


@given(many)
def test_an_order_comes_back_from_json(messages: list[OrderCommand | OrderEvent]) -> None:
    order = heard(messages)[-1]
    assert order_from_fields(json.loads(json.dumps(order_fields(order)))) == order


@given(st.permutations([ACCEPTED, fill("a", 3), fill("b", 5)]))
def test_the_order_of_reports_does_not_matter(messages: list[OrderEvent]) -> None:
    order = after(*messages)
    assert (order.state, order.filled, order.venue_id) == (OrderState.PARTLY_FILLED, 8, "V1")


def test_a_stored_order_that_was_damaged_is_refused() -> None:
    with pytest.raises(OrderError, match="'state' can't be read"):
        order_from_fields({**order_fields(after()), "state": "lost"})
