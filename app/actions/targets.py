"""Targets of actions: a small protocol for each area of the program, and functions that find the current one.

The window implements them and passes them as `Targets`; the actions don't depend on the window.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from quantcrafter.app.canvas.canvas import Canvas
    from quantcrafter.app.charts.chart_commands import ChartCommands
    from quantcrafter.app.document.document import Document


class FileCommands(Protocol):
    """Opens, saves, exports and closes strategies."""

    def new(self) -> object:
        """Open an empty strategy."""

    def ask_open(self) -> None:
        """Let the user pick files, and open them."""

    def save_current(self, *, ask: bool = False) -> bool:
        """Save the current strategy, under another name if `ask` is set; return whether it was saved."""
        ...

    def save_all(self) -> bool:
        """Save every strategy; return whether all were saved."""
        ...

    def reload_current(self) -> None:
        """Take the text of the file on disk."""

    def close_current(self) -> None:
        """Close the current strategy."""

    def export_yaml(self, *, layout: bool) -> None:
        """Write the text to a file, with or without its layout."""

    def export_picture(self, kind: str) -> None:
        """Draw the graph into a file, as `png` or `svg`."""


class DialogCommands(Protocol):
    """Opens dialogs."""

    def about(self) -> None:
        """Show information about QuantCrafter."""

    def gallery(self) -> None:
        """Open a copy of a template that the user picks."""

    def settings(self) -> None:
        """Let the user change preferences."""

    def shortcuts(self) -> None:
        """Let the user change the keys."""

    def plugins(self) -> None:
        """Show the plugins."""


class NodeFileCommands(Protocol):
    """Makes node files."""

    def new(self) -> None:
        """Ask for a name, write a node file, and open it in an editor."""


class TourCommands(Protocol):
    """Leads through the window."""

    def start(self) -> None:
        """Begin, unless it is being shown."""


class ResearchCommands(Protocol):
    """Runs a strategy many times over."""

    def sweep(self) -> None:
        """Ask for parameters to vary."""


class LookCommands(Protocol):
    """Changes the appearance of the window."""

    def set_yaml_place(self, place: str) -> None:
        """Show the text `below` or `beside` the canvas, or not (`hidden`)."""

    def find_text(self) -> None:
        """Search in the text."""

    def search_components(self) -> None:
        """Go to the search box of the components."""

    def toggle_minimap(self) -> None:
        """Show or hide the minimap."""

    def set_theme(self, name: str) -> None:
        """Use the `light`, the `dark` or the `system`'s theme."""

    def set_language(self, language: str) -> None:
        """Use another language from the next start on."""

    def toggle_full_screen(self) -> None:
        """Use the whole screen, or go back."""

    def reset_layout(self) -> None:
        """Put every pane back in its original place."""


class PaneCommands(Protocol):
    """Takes the keyboard from pane to pane."""

    def toggle(self, name: str) -> None:
        """Show a pane and move the focus to it, or hide it if it has the focus."""

    def step(self, by: int) -> None:
        """Go to the next (1) or the previous (-1) pane."""


class TabCommands(Protocol):
    """Goes from strategy to strategy."""

    def step(self, by: int) -> None:
        """Go to the next (1) or the previous (-1) strategy."""


class NavigationCommands(Protocol):
    """Shows the location of the selection or of a problem."""

    def next_problem(self) -> None:
        """Go from problem to problem."""

    def show_node_help(self) -> None:
        """Show the help on the selected node."""

    def toggle_on_chart(self) -> None:
        """Show the selected nodes on the chart, or hide them there."""


class RunCommands(Protocol):
    """Runs strategies."""

    def run(self) -> None:
        """Run the current strategy."""

    def stop(self) -> None:
        """Cancel the runs of the current strategy."""

    def toggle_auto(self) -> None:
        """Run after each change from now on, or no longer."""


class ReportCommands(Protocol):
    """Makes reports of runs."""

    def show(self) -> None:
        """Open the report in the browser."""

    def save(self) -> None:
        """Write the report to a file."""


class EngineCommands(Protocol):
    """Compares engines."""

    def compare(self) -> None:
        """Compare the engines on the current strategy."""


class CheckCommands(Protocol):
    """Checks strategies for look-ahead."""

    def toggle(self) -> None:
        """Begin a check; if one is in progress, end it instead."""


class DataCommands(Protocol):
    """Chooses the data of a strategy."""

    def choose_source(self) -> None:
        """Choose the source of the selected feed, or else of the first instrument."""


class StoreCommands(Protocol):
    """Keeps the user's bars."""

    def import_files(self) -> None:
        """Import files that the user picks."""

    def download(self) -> None:
        """Let the user download bars."""

    def update(self) -> None:
        """Download what is new of all series that were downloaded."""


class WindowCommands(Protocol):
    """Is about the window itself."""

    def show_command_palette(self) -> None:
        """Show the list of all actions."""

    def quit(self) -> None:
        """Close the window."""


@dataclass(frozen=True, slots=True)
class Targets:
    """Finds what actions act on; each function returns None while there is nothing of that kind.

    Args:
        canvas: the graph in front.
        document: the current strategy, after pending input was applied.
        chart: what the chart can do; the chart is shown for it.
        files, dialogs, node_files, tour, looks, panes, tabs, navigation: the areas of the menus File to Node.
        runs, research, reports, engines, check, data, store: those of the menus Data and Run.
        window: the window itself.
    """

    canvas: Callable[[], Canvas | None]
    document: Callable[[], Document | None]
    chart: Callable[[], ChartCommands | None]
    files: Callable[[], FileCommands | None]
    dialogs: Callable[[], DialogCommands | None]
    node_files: Callable[[], NodeFileCommands | None]
    tour: Callable[[], TourCommands | None]
    looks: Callable[[], LookCommands | None]
    panes: Callable[[], PaneCommands | None]
    tabs: Callable[[], TabCommands | None]
    navigation: Callable[[], NavigationCommands | None]
    runs: Callable[[], RunCommands | None]
    research: Callable[[], ResearchCommands | None]
    reports: Callable[[], ReportCommands | None]
    engines: Callable[[], EngineCommands | None]
    check: Callable[[], CheckCommands | None]
    data: Callable[[], DataCommands | None]
    store: Callable[[], StoreCommands | None]
    window: Callable[[], WindowCommands | None]
