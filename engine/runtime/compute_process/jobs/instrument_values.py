"""The job `instrument_values`: the values of an instrument that a run would use, with their sources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from quantcrafter.engine.runtime.compute_process.jobs.contract import JobContext, Request

if TYPE_CHECKING:
    from quantcrafter.engine.runtime.running.instrument_values import InstrumentValues


@dataclass(frozen=True, slots=True)
class InstrumentValuesRequest(Request):
    """Find out the values of one instrument of a strategy.

    Args:
        text: the strategy as it stands in the editor.
        number: the place of the instrument in the list, from 0.
        file: the strategy's file, empty if it has none.
        base_dir: the folder for relative paths.
    """

    kind: ClassVar[str] = "instrument_values"

    text: str
    number: int
    file: str = ""
    base_dir: str = "."

    def execute(self, context: JobContext) -> InstrumentValues:
        return find_values(self, context)


def find_values(request: InstrumentValuesRequest, context: JobContext) -> InstrumentValues:
    """Carry out an InstrumentValuesRequest.

    Raises:
        SpecError: the text has no such instrument, or it is wrong.
    """
    from quantcrafter.engine.data.cache import BarCache
    from quantcrafter.engine.plugins import load_registry
    from quantcrafter.engine.runtime.running.instrument_values import instrument_values

    return instrument_values(
        request.text,
        request.number,
        load_registry(),
        file=request.file,
        base_dir=request.base_dir,
        loader=context.memory.setdefault(BarCache, BarCache()),
    )
