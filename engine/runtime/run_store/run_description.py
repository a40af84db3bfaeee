"""What `run.json` of a run folder says, as a `RunView` has it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from quantcrafter.engine.api import PortType, Problem, Role, Severity
from quantcrafter.engine.runtime.results.run_view import RunDecision, RunNode, RunOutput, RunSource


def started_of(file: Path, about: Mapping[str, Any]) -> datetime:
    """Return when the run was started; of one kept before that was noted, when it was kept."""
    if "started" in about:
        return datetime.fromisoformat(about["started"])
    return datetime.fromtimestamp(file.stat().st_mtime, UTC)


def problem_of(about: Mapping[str, Any]) -> Problem:
    """Return a warning."""
    return Problem(**{**about, "severity": Severity(about["severity"])})


def node_of(about: Mapping[str, Any], ready: Mapping[str, Any]) -> RunNode:
    """Return a node; `ready` has the bars at which columns are complete, by node."""
    return RunNode(
        id=about["id"],
        role=Role(about["role"]),
        use=about["use"],
        parameters=about["parameters"],
        inputs={port: tuple(RunSource(**each) for each in wires) for port, wires in about["inputs"].items()},
        outputs=tuple(RunOutput(each["name"], PortType(each["type"])) for each in about["outputs"]),
        step=about["step"],
        ready=tuple(ready.get(about["id"], ())),
        per_instrument=about.get("per_instrument", {}),
    )


def decisions_of(about: Mapping[str, Any]) -> tuple[RunDecision, ...]:
    """Return what each execution node was wired to; a description of an older version has only one, if any."""
    found = about["decisions"] if "decisions" in about else [about["decision"]]
    return tuple(_decision_of(each) for each in found if each is not None)


def _decision_of(about: Mapping[str, Any]) -> RunDecision:
    return RunDecision(
        node=about["node"],
        combine=about["combine"],
        signals=tuple(RunSource(**each) for each in about["signals"]),
        filters=about["filters"],
        protection=tuple(about["protection"]),
        legs=tuple(about.get("legs", ())),
    )
