"""A run stepped bar by bar: played, paused, taken back, stopped at conditions, and forked."""

from quantcrafter.engine.runtime.replay.breakpoints import Breakpoint, parse_breakpoint
from quantcrafter.engine.runtime.replay.moment import Moment
from quantcrafter.engine.runtime.replay.replay import Fork, Replay, Stop

__all__ = ["Breakpoint", "Fork", "Moment", "Replay", "Stop", "parse_breakpoint"]
