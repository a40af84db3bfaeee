"""ChartChoice: which outputs of a strategy the chart shows, as its user chose; kept in the settings. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from quantcrafter.app.charts.model.chart_colors import series_color
from quantcrafter.app.charts.model.outputs import ChartOutput
from quantcrafter.app.theme.colors import Theme

MOST_FILES = 100
"""So many strategies are remembered, those chosen for last."""


class ChoiceStore(Protocol):
    """Where choices are kept: by strategy file, then by `node.output`; `Settings` is one."""

    chart_shown: dict[str, dict[str, bool]]


class ChartChoice:
    """What is shown of one strategy: what its user switched, and else what the chart shows at first.

    Args:
        store: remembers the choice.
        key: the strategy's file, or its name while it has none.
    """

    def __init__(self, store: ChoiceStore, key: str) -> None:
        self.key = key
        self._store = store
        self._outputs: dict[str, ChartOutput] = {}
        self._listeners: list[Callable[[], None]] = []

    @property
    def outputs(self) -> tuple[ChartOutput, ...]:
        """Everything that can be shown, in file order."""
        return tuple(self._outputs.values())

    def offer(self, outputs: Iterable[ChartOutput]) -> None:
        """Take over what a run can show."""
        self._outputs = {each.key: each for each in outputs}
        self._notify()

    def can_show(self, node: str, output: str = "") -> bool:
        """Return whether the run has this output, or any of the node's."""
        return bool(self._of(node, output))

    def is_shown(self, node: str, output: str = "") -> bool:
        """Return whether an output is shown; without a name, whether any output of the node is."""
        chosen = self._chosen()
        return any(chosen.get(each.key, each.first) for each in self._of(node, output))

    def shown(self) -> tuple[ChartOutput, ...]:
        """Return the outputs that are shown, in file order."""
        chosen = self._chosen()
        return tuple(each for each in self._outputs.values() if chosen.get(each.key, each.first))

    def toggle(self, node: str, output: str = "") -> None:
        """Show an output or hide it; without a name, all outputs of the node."""
        self.show(node, output, shown=not self.is_shown(node, output))

    def show(self, node: str, output: str = "", *, shown: bool = True) -> None:
        """Show an output, or all outputs of a node, or hide them. Nothing happens if there is none."""
        wanted = {each.key: shown for each in self._of(node, output)}
        if wanted:
            self._keep({**self._chosen(), **wanted})

    def reset(self) -> None:
        """Forget what was chosen: what is shown at first is shown again."""
        self._keep({})

    def slot(self, node: str, output: str = "") -> int | None:
        """Return the number of an output's colour (see `look.series_color`), None if it cannot be shown.

        Without a name, that of the node's first output that is shown, else of its first.
        """
        own = self._of(node, output)
        shown = [each for each in own if self.is_shown(each.node, each.output)]
        return next((each.slot for each in (*shown, *own)), None)

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` whenever something else is shown; return a function that unsubscribes."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _of(self, node: str, output: str) -> list[ChartOutput]:
        return [each for each in self._outputs.values() if each.node == node and output in ("", each.output)]

    def _chosen(self) -> dict[str, bool]:
        return self._store.chart_shown.get(self.key, {})

    def _keep(self, chosen: dict[str, bool]) -> None:
        others = {key: value for key, value in self._store.chart_shown.items() if key != self.key}
        kept = dict(list(others.items())[-(MOST_FILES - 1) :])
        self._store.chart_shown = {**kept, self.key: chosen} if chosen else kept
        self._notify()

    def _notify(self) -> None:
        for listener in tuple(self._listeners):
            listener()


def eyes_of(choice: ChartChoice, theme: Theme) -> dict[str, str]:
    """Return the nodes that can be shown, each with its colour on the chart, or '' while it is not shown."""
    found: dict[str, str] = {}
    for node in dict.fromkeys(each.node for each in choice.outputs):
        slot = choice.slot(node)
        found[node] = series_color(theme, slot) if slot is not None and choice.is_shown(node) else ""
    return found
