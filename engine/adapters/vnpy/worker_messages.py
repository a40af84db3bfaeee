"""What passes between us and the vnpy process: pickles over its standard streams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Hello:
    """The process is ready: where vnpy keeps its settings, its versions, and which Qt modules are loaded (none)."""

    settings_folder: str
    versions: Mapping[str, str]
    qt_modules: tuple[str, ...]


@dataclass(frozen=True)
class WorkerRequest:
    """Run a job, without its callables; `kind` is `job` or `class`."""

    kind: str
    job: Any


@dataclass(frozen=True)
class WorkerProgress:
    """How many of how many bars are done."""

    done: int
    total: int


@dataclass(frozen=True)
class Answer:
    """The job is done."""

    result: Any


@dataclass(frozen=True)
class Refusal:
    """The job failed, with code, node and field of the error; `traceback` is set for a fault of ours or of vnpy."""

    message: str
    traceback: str = ""
    code: str = ""
    node: str = ""
    field: str = ""
