"""Front: what stands in front of the user, which decides what actions can be used now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from quantcrafter.app.canvas.canvas import Canvas
    from quantcrafter.app.charts.model.choice import ChartChoice
    from quantcrafter.app.document.document import Document
    from quantcrafter.app.services.settings import Settings
    from quantcrafter.engine.runtime.run_store.run_folder import RunFolder


class Front(Protocol):
    """The strategy in front and the state of the window; asking it makes and changes nothing."""

    @property
    def settings(self) -> Settings:
        """What is remembered between starts."""
        ...

    @property
    def document(self) -> Document | None:
        """The strategy in front."""
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
        """The run that is shown of it."""
        ...

    @property
    def chart_choice(self) -> ChartChoice | None:
        """What the chart shows of it, None before there is a chart."""
        ...

    @property
    def is_busy(self) -> bool:
        """Whether it is being run, or waits for it."""
        ...

    @property
    def is_checking(self) -> bool:
        """Whether a check for look-ahead is under way."""
        ...

    @property
    def is_full_screen(self) -> bool:
        """Whether the window uses the whole screen."""
        ...

    def is_shown(self, pane: str) -> bool:
        """Return whether a pane can be seen."""
        ...
