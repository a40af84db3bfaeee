"""The main module of the vnpy process, the only one that imports vnpy."""

from __future__ import annotations

import os
import pickle
import sys
import traceback
from collections.abc import Callable
from dataclasses import replace
from typing import Any, BinaryIO

from quantcrafter.engine.adapters.vnpy.worker_messages import Answer, Hello, Refusal, WorkerProgress, WorkerRequest
from quantcrafter.engine.api.errors import QuantCrafterError
from quantcrafter.engine.api.foreign import reason_of, settled, text_of
from quantcrafter.engine.api.message import Message

QT = frozenset({"PySide6", "shiboken6", "PyQt5", "PyQt6", "qtpy", "qdarkstyle", "pyqtgraph"})


def main() -> None:
    """Serve jobs from standard input until it ends."""
    answers = _take_stdout()
    _say(answers, _imported())
    while True:
        try:
            request = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that started us
        except EOFError:
            return
        except Exception as error:  # noqa: BLE001 - such as a plugin that is not installed here
            _say(answers, Refusal(Message("The vnpy process can't read the run: {text}.", text=text_of(error))))
            continue
        _say(answers, _served(request, lambda done, total: _say(answers, WorkerProgress(done, total))))


def _imported() -> Hello | Refusal:
    try:
        import vnpy.trader.utility
        import vnpy_ctastrategy.backtesting  # noqa: F401 - what jobs need
    except Exception as error:  # noqa: BLE001 - whatever keeps vnpy from starting
        return Refusal(
            Message("vnpy can't be imported: {type}: {text}.", type=type(error).__name__, text=text_of(error))
        )
    from quantcrafter.engine.adapters.vnpy.adapter import VnpyEngine

    loaded = sorted({name.partition(".")[0] for name in sys.modules} & QT)
    return Hello(str(vnpy.trader.utility.TEMP_DIR), VnpyEngine.versions(), tuple(loaded))


def _served(request: WorkerRequest, progress: Callable[[int, int], None]) -> Answer | Refusal:
    try:
        return Answer(_run(request.kind, replace(request.job, progress=progress)))
    except QuantCrafterError as error:
        return Refusal(text_of(error), "", error.code, error.node, error.field)
    except Exception as error:  # noqa: BLE001 - the process must outlive a job
        return Refusal(
            Message("The vnpy engine failed: {type}: {text}.", type=type(error).__name__, text=text_of(error)),
            traceback.format_exc(),
        )
    except BaseException as error:  # noqa: BLE001 - such as sys.exit in somebody's class
        who = f"'{request.job.path}'" if request.kind == "class" else "A component"
        return Refusal(
            Message("{who} failed in the vnpy process: {reason}.", who=who, reason=reason_of(settled(error)))
        )


def _run(kind: str, job: Any) -> Any:
    if kind == "class":
        from quantcrafter.engine.adapters.vnpy.classes import run_class

        return run_class(job)
    from quantcrafter.engine.adapters.vnpy.simulation import simulate

    return simulate(job)


def _take_stdout() -> BinaryIO:
    """Reserve standard output for answers; other output goes to standard error from now on."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answers


def _say(answers: BinaryIO, message: Any) -> None:
    pickle.dump(message, answers, protocol=pickle.HIGHEST_PROTOCOL)
    answers.flush()


if __name__ == "__main__":
    main()
