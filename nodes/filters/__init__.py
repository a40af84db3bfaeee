"""What lets entries pass or blocks them."""

from quantcrafter.engine.api import Filter
from quantcrafter.nodes.filters.conditions import Condition, Trend, VolatilityBand
from quantcrafter.nodes.filters.event_calendar import EventCalendar
from quantcrafter.nodes.filters.time_window import TimeWindow, Weekdays

COMPONENTS: tuple[type[Filter], ...] = (TimeWindow, Weekdays, VolatilityBand, Trend, Condition, EventCalendar)
