"""The job `parity`: a strategy's text on several engines."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from quantcrafter.engine.api.message import Message
from quantcrafter.engine.runtime.compute_process.jobs.contract import JobContext, LogLine, Request

if TYPE_CHECKING:
    from quantcrafter.engine.runtime.parity import ParityReport


@dataclass(frozen=True, slots=True)
class ParityRequest(Request):
    """Run a strategy on several engines and compare them.

    Args:
        text: the YAML text.
        file: the file that it belongs to, empty if there is none yet.
        base_dir: where files named by the strategy are searched for.
        engines: names, the reference first; all that are installed if left out.
    """

    kind: ClassVar[str] = "parity"

    text: str
    file: str = ""
    base_dir: str = "."
    engines: tuple[str, ...] = ()

    def execute(self, context: JobContext) -> ParityReport:
        return compare_engines(self, context)


def compare_engines(request: ParityRequest, context: JobContext) -> ParityReport:
    """Carry out a ParityRequest.

    Raises:
        QuantCrafterError: as for `quantcrafter.engine.runtime.parity.run.run_parity`, or the text is wrong.
    """
    from quantcrafter.engine.data.cache import BarCache
    from quantcrafter.engine.plugins import load_registry
    from quantcrafter.engine.runtime.parity.run import run_parity
    from quantcrafter.engine.runtime.running.load_graph import load_text

    registry = load_registry()
    graph = load_text(request.text, registry, file=request.file, base_dir=request.base_dir)
    cache: BarCache = context.memory.setdefault(BarCache, BarCache())
    report = run_parity(
        graph,
        registry=registry,
        engines=request.engines,
        progress=context.progress,
        cancelled=context.cancelled,
        loader=cache,
    )
    for name, missing in report.left_out.items():
        context.log(LogLine(logging.INFO, Message("Without {name}, which is {missing}", name=name, missing=missing)))
    return report
