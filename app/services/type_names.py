"""What node families and port types are called in the interface, in the language in use. No Qt."""

from __future__ import annotations

from quantcrafter.app.services.i18n import tr
from quantcrafter.engine.api import PortType, Role


def family_name(role: Role | None) -> str:
    """Return the name of a family as a heading says it; None is the instrument's bars and a block's inputs."""
    names = {
        None: tr("Inputs"),
        Role.DATA: tr("Data"),
        Role.INDICATOR: tr("Indicators"),
        Role.LOGIC: tr("Logic"),
        Role.ADVISOR: tr("Advisors"),
        Role.FILTER: tr("Filters"),
        Role.RISK: tr("Risk"),
        Role.MONEY: tr("Position sizing"),
        Role.EXECUTION: tr("Execution"),
    }
    return names[role]


def family_member(role: Role | None) -> str:
    """Return what one node of a family is called."""
    names = {
        None: tr("Input"),
        Role.DATA: tr("Data feed"),
        Role.INDICATOR: tr("Indicator"),
        Role.LOGIC: tr("Logic node"),
        Role.ADVISOR: tr("Advisor"),
        Role.FILTER: tr("Filter"),
        Role.RISK: tr("Risk rule"),
        Role.MONEY: tr("Sizing rule"),
        Role.EXECUTION: tr("Execution rule"),
    }
    return names[role]


def port_type_name(kind: PortType | None) -> str:
    """Return the name of a port type; None is the port of a placeholder, whose type is not known."""
    names = {
        None: tr("Any"),
        PortType.BARS: tr("Bars"),
        PortType.SERIES: tr("Series"),
        PortType.CONDITION: tr("Condition"),
        PortType.SIGNAL: tr("Signal"),
        PortType.FILTER: tr("Filter"),
        PortType.RISK: tr("Risk"),
        PortType.MONEY: tr("Position size"),
    }
    return names[kind]
