"""Entry and exit signals."""

from quantcrafter.engine.api import Advisor
from quantcrafter.nodes.advisors.files import SignalFile
from quantcrafter.nodes.advisors.lines import BandReversal, Breakout, Crossover, Levels
from quantcrafter.nodes.advisors.rules import Candlestick, Rule, Vote

COMPONENTS: tuple[type[Advisor], ...] = (Crossover, Levels, Breakout, BandReversal, Rule, Candlestick, Vote, SignalFile)
