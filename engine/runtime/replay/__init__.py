"""Replay: runs a strategy bar by bar, with play, pause, jumps back, breakpoints and forks."""

from quantcrafter.engine.runtime.replay.breakpoints import Breakpoint, parse_breakpoint
from quantcrafter.engine.runtime.replay.moment import Moment
from quantcrafter.engine.runtime.replay.replay import Fork, Replay, Stop

__all__ = ["Breakpoint", "Fork", "Moment", "Replay", "Stop", "parse_breakpoint"]
