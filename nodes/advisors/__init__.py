"""Entry and exit signals."""

from engine.api import Advisor
from nodes.advisors.lines import BandReversal, Breakout, Crossover, Levels
from nodes.advisors.rules import Candlestick, Rule, Vote

COMPONENTS: tuple[type[Advisor], ...] = (Crossover, Levels, Breakout, BandReversal, Rule, Candlestick, Vote)
