import pytest
from pydantic import ValidationError

from quantcrafter.engine.api import Component, Role, SizeKind, SizeRule
from quantcrafter.nodes.money import COMPONENTS
from quantcrafter.nodes.money.adaptive import VolatilityTarget
from quantcrafter.nodes.money.sizing import FixedCash, FixedQuantity, PercentOfEquity, RiskPercent


def test_money_managers_describe_themselves_as_size_rules() -> None:
    assert FixedQuantity(quantity=3).rule() == SizeRule(SizeKind.QUANTITY, 3)
    assert FixedCash(cash=1000).rule() == SizeRule(SizeKind.CASH, 1000)
    assert PercentOfEquity(percent=50).rule() == SizeRule(SizeKind.EQUITY_PERCENT, 50)
    assert RiskPercent(percent=1).rule() == SizeRule(SizeKind.RISK_PERCENT, 1)


@pytest.mark.parametrize(
    ("component", "fields"),
    [
        (FixedQuantity, {"quantity": 0}),
        (FixedCash, {"cash": -1}),
        (PercentOfEquity, {"percent": 101}),
        (RiskPercent, {"percent": 0}),
        (RiskPercent, {"percent": float("nan")}),
        (FixedQuantity, {}),
    ],
)
def test_sizes_out_of_range_are_refused(component: type, fields: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        component(**fields)


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_money_manager_has_a_name_and_help(component: type[Component]) -> None:
    assert component.role is Role.MONEY
    assert component.name.islower()
    assert [port.name for port in component.inputs()] == (["volatility"] if component is VolatilityTarget else [])
    assert component.help()
