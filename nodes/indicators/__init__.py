"""Numbers for every bar: all of TA-Lib."""

from engine.api import ComponentFamily
from nodes.indicators.talib_family import FAMILY

COMPONENTS: tuple[ComponentFamily, ...] = (FAMILY,)
