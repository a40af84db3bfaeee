"""What lets entries pass or blocks them."""

from quantcrafter.engine.api import Filter
from quantcrafter.nodes.filters.clock import TimeWindow, Weekdays
from quantcrafter.nodes.filters.conditions import Condition, Trend, VolatilityBand
from quantcrafter.nodes.filters.events import EventCalendar

COMPONENTS: tuple[type[Filter], ...] = (TimeWindow, Weekdays, VolatilityBand, Trend, Condition, EventCalendar)
