"""Opens the dialogs, and carries out what they return."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from app.actions.registry import default_keys
from app.dialogs.about import show_about
from app.dialogs.plugins import show_plugins
from app.dialogs.preferences import Preferences
from app.dialogs.settings import edit_preferences
from app.dialogs.shortcut_list import Command
from app.dialogs.shortcuts import edit_shortcuts
from app.services.i18n import tr
from app.window.looks import preview_theme

if TYPE_CHECKING:
    from app.dialogs.tour import Tour
    from app.window.main_window import MainWindow
    from engine.runtime.comparison import Comparison


class Dialogs:
    """The dialogs of a window, by name."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._tour: Tour | None = None

    def open(self, name: str) -> None:
        """Open `gallery`, `settings`, `shortcuts`, `plugins`, `tour` or `about`."""
        calls: dict[str, Callable[[], None]] = {
            "gallery": self.gallery,
            "settings": self.settings,
            "shortcuts": self.shortcuts,
            "plugins": self.plugins,
            "tour": self.tour,
            "about": self.about,
        }
        calls[name]()

    def about(self) -> None:
        """Show what QuantCrafter is."""
        show_about(self._window)

    def gallery(self) -> None:
        """Open a copy of a template that the user picks."""
        from app.dialogs.gallery import choose_template

        template = choose_template(self._window, self._window.catalog)
        if template is not None:
            self._window.desk.new(template.text, template.name)

    def comparison(self, comparison: Comparison) -> None:
        """Show two runs side by side; a click on a trade leads to it."""
        from app.dialogs.comparison import ComparisonDialog

        dialog = ComparisonDialog(comparison, self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.trade_chosen.connect(self._go_to_trade)
        dialog.show()

    def _go_to_trade(self, trade: Mapping[str, Any]) -> None:
        """Point at the entry of a trade, and at the trade itself where the run in front has it."""
        session = self._window.tab.session if self._window.tab is not None else None
        if session is None or session.run is None:
            return
        symbols = [job.symbol for job in session.run.instruments]
        if trade["instrument"] in symbols:
            rows = session.run.trades
            same = (rows["instrument"] == trade["instrument"]) & (rows["entry_ts_ns"] == trade["entry_ts_ns"])
            found = same.nonzero()[0]
            number = symbols.index(trade["instrument"])
            session.go_to(trade["entry_bar"], instrument=number, trade=int(found[0]) if len(found) else None)

    def settings(self) -> None:
        """Let the user change preferences, the theme at once."""
        window = self._window
        before = Preferences.of(window.settings)
        chosen = edit_preferences(window, before, preview_theme)
        if chosen is None:
            return
        chosen.store(window.settings)
        window.looks.set_theme(chosen.theme)
        window.looks.set_yaml_place(chosen.yaml_place)
        if window.has_panes() and window.docks.frames["chart"].has_pane:
            window.docks.chart.recolor()
        for tab in window.tabs.all():
            tab.show_minimap(shown=chosen.minimap)
        if chosen.language != before.language:
            window.say(tr("The language changes at the next start."))

    def shortcuts(self) -> None:
        """Let the user change the keys."""
        window = self._window
        registry = window.action_set.registry
        commands = [
            Command(
                spec.id,
                spec.title.removesuffix("..."),
                next(iter(default_keys(spec)), ""),
                registry.shortcut(spec.id),
            )
            for spec in registry.specs.values()
        ]
        chosen = edit_shortcuts(window, commands)
        if chosen is not None:
            window.settings.shortcuts = chosen
            window.action_set.apply_shortcuts()

    def sweep(self, first: tuple[str, str] | None = None) -> None:
        """Ask for parameters to vary, and run the strategy in front over them; `first` is a node and its field."""
        from app.dialogs.sweep import SweepDialog
        from app.window.typed import is_typed_well

        window, tab = self._window, self._window.tab
        if tab is None:
            return
        if not is_typed_well(window, tab):
            return
        if first is None and len(tab.selection) == 1:
            first = (tab.selection[0], "")
        dialog = SweepDialog(window, tab.document, window.engine, scope=tab.scope, first=first, say=window.say)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show()

    def plugins(self) -> None:
        """Show the plugins."""
        if show_plugins(self._window):
            self._window.say(tr("Restart QuantCrafter to use the plugins as chosen."))

    def tour(self) -> None:
        """Lead through the window, on an empty strategy if none is open; not asked for again once it was seen."""
        from app.dialogs.tour import Tour

        if self._tour is not None:
            return
        window = self._window
        if window.tab is None:
            window.desk.new()
        window.settings.tour_done = True
        self._tour = Tour(window, self._part)
        self._tour.showing.connect(self._uncover)
        self._tour.finished.connect(self._end_tour)
        self._tour.start()

    def _end_tour(self) -> None:
        if self._tour is not None:
            self._tour.deleteLater()
            self._tour = None

    def _part(self, name: str) -> QWidget | None:
        """Return the widget that the tour calls by this name."""
        window = self._window
        if window.tab is None:
            return None
        if name in window.docks.docks:
            return window.docks.docks[name]
        if name == "save":
            return window.action_set.toolbar.widgetForAction(window.action_set.actions["file.save"])
        return {"canvas": window.tab.canvas, "yaml": window.tab.yaml}.get(name)

    def _uncover(self, name: str) -> None:
        """Show the pane that the tour speaks of, if it is hidden."""
        if self._window.tab is not None and name in self._window.docks.docks:
            self._window.docks.show(name)
