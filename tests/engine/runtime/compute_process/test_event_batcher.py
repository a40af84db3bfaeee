from __future__ import annotations

import threading
import time

from quantcrafter.engine.runtime.compute_process.event_batcher import LINES, RATE, WAITING_LINES, EventBatcher
from quantcrafter.engine.runtime.compute_process.job_messages import Batch, Done, Logged, Progressed, Started
from quantcrafter.engine.runtime.compute_process.jobs import LogLine


class Receiver:
    """Takes batches, at a pace that a test sets."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.times: list[float] = []
        self.may_take = threading.Event()
        self.may_take.set()

    def take(self, batch: Batch) -> None:
        self.may_take.wait()
        self.batches.append(batch)
        self.times.append(time.monotonic())

    @property
    def events(self) -> list[object]:
        return [event for batch in self.batches for event in batch]


def test_what_is_told_comes_in_order_and_progress_is_the_latest() -> None:
    receiver = Receiver()
    box = EventBatcher(receiver.take)
    box.post(Started(1))
    for done in range(1, 1001):
        box.progress(Progressed(1, "simulate", done, 1000))
    box.log(1, LogLine(20, "the last word"), lambda: False)
    box.post(Done(1, "result"))
    box.close()

    progress = [event for event in receiver.events if isinstance(event, Progressed)]
    assert isinstance(receiver.events[0], Started)
    assert progress[-1].done == 1000
    assert len(progress) < 50
    assert receiver.events[-2:] == [Logged(1, (LogLine(20, "the last word"),)), Done(1, "result")]


def test_batches_keep_their_rate_and_size_and_lose_nothing() -> None:
    receiver = Receiver()
    box = EventBatcher(receiver.take)
    began = time.monotonic()
    for number in range(5 * LINES):
        box.log(1, LogLine(20, str(number)), lambda: False)
        box.progress(Progressed(1, "simulate", number, 5 * LINES))
    box.post(Done(1, None))
    while not any(isinstance(event, Done) for event in receiver.events):
        time.sleep(0.01)
    spent = time.monotonic() - began
    box.close()

    lines = [line.text for event in receiver.events if isinstance(event, Logged) for line in event.lines]
    assert lines == [str(number) for number in range(5 * LINES)]
    assert all(sum(len(e.lines) for e in batch if isinstance(e, Logged)) <= LINES for batch in receiver.batches)
    assert len(receiver.batches) <= spent * RATE + 2


def test_who_writes_faster_than_the_other_side_reads_has_to_wait_but_not_when_cancelled() -> None:
    receiver = Receiver()
    receiver.may_take.clear()
    box = EventBatcher(receiver.take)
    stop = threading.Event()
    written = []

    def write() -> None:
        for number in range(2 * WAITING_LINES):
            if stop.is_set():
                return
            box.log(1, LogLine(20, ""), stop.is_set)
            written.append(number)

    writer = threading.Thread(target=write)
    writer.start()
    deadline = time.monotonic() + 20
    while len(written) < WAITING_LINES and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.1)
    assert len(written) <= WAITING_LINES + LINES
    stop.set()
    writer.join(5)
    assert not writer.is_alive()
    receiver.may_take.set()
    box.close()
