"""The engine process goes on after a plugin that misbehaves: the bars that it keeps are as they were."""

from __future__ import annotations

from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path

import pytest

from quantcrafter.engine.api import ComponentError
from quantcrafter.engine.plugins.manager import forget_registry
from quantcrafter.engine.runtime.compute_process.job_messages import Done, Failed, Logged, SubmitJob
from quantcrafter.engine.runtime.compute_process.jobs import LogLine
from quantcrafter.engine.runtime.compute_process.jobs.run import RunRequest, run_strategy
from quantcrafter.engine.runtime.compute_process.service import serve
from quantcrafter.engine.runtime.run_store.run_folder import RunFolder
from tests.support.job_context import DirectContext
from tests.support.plugin_packages import install

GOLDEN = Path("resources/examples/golden_cross.yaml")
PLUGIN = '''
class Writes(Indicator):
    """Write into the input, by every way there is."""
    name = "bad.writes"
    input: SeriesInput = port("The line.")

    def compute(self, input):
        print("writing")
        input.flags.writeable = True
        input[:] = 1.0
        return input

class Keeps(Indicator):
    """Return an array that is kept, and write to it at the next call."""
    name = "bad.keeps"
    input: SeriesInput = port("The line.")

    def compute(self, input):
        for kept in KEPT:
            kept[:] = 1.0
        KEPT.append(input.copy())
        return KEPT[-1]

KEPT = []

@hookimpl
def register_indicators():
    return [Writes, Keeps]
'''


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Install the plugin and return the folder that holds it."""
    install(tmp_path / "site", "bad", PLUGIN)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    forget_registry()
    yield tmp_path / "site"
    forget_registry()


def _with(component: str) -> str:
    text = GOLDEN.read_text(encoding="utf-8")
    assert "input: bars.close" in text
    line = f"\n  own: {{use: {component}, input: bars.close}}"
    return text.replace("\nindicators:", f"\nindicators:{line}").replace("input: bars.close}", "input: bars.close}", 1)


def _closes(text: str, context: DirectContext) -> tuple[float, int, bytes]:
    outcome = run_strategy(RunRequest(text, keep=False), context)
    assert outcome is not None
    run = RunFolder.open(outcome.folder)
    return float(str(run.metrics["final_equity"])), len(run.trades), run.instruments[0].bars.close.tobytes()


@pytest.mark.usefixtures("site")
def test_a_plugin_cannot_change_the_bars_of_later_runs() -> None:
    context = DirectContext()
    golden = GOLDEN.read_text(encoding="utf-8")
    before = _closes(golden, context)
    with pytest.raises(ComponentError, match=r"'own' \(bad\.writes of plugin 'bad'\)"):
        _closes(_with("bad.writes"), context)
    kept = [_closes(_with("bad.keeps"), context) for _ in range(2)]

    assert kept == [before, before]
    assert _closes(golden, context) == before


@pytest.mark.usefixtures("site")
def test_the_process_itself_names_the_node_and_logs_what_it_prints() -> None:
    context = get_context("spawn")
    orders, our_orders = context.Pipe(duplex=False)
    our_events, events = context.Pipe(duplex=False)
    process = context.Process(target=serve, args=(orders, events), kwargs={"compiles": False}, daemon=True)
    process.start()
    orders.close()
    events.close()
    our_orders.send(SubmitJob(1, RunRequest(_with("bad.writes"), keep=False)))
    lines: list[LogLine] = []
    failure = None
    while failure is None:
        assert our_events.poll(120)
        for event in our_events.recv():
            assert not isinstance(event, Done)
            if isinstance(event, Logged):
                lines += event.lines
            elif isinstance(event, Failed):
                failure = event.failure
    our_orders.close()
    process.join(20)

    assert failure.node == "own"
    assert "of plugin 'bad'" in failure.message
    assert [(line.text, line.node) for line in lines if "prints" in line.text] == [
        ("Node 'own' (bad.writes of plugin 'bad') prints: writing", "own")
    ]
