"""Research: runs the current strategy many times over, and sets runs side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from quantcrafter.app.services.engine import Engine
    from quantcrafter.app.window.files.pending_input import TypedText
    from quantcrafter.app.window.messages import Messages
    from quantcrafter.app.window.tabs.tabs import Tabs
    from quantcrafter.engine.runtime.run_store.comparison import RunComparison


class Research:
    """The dialogs about several runs.

    Args:
        window: the parent of dialogs.
        tabs: the open strategies.
        engine: carries runs out.
        typed: input that is not applied yet.
        messages: shows messages to the user.
    """

    def __init__(self, window: QWidget, tabs: Tabs, engine: Engine, typed: TypedText, messages: Messages) -> None:
        self._window = window
        self._tabs = tabs
        self._engine = engine
        self._typed = typed
        self._messages = messages

    def sweep(self, first: tuple[str, str] | None = None) -> None:
        """Ask for parameters to vary, and run the current strategy over them; `first` is a node and its field."""
        from quantcrafter.app.dialogs.sweep import SweepDialog

        tab = self._tabs.current()
        if tab is None or not self._typed.is_well(tab):
            return
        if first is None and len(tab.selection) == 1:
            first = (tab.selection[0], "")
        dialog = SweepDialog(
            self._window, tab.document, self._engine, scope=tab.scope, first=first, say=self._messages.say
        )
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show()

    def compare(self, comparison: RunComparison) -> None:
        """Show two runs side by side; a click on a trade leads to it."""
        from quantcrafter.app.dialogs.comparison import ComparisonDialog

        dialog = ComparisonDialog(comparison, self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.trade_chosen.connect(self._go_to_trade)
        dialog.show()

    def _go_to_trade(self, trade: Mapping[str, Any]) -> None:
        """Point at the entry of a trade, and at the trade itself where the run in front has it."""
        tab = self._tabs.current()
        session = tab.session if tab is not None else None
        if session is None:
            return
        with session.reading() as run:
            if run is None or trade["instrument"] not in run.symbols:
                return
            rows = run.trades
            same = (rows["instrument"] == trade["instrument"]) & (rows["entry_ts_ns"] == trade["entry_ts_ns"])
            found = same.nonzero()[0]
            number = run.symbols.index(trade["instrument"])
            session.go_to(trade["entry_bar"], instrument=number, trade=int(found[0]) if len(found) else None)
