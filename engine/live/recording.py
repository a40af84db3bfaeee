"""A recording is a worker's log in a file of its own; replaying it repeats what the worker did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.live.beginning import strategy_from
from quantcrafter.engine.live.core import CoreResult
from quantcrafter.engine.live.folding import core_of, fold
from quantcrafter.engine.live.input_log import CLASS_VENUE, InputLog, NumberedOutput
from quantcrafter.engine.live.inputs import LiveOutput
from quantcrafter.engine.runtime.running.load_graph import Installed


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a recording gave when it was replayed.

    `begin` is the number of the input after which it began: that of the anchor, or of the oldest snapshot if bars were
    dropped. `outputs` came out of the inputs after that, `state` is what the core keeps at the end. `different` are the
    numbers of the inputs whose outputs are not those of the recording; there are none unless the strategy depends on
    more than its inputs, or another version of the program computes otherwise. `same_state` says whether the state is
    that of the recording's last snapshot, None if that was taken before the end. `count` inputs were repeated.
    """

    begin: int
    outputs: tuple[NumberedOutput, ...]
    state: str
    different: tuple[int, ...]
    same_state: bool | None
    count: int


def replay_recording(path: Path, registry: Installed) -> Replayed:
    """Repeat all that a recording, or the log of a worker, holds.

    Args:
        path: the file.
        registry: the installed components.

    Raises:
        RunError: the file can't be read, or has no beginning.
        SpecError: its strategy can't run here.
        DataError, ComponentError: the strategy failed.
    """
    with InputLog.read(path) as log:
        meta = log.meta()
        if meta.get("venue") == CLASS_VENUE:
            raise RunError(
                Message(
                    "The recording is that of a strategy class, which can't be replayed without its code. Its events "
                    "and trades can be shown."
                )
            )
        if not {"text", "base_dir", "overrides", "worker", "venue"} <= set(meta):
            raise RunError(Message("The log of a worker has no beginning: it was never started."))
        core = core_of(strategy_from(meta, registry), meta)
        outputs: list[NumberedOutput] = []
        different: list[int] = []

        def tell(seq: int, result: CoreResult, there: Mapping[int, LiveOutput]) -> None:
            outputs.extend(NumberedOutput(seq, n, each) for n, each in enumerate(result.outputs))
            if any(there[n] != each for n, each in enumerate(result.outputs) if n in there):
                different.append(seq)

        since = log.snapshots()[0] if log.compacted else 0
        _, begin = fold(log, core, tell, since=since, load=lambda about: strategy_from(about, registry))
        state, kept = core.kept(), log.kept()
        same = None if kept is None or kept.seq != log.last_seq else kept.state == state
        count = sum(1 for _ in log.inputs(begin))
        return Replayed(begin, tuple(outputs), state, tuple(different), same, count)
