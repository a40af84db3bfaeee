"""Numbers for every bar: all of TA-Lib, relations of two prices, and series from files."""

from quantcrafter.engine.api import Component, ComponentFamily
from quantcrafter.nodes.indicators.file_series import SeriesFile
from quantcrafter.nodes.indicators.pairs import HedgeRatio, MeanReversion
from quantcrafter.nodes.indicators.talib_family import FAMILY

COMPONENTS: tuple[type[Component] | ComponentFamily, ...] = (FAMILY, SeriesFile, HedgeRatio, MeanReversion)
