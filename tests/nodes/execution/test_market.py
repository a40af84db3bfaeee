import pytest
from pydantic import ValidationError

from quantcrafter.engine.api import EntryRule, ExecutionRule, OnOpposite, OrderKind, PortType, Role
from quantcrafter.nodes.execution import COMPONENTS
from quantcrafter.nodes.execution.market import MarketOrder

AT_MARKET = [choice for choice in OnOpposite if choice is not OnOpposite.REVERSE_AT_PRICE]
"""What market orders can do with a signal against the position: they have no price at which they could reverse."""


@pytest.mark.parametrize("choice", AT_MARKET)
def test_market_execution_describes_itself_as_a_rule(choice: OnOpposite) -> None:
    node = MarketOrder(signals=["cross"], money="size", combine="all", on_opposite=choice.name.lower())
    assert node.rule() == ExecutionRule(choice, "all")


def test_an_opposite_signal_closes_unless_the_file_says_otherwise() -> None:
    assert MarketOrder(signals=["cross"], money="size").rule() == ExecutionRule(OnOpposite.CLOSE, "any")


def test_orders_fill_at_the_close_where_the_file_says_so() -> None:
    rule = MarketOrder(signals=["cross"], money="size", at="close").rule()
    assert rule == ExecutionRule(entry=EntryRule(OrderKind.AT_CLOSE))


def test_the_ports_of_market_execution_take_the_roles_of_the_strategy_file() -> None:
    ports = {port.name: (port.type, port.many, port.required) for port in MarketOrder.inputs()}
    assert ports == {
        "signals": (PortType.SIGNAL, True, True),
        "filters": (PortType.FILTER, True, False),
        "risk": (PortType.RISK, True, False),
        "money": (PortType.MONEY, False, True),
        "rank": (PortType.SERIES, False, False),
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"signals": [], "money": "size"},
        {"signals": ["cross"]},
        {"signals": ["cross"], "money": "size", "on_opposite": "flip"},
        {"signals": ["cross"], "money": "size", "on_opposite": "reverse_at_price"},
        {"signals": ["cross"], "money": "size", "at": "noon"},
        {"signals": ["cross"], "money": "size", "combine": "most"},
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        MarketOrder(**fields)


def test_the_execution_nodes_have_names_and_help() -> None:
    names = ["market", "limit", "stop_entry", "stop_limit", "scale_in", "grid", "rebalance", "pair"]
    assert [component.name for component in COMPONENTS] == names
    assert all(component.role is Role.EXECUTION and component.help() for component in COMPONENTS)
    assert "on_opposite" in MarketOrder.help()
