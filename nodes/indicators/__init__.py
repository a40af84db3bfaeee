"""Numbers for every bar: all of TA-Lib, and series from files."""

from quantcrafter.engine.api import Component, ComponentFamily
from quantcrafter.nodes.indicators.file_series import SeriesFile
from quantcrafter.nodes.indicators.talib_family import FAMILY

COMPONENTS: tuple[type[Component] | ComponentFamily, ...] = (FAMILY, SeriesFile)
