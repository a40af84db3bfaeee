"""Commands and events about orders: their ids, what is refused, and the form in which they are stored."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantcrafter.engine.api.order_id import LONGEST_ORDER_ID, MOST_EPOCH, MOST_NUMBER, OrderError, OrderId, lots_in
from quantcrafter.engine.api.orders import (
    COMMANDS,
    EVENTS,
    Amend,
    Cancel,
    Filled,
    Submit,
    from_fields,
    to_fields,
)
from tests.support.order_messages import ORDER, any_message, order_ids, submit


@given(order_ids)
def test_an_order_id_comes_back_from_its_text(order: OrderId) -> None:
    assert OrderId.parse(str(order)) == order


@given(order_ids)
def test_brokers_accept_the_text_of_an_order_id(order: OrderId) -> None:
    assert re.fullmatch(r"[A-Za-z0-9-]+", str(order))
    assert len(str(order)) <= LONGEST_ORDER_ID


def test_the_longest_order_id_fits() -> None:
    assert len(str(OrderId("w" * 12, MOST_EPOCH, MOST_NUMBER))) == LONGEST_ORDER_ID


@given(st.from_regex(r"[A-Za-z0-9-]{0,20}", fullmatch=True))
def test_a_text_that_is_read_as_an_order_id_is_the_text_of_that_id(text: str) -> None:
    try:
        order = OrderId.parse(text)
    except OrderError:
        return
    assert str(order) == text


@pytest.mark.parametrize("text", ["", "w", "w-1", "w-1-1-1", "w-01-1", "w-1-A", "w-1-", "-1-1", "w-1-1 ", "é-1-1", "1"])
def test_an_order_of_somebody_else_has_no_id_of_ours(text: str) -> None:
    with pytest.raises(OrderError, match="not one of ours"):
        OrderId.parse(text)


@pytest.mark.parametrize(
    "parts", [("", 0, 0), ("a-b", 0, 0), ("w" * 13, 0, 0), ("w", -1, 0), ("w", 0, MOST_NUMBER + 1), ("w\n", 0, 0)]
)
def test_an_id_without_a_text_form_is_refused(parts: tuple[str, int, int]) -> None:
    with pytest.raises(OrderError, match="order id"):
        OrderId(*parts)


@given(any_message)
def test_commands_and_events_come_back_from_json(message: Any) -> None:
    assert from_fields(json.loads(json.dumps(to_fields(message)))) == message


def test_every_command_and_event_is_stored_under_its_own_name() -> None:
    names = [kind.__name__ for kind in (*COMMANDS, *EVENTS)]
    assert sorted(names) == sorted(set(names))
    assert to_fields(submit())["message"] == "Submit"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"lots": None}, "'lots' can't be read"),
        ({"lots": "10"}, "'lots' can't be read"),
        ({"lots": 1.5}, "'lots' can't be read"),
        ({"lots": 0}, "'lots' is a whole number above 0, was 0"),
        ({"quantity": math.nan}, "quantity"),
        ({"side": "up"}, "'side' can't be read"),
        ({"note": "x"}, "'note' can't be read"),
        ({"order": "somebody"}, "not one of ours"),
        ({"price": 5.0}, "'price' is not given"),
        ({"kind": "limit"}, "'price' is given unless"),
        ({"kind": "limit", "price": 5.0, "limit": 4.0}, "stop_limit alone"),
        ({"kind": "stop_limit", "price": 5.0}, "'limit' is given"),
        ({"message": "Order"}, "The message is one of Submit"),
        ({"message": ["Submit"]}, "The message is one of Submit"),
    ],
)
def test_a_stored_command_that_was_damaged_is_refused(change: dict[str, Any], says: str) -> None:
    with pytest.raises(OrderError, match=re.escape(says)):
        from_fields({**to_fields(submit()), **change})


def test_a_stored_command_without_a_field_is_refused() -> None:
    fields = to_fields(submit())
    del fields["lots"]
    with pytest.raises(OrderError, match="'lots' can't be read: Field required"):
        from_fields(fields)


def test_an_execution_needs_the_id_by_which_a_repeated_report_is_known() -> None:
    with pytest.raises(OrderError, match="'execution' is the venue's id"):
        Filled(ORDER, "", 1, 10.0, 0)


@pytest.mark.parametrize("price", [math.nan, math.inf])
def test_an_execution_has_a_price(price: float) -> None:
    with pytest.raises(OrderError, match="'price' is a finite number"):
        Filled(ORDER, "a", 1, price, 0)


def test_an_amend_states_its_number_from_one_on() -> None:
    with pytest.raises(OrderError, match="'change' is a whole number above 0"):
        Amend(ORDER, 0, 1, 1.0, 0)


@pytest.mark.parametrize(
    ("quantity", "lot_size", "lots"), [(3.0, 1.0, 3), (0.3, 0.1, 3), (0.00000012, 1e-8, 12), (25_000.0, 1_000.0, 25)]
)
def test_a_reported_quantity_is_a_whole_number_of_lots(quantity: float, lot_size: float, lots: int) -> None:
    assert lots_in(quantity, lot_size) == lots


@pytest.mark.parametrize(("quantity", "lot_size"), [(0.5, 1.0), (0.15, 0.1), (math.nan, 1.0), (math.inf, 1.0)])
def test_a_reported_part_of_a_lot_is_refused(quantity: float, lot_size: float) -> None:
    with pytest.raises(OrderError, match="whole number of lots"):
        lots_in(quantity, lot_size)


def test_messages_can_not_be_changed() -> None:
    with pytest.raises(AttributeError):
        Cancel(ORDER, 0).ts_ns = 1  # type: ignore[misc]


def test_a_market_order_is_a_submit_without_prices() -> None:
    order = submit()
    assert isinstance(order, Submit)
    assert (order.price, order.limit) == (None, None)


def test_no_field_is_named_as_the_key_that_holds_the_name() -> None:
    for kind in (*COMMANDS, *EVENTS):
        assert "message" not in kind.__dataclass_fields__
