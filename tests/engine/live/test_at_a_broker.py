"""A worker at a broker outside: every order is in the log before it is sent, and none is sent twice."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quantcrafter.engine.api import Broker, BrokerConnection, OrderCommand, Submit
from quantcrafter.engine.feeds.stored import StoredFeed
from quantcrafter.engine.graph import BoundGraph
from quantcrafter.engine.live.input_log import LOG, InputLog
from quantcrafter.engine.live.recording import replay_recording
from quantcrafter.engine.live.session_worker import SessionWorker
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.running.load_graph import load_text
from tests.support.live_cases import PLAIN, abandon

SOURCE = Path(__file__).parents[2] / "plugins" / "quantcrafter_lines" / "quantcrafter_lines.py"


class Killed(BaseException):
    """The process ends here."""


class Venue(Broker):
    """The broker of the example, which goes on while workers come and go; `send` is told what is sent."""

    name = "venue"

    held: Any
    on_send: Any

    def connect(self) -> BrokerConnection:
        connection: BrokerConnection = self.held
        send = type(connection).send

        def sending(command: OrderCommand) -> None:
            self.on_send(command, lambda: send(connection, command))

        connection.send = sending  # type: ignore[method-assign] # a spy
        return connection


@pytest.fixture(scope="module")
def example() -> Any:
    spec = importlib.util.spec_from_file_location("quantcrafter_lines", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.AtOnceBroker


@pytest.fixture(scope="module")
def graph() -> BoundGraph:
    return load_text(PLAIN, load_registry())


def worker(graph: BoundGraph, folder: Path, held: BrokerConnection, on_send: Any) -> SessionWorker:
    return SessionWorker(graph, StoredFeed(speed="max"), Venue(held=held, on_send=on_send), folder, snapshot_steps=20)


def finished(made: SessionWorker) -> SessionWorker:
    made.start()
    while not made.has_ended or made.step():
        made.step()
    return made


def test_every_order_is_in_the_log_before_it_is_sent_and_the_positions_agree(
    example: Any, graph: BoundGraph, tmp_path: Path
) -> None:
    sent: list[OrderCommand] = []

    def on_send(command: OrderCommand, send: Callable[[], None]) -> None:
        with InputLog.read(tmp_path / "one" / LOG) as log:
            ids = [each.given.client_order_id for each in log.outputs() if each.given.kind == "submit"]
        assert str(command.order) in ids
        sent.append(command)
        send()

    held = example().connect()
    done = finished(worker(graph, tmp_path / "one", held, on_send))
    submits = [each for each in sent if isinstance(each, Submit)]
    assert len({each.order for each in submits}) == len(submits) > 10
    assert {each.symbol: each.quantity for each in held.positions()} == done.core.session.positions
    assert len(done.ledger().fills) == len(held.executions(0)) > 5
    assert done.core.anchor is not None
    assert done.core.anchor.epoch > 1_700_000_000
    done.close()
    assert replay_recording(tmp_path / "one" / LOG, load_registry()).different == ()


@pytest.mark.logs_errors
@pytest.mark.parametrize("handed_over", [True, False])
def test_an_order_whose_sending_was_cut_off_is_asked_for_and_never_sent_again(
    example: Any, graph: BoundGraph, tmp_path: Path, *, handed_over: bool
) -> None:
    sent: list[str] = []
    kills = [3, 7]

    def on_send(command: OrderCommand, send: Callable[[], None]) -> None:
        if isinstance(command, Submit):
            sent.append(str(command.order))
        if len(sent) in kills:
            kills.remove(len(sent))
            if handed_over:
                send()
            raise Killed
        send()

    held = example().connect()
    for _ in range(2):
        killed = worker(graph, tmp_path / "one", held, on_send)
        with pytest.raises(Killed):
            finished(killed)
        abandon(killed)
    done = finished(worker(graph, tmp_path / "one", held, on_send))
    assert kills == []
    assert len(set(sent)) == len(sent) > 8
    assert {each.symbol: each.quantity for each in held.positions()} == done.core.session.positions
    executed = [each.client_order_id for each in held.executions(0)]
    assert set(executed) <= set(sent)
    assert (sent[2] in executed or sent[2] in {each.client_order_id for each in held.open_orders()}) or not handed_over
    done.close()


def test_an_order_that_was_decided_and_never_written_is_sent_after_the_restart(
    example: Any, graph: BoundGraph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ended between the commit of an input and that of its commands."""
    sent: list[str] = []

    def on_send(command: OrderCommand, send: Callable[[], None]) -> None:
        sent.append(f"{type(command).__name__} {command.order}")
        send()

    def kill(*_: object, **__: object) -> None:
        raise Killed

    held = example().connect()
    killed = worker(graph, tmp_path / "one", held, on_send)
    killed.start()
    with monkeypatch.context() as patch:
        patch.setattr(SessionWorker, "_fail", lambda *_: None)
        patch.setattr(InputLog, "put_outputs", kill)
        with pytest.raises(Killed):
            killed.step()
    abandon(killed)
    assert sent == []
    done = finished(worker(graph, tmp_path / "one", held, on_send))
    assert sent[0].startswith("Submit")
    assert len(set(sent)) == len(sent) > 8
    assert {each.symbol: each.quantity for each in held.positions()} == done.core.session.positions
    done.close()
