"""What lets entries pass or blocks them."""

from engine.api import Filter
from nodes.filters.clock import TimeWindow, Weekdays
from nodes.filters.conditions import Condition, Trend, VolatilityBand
from nodes.filters.events import EventCalendar

COMPONENTS: tuple[type[Filter], ...] = (TimeWindow, Weekdays, VolatilityBand, Trend, Condition, EventCalendar)
