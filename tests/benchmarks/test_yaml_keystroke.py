"""Time from a key in the YAML view to the graph and the problems, in a file of 200 nodes."""

from __future__ import annotations

import gc
import statistics
import time

import pytest
from PySide6.QtCore import QEventLoop
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from quantcrafter.app.document.document import Document, DocumentChange
from quantcrafter.app.panes.yaml_view import YamlView
from quantcrafter.engine.plugins import load_registry

KEYS = 60


def strategy(nodes: int) -> str:
    lines = ["quantcrafter: 1", "instruments:", "  - {symbol: IBM, data: sample}", "indicators:"]
    lines += [
        f"  n{i}: {{use: ta.SMA, input: {f'n{i - 1}' if i % 10 else 'bars.close'}, timeperiod: 1{i % 9}}}"
        for i in range(nodes)
    ]
    lines += ["layout:", *(f"  n{i}: [{i % 20 * 200}, {i // 20 * 120}]" for i in range(nodes))]
    return "\n".join(lines) + "\n"


def opened(qtbot: QtBot, text: str) -> tuple[YamlView, Document]:
    document = Document(text, load_registry())
    view = YamlView(document)
    qtbot.addWidget(view)
    view.resize(900, 700)
    view.show()
    view.editor.setFocus()
    qtbot.waitUntil(view.editor.hasFocus)
    gc.freeze()  # as the program does once it is usable
    return view, document


def report(what: str, times: list[float]) -> None:
    ordered = sorted(1000 * seconds for seconds in times)
    p95 = ordered[int(0.95 * (len(ordered) - 1))]
    median = statistics.median(ordered)
    print(f"\n{what}: median {median:.1f} ms, p95 {p95:.1f} ms, worst {ordered[-1]:.1f} ms")  # noqa: T201 - the report


@pytest.mark.benchmark_report
def test_a_key_in_a_file_of_200_nodes_reaches_graph_and_problems(qtbot: QtBot) -> None:
    view, document = opened(qtbot, strategy(200))
    changes: list[DocumentChange] = []
    document.subscribe(changes.append)
    parameters = view.editor.position_of(104, len("  n100: {use: ta.SMA, input: bars.close, timeperiod: 1") + 1)
    names = view.editor.position_of(104, len("  n99") + 1)
    for what, position, keys in (("digit of a parameter", parameters, "2"), ("letter of a node's name", names, "x")):
        cursor = view.editor.textCursor()
        cursor.setPosition(position)
        view.editor.setTextCursor(cursor)
        times = []
        for _ in range(KEYS // 2):
            for undo in (False, True):
                seen, began = len(changes), time.process_time()
                if undo:
                    view.editor.textCursor().deletePreviousChar()
                else:
                    QTest.keyClicks(view.editor, keys)
                while len(changes) == seen:
                    QApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
                assert document.graph().nodes
                assert document.problems is not None
                QApplication.processEvents()
                times.append(time.process_time() - began)
        report(f"YAML key, {what}, 200 nodes, to graph, problems and paint (CPU)", times)
        assert document.text == strategy(200)


@pytest.mark.benchmark_report
def test_a_file_of_a_megabyte_opens_and_takes_keys(qtbot: QtBot) -> None:
    filler = "# " + "a comment of the usual length, as people write them into their files" * 1 + "\n"
    text = strategy(200) + filler * (900_000 // len(filler))
    began = time.perf_counter()
    view, _ = opened(qtbot, text)
    report(f"YAML view, {len(text) / 1e6:.1f} MB, opening", [time.perf_counter() - began])
    view.reveal_line(104, 10)
    times = []
    for _ in range(KEYS // 2):
        began = time.perf_counter()
        QTest.keyClicks(view.editor, "2")
        QApplication.processEvents()
        times.append(time.perf_counter() - began)
    report("YAML key in 1 MB, while typing", times)
    began = time.perf_counter()
    view.flush()
    report("YAML key in 1 MB, to graph and problems, after a pause", [time.perf_counter() - began])
