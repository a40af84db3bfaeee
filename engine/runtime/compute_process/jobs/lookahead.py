"""The job `lookahead`: whether any node of a strategy looks ahead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from quantcrafter.engine.runtime.compute_process.jobs.contract import JobContext, Request

if TYPE_CHECKING:
    from quantcrafter.engine.runtime.research.lookahead import LookAhead


@dataclass(frozen=True, slots=True)
class LookAheadRequest(Request):
    """Check a strategy for look-ahead.

    Args:
        text: the YAML text.
        file: the file that it belongs to, empty if there is none yet.
        base_dir: where files named by the strategy are searched for.
        cuts: about how many times the data is cut.
    """

    kind: ClassVar[str] = "lookahead"

    text: str
    file: str = ""
    base_dir: str = "."
    cuts: int = 40

    def execute(self, context: JobContext) -> tuple[LookAhead, ...]:
        return check_lookahead(self, context)


def check_lookahead(request: LookAheadRequest, context: JobContext) -> tuple[LookAhead, ...]:
    """Carry out a LookAheadRequest: every node whose past values changed, origins first; empty if there is none.

    Raises:
        QuantCrafterError: as for `quantcrafter.engine.runtime.research.lookahead.find_lookahead`.
    """
    from quantcrafter.engine.data.cache import BarCache
    from quantcrafter.engine.plugins import load_registry
    from quantcrafter.engine.runtime.research.lookahead import find_lookahead
    from quantcrafter.engine.runtime.running.load_graph import load_text

    registry = load_registry()
    graph = load_text(request.text, registry, file=request.file, base_dir=request.base_dir)
    found = find_lookahead(
        graph,
        registry=registry,
        cuts=request.cuts,
        progress=lambda done, total: context.progress("lookahead", done, total),
        cancelled=context.cancelled,
        loader=context.memory.setdefault(BarCache, BarCache()),
    )
    return tuple(found)
