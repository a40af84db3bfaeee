"""Parts that places of the engine's messages hold, and what it says without a full stop: no source shows them whole."""

from engine.api.capability import Capability

DATA = (
    "{0} from {1}",
    "{0}: data provider '{1}'",
    "Data provider '{0}' failed: {1}: {2}",
    *("'{0}' is needed", "'{0}' must {1}", "it must {0}", "there is no option '{0}'"),
    "'{0}': {1}",
    "{0}: bars must be possible, in order and each once, but:",
    *("{0} bars {1}: {2}.", "1 bar {0}: {1}."),
    *("with a price that is no number", "with a price of zero or less", "with open or close outside high and low"),
    *("with a volume that is no number", "with a volume below zero", "with the high below the low"),
    *("that are earlier than the one before", "earlier than the one before", "with the time of another"),
    "closer to the one before than {0}, the length of most",
    "outside the session ({0}), left out of longer bars",
    *("after a gap, {0} bars of {1} missing in all", "after a gap, {0} bar of {1} missing in all"),
    *("row {0} ({1}: {2})", "row {0} ({1}: {2}); then {3}", "row {0} ({1}: {2}); then {3} and {4} more"),
    *("row {0} ({1})", "row {0} ({1}); then {2}", "row {0} ({1}); then {2} and {3} more"),
    *("row {0} has {1}", "row {0}", "also row {0}", "after {0}", "{0} missing"),
    *("open {0}, high {1}, low {2}, close {3}", "volume {0}"),
    *("Dropped.", "Swapped.", "Sorted."),
    *("no time", " as '{0}'", " like those before, between 1900 and 2200"),
    *("some rows have the day first and others the month", "no day is above 12"),
    *("split", "dividend", "real", "generated", "{0} and {1} more"),
)

RUNS = (
    *("node '{0}' needs", "the strategy needs", *(capability.value for capability in Capability)),
    *("not installed: {0}", "The engine '{0}' is not installed: {1}."),
    "{0} is not installed: {1}; {2} is not installed: {3}.",
    *("{0} is not installed: {1}.", "Without {0}, which is not installed: {1}"),
    *("looks ahead", "depends on a node that looks ahead"),
    *("The run is not kept: {0}", "The certificate", "The report", "The drawing"),
    *("{0} bars, 1 trade in {1} s", "{0} bars, {1} trades in {2} s"),
    "BUY {0} {1} at {2} ({3}, {4}, order {5}, commission {6})",
    "SELL {0} {1} at {2} ({3}, {4}, order {5}, commission {6})",
    "Order {0} rejected: {1} (buy {2} {3}, {4})",
    "Order {0} rejected: {1} (sell {2} {3}, {4})",
    "Signal on {0} not taken: {1}",
    *("tick size", "lot size", "bar {0} of {1} ({2})"),
    "Node '{0}' ({1}) failed in on_bar: {2}, at {3}.",
    *("Node '{0}' ({1})", "Plugin '{0}'", "{0} of plugin '{1}'"),
    "A component must return or raise an error, and not end the program.",
    *("computing", "deciding", "loading", "{0} prints: {1}", "{0} warns: {1}"),
    "Node '{0}' ({1}) returned {2}, where a quantity is wanted, at {3}.",
    "Node '{0}' ({1}) returned {2}, where a quantity of 0 or more is wanted, at {3}.",
    "Node '{0}' ({1}) returned {2}, where Protection or None is wanted, at {3}.",
    "Node '{0}' ({1}) returned {2} as {3}, where a price above 0 is wanted, at {4}.",
    "Node '{0}' ({1}) returned {2}, where orders are wanted, at {3}.",
    "Node '{0}' ({1}) returned {2} orders, of which {3} may be made at a bar, at {4}.",
    "Node '{0}' ({1}) returned {2}, where PlaceOrder or CancelOrder is wanted, at {3}.",
    "Node '{0}' ({1}) cancels order {2}, which is none of its orders at work, at {3}.",
)

NO_TRADES = (
    *("blocked by a filter", "blocked by filter '{0}'", "blocked by filters {0}"),
    *("'{0}' and '{1}'", "'{0}', '{1}' and '{2}'", "'{0}', '{1}', '{2}' and {3} more"),
    *("{0} of them {1}", "for other reasons"),
    *("given during the warm-up", "ignored for the opposite position"),
    *("contradicted by another signal at the same bar", "sized to less than one lot"),
    *("without a distance for the stop or target", "without equity left", "without a valid order price"),
    *("blocked while a risk rule halted trading", "blocked while '{0}' halted trading", "blocked after a margin call"),
    *("too close to the end of the session", "blocked by '{0}' at the end of the session"),
    *("given in the pause after a loss", "blocked by '{0}' in the pause after a loss"),
    *("sized below the least allowed", "without a volatility to size by"),
    *("rejected for want of cash", "rejected by the engine", "expired before the price was reached"),
    "cancelled before it filled",
    *("still waiting at the end of the data", "replaced by a newer order", "cancelled by an exit signal"),
    *("cancelled by the opposite signal", "cancelled by the execution", "cut to nothing by a cap"),
    *("cancelled by a risk rule that halted trading", "cut below the least allowed size"),
)

PLUGINS = (
    *("no arguments", "{0} is not a hook.", "{0} lacks the mark @hookimpl."),
    "{0} returned {1}, whose role is {2} where only {3} may stand.",
    *("it raised {0}: {1}", "{0} raised {1}: {2}"),
)
