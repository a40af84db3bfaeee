"""Numbers for every bar: all of TA-Lib."""

from quantcrafter.engine.api import ComponentFamily
from quantcrafter.nodes.indicators.talib_family import FAMILY

COMPONENTS: tuple[ComponentFamily, ...] = (FAMILY,)
