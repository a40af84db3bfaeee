"""The job `sweep`: a strategy's text is run for every combination of the values of one or two parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from quantcrafter.engine.runtime.compute_process.jobs.contract import JobContext, Request

if TYPE_CHECKING:
    from quantcrafter.engine.runtime.research.sweep import Axis, Sweep


@dataclass(frozen=True, slots=True)
class SweepRequest(Request):
    """Run a strategy over the values of its parameters.

    Args:
        text: the YAML text.
        axes: the parameters with their values, one or two.
        file: the file that the text belongs to, empty if there is none yet.
        base_dir: where files named by the strategy are searched for.
    """

    kind: ClassVar[str] = "sweep"

    text: str
    axes: tuple[Axis, ...]
    file: str = ""
    base_dir: str = "."

    def execute(self, context: JobContext) -> Sweep:
        return run_sweep(self, context)


def run_sweep(request: SweepRequest, context: JobContext) -> Sweep:
    """Carry out a SweepRequest.

    Raises:
        SpecError: the strategy is wrong even as it is.
        RunCancelledError: the owner cancelled.
    """
    from quantcrafter.engine.data.cache import BarCache
    from quantcrafter.engine.graph import BoundGraph
    from quantcrafter.engine.plugins import load_registry
    from quantcrafter.engine.runtime.research.sweep import sweep
    from quantcrafter.engine.runtime.running.load_graph import load_text

    registry = load_registry()

    def load(overrides: tuple[str, ...]) -> BoundGraph:
        return load_text(request.text, registry, file=request.file, base_dir=request.base_dir, overrides=overrides)

    load(())
    return sweep(
        load,
        request.axes,
        registry=registry,
        loader=context.memory.setdefault(BarCache, BarCache()),
        progress=lambda done, total: context.progress("sweep", done, total),
        cancelled=context.cancelled,
    )
