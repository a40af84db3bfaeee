"""Front: the current strategy and panes, which determine the available actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from quantcrafter.app.canvas.canvas import Canvas
    from quantcrafter.app.charts.model.choice import ChartChoice
    from quantcrafter.app.document.document import Document
    from quantcrafter.app.services.settings import Settings
    from quantcrafter.engine.runtime.run_store.run_folder import RunFolder


class Front(Protocol):
    """The current strategy and the state of the window; reading it has no side effects."""

    @property
    def settings(self) -> Settings:
        """What is remembered between starts."""
        ...

    @property
    def document(self) -> Document | None:
        """The current strategy."""
        ...

    @property
    def canvas(self) -> Canvas | None:
        """Its graph."""
        ...

    @property
    def selection(self) -> tuple[str, ...]:
        """The ids of the selected nodes."""
        ...

    @property
    def run(self) -> RunFolder | None:
        """Its displayed run."""
        ...

    @property
    def chart_choice(self) -> ChartChoice | None:
        """The state of its chart, None before there is a chart."""
        ...

    @property
    def is_busy(self) -> bool:
        """Whether it is being run, or waits for it."""
        ...

    @property
    def is_checking(self) -> bool:
        """Whether a check for look-ahead is in progress."""
        ...

    @property
    def is_full_screen(self) -> bool:
        """Whether the window uses the whole screen."""
        ...

    def is_shown(self, pane: str) -> bool:
        """Return whether a pane can be seen."""
        ...
