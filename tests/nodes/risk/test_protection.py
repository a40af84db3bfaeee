import pytest
from pydantic import ValidationError

from quantcrafter.engine.api import Component, PortType, ProtectiveKind, ProtectiveRule, Role
from quantcrafter.nodes.risk import COMPONENTS
from quantcrafter.nodes.risk.protective import AtrStop, AtrTarget, PercentStop, PercentTarget


def test_risk_managers_describe_themselves_as_protective_rules() -> None:
    assert PercentStop(percent=3).rule() == ProtectiveRule(ProtectiveKind.STOP_LOSS, percent=3)
    assert PercentTarget(percent=6).rule() == ProtectiveRule(ProtectiveKind.TAKE_PROFIT, percent=6)
    assert AtrStop(atr="atr", multiple=2).rule() == ProtectiveRule(ProtectiveKind.STOP_LOSS, multiple=2, column="atr")
    assert AtrTarget(atr="atr", multiple=4).rule() == ProtectiveRule(
        ProtectiveKind.TAKE_PROFIT, multiple=4, column="atr"
    )


@pytest.mark.parametrize("component", [AtrStop, AtrTarget])
def test_the_column_of_a_rule_is_one_of_its_ports(component: type[AtrStop | AtrTarget]) -> None:
    (port,) = component.inputs()
    assert port.type is PortType.SERIES
    assert port.required
    assert component(atr="atr").rule().column == port.name


@pytest.mark.parametrize(
    ("component", "fields"),
    [
        (PercentStop, {"percent": 0}),
        (PercentStop, {"percent": 100}),
        (PercentTarget, {"percent": -1}),
        (AtrStop, {"atr": "atr", "multiple": 0}),
        (AtrTarget, {"multiple": 2}),
    ],
)
def test_distances_out_of_range_are_refused(component: type, fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        component(**fields)


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_risk_manager_has_a_name_and_help(component: type[Component]) -> None:
    assert component.role is Role.RISK
    assert component.name.islower()
    assert component.help()
