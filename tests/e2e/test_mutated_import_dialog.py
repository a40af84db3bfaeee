"""Mutated data files in the import dialog: each is shown, with bars or a plain reason, and imported or refused.

The window waits for none of them; the process that reads them neither ends nor hangs, and takes no more than 1 GB.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from pytestqt.qtbot import QtBot

from quantcrafter.app.data.import_dialog import ImportDialog
from quantcrafter.app.data.import_model import FURTHER
from quantcrafter.app.document.edits import UNSET
from quantcrafter.app.services.engine import Engine
from quantcrafter.app.window.startup.application import make_application
from quantcrafter.engine.plugins import load_registry
from quantcrafter.engine.runtime.compute_process.jobs.store import ImportDone
from tests.support.counts import is_long, limit_s, sample, seed
from tests.support.mutate_data import write_data_mutants, write_unchanged
from tests.support.reliability import record

COUNT = sample(12, of=400)
BATCH = 12
MOST_SYMBOLS = 10
"""Of a file whose volumes are taken for symbols, which are thousands, so many are imported."""
SECONDS_EACH = 20.0
PATIENCE_MS = 600_000
"""How long a test waits on a busy machine, on which a file takes much longer than its time of the processor."""
MOST_BYTES = 1_000_000_000
_RAW = re.compile(r"Traceback|Unexpected|failed:|\w+Warning:|\[Errno|\b(?!ValueError\b)[A-Z]\w+(Error|Exception)\b")
_CHOICES: dict[str, tuple[Any, ...]] = {
    "separator": (",", ";", "\t", "|", UNSET),
    "decimal": (".", ",", UNSET),
    "encoding": ("utf-16", "cp1252", "big5", "shift_jis", UNSET),
    "timezone": ("Europe/Berlin", "America/New_York", "Mars/Olympus", UNSET),
    "market": ("us_stocks", "us_futures", "forex", "nowhere", UNSET),
    "time_format": ("%Y-%m-%d", "ms", "%Q", UNSET),
    "session": ("24x7", "us_stocks", "25:00-26:00", UNSET),
    "stamp": ("open", "close", UNSET),
    "member": ("a.csv", UNSET),
    "symbol": ("X", "X, Y", " , ", "X" * 300),
}
_ROLES = (*("time", "date", "open", "high", "low", "close", "volume", "symbol", "split", "spread", FURTHER), "")


@pytest.fixture
def engine() -> Iterator[Engine]:
    made = Engine(compiles=False)
    yield made
    made.close()


@contextmanager
def shown(qtbot: QtBot, dialog: ImportDialog) -> Iterator[None]:
    with qtbot.waitExposed(dialog):
        dialog.show()
    yield
    dialog.done(ImportDialog.DialogCode.Rejected)
    dialog.deleteLater()


def wait(qtbot: QtBot, engine: Engine, condition: Callable[[], bool], what: Sequence[object]) -> None:
    """Wait for the data process, which may take so long for each thing, counted in time of the processor."""
    qtbot.waitUntil(lambda: engine.pid is not None, timeout=PATIENCE_MS)
    process = psutil.Process(engine.pid)
    before = process.cpu_times()
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not condition():
        used = process.cpu_times()
        spent = used.user + used.system - before.user - before.system
        assert spent < SECONDS_EACH * max(len(what), 1), f"{spent:.0f} s for {what}"
        assert time.monotonic() < deadline, f"still not done: {what}"
        qtbot.wait(20)


def read(qtbot: QtBot, engine: Engine, dialog: ImportDialog) -> None:
    """Wait until no file is being read."""
    wait(qtbot, engine, lambda: not any(file.waiting for file in dialog.files), [file.path for file in dialog.files])


def faults_of(dialog: ImportDialog) -> list[str]:
    """Return what is shown of each file, in turn, that no person should see."""
    wrong = []
    for number, file in enumerate(dialog.files):
        item = dialog.list.topLevelItem(number)
        assert item is not None
        dialog.list.setCurrentItem(item)
        texts = [item.text(column) for column in range(dialog.list.columnCount())]
        texts += [dialog.view.banner.text(), dialog.view.summary.text(), *(dialog.files[number].symbols)]
        if file.seen is not None:
            texts += [file.seen.error, *file.seen.notes, *(finding.message for finding in file.seen.findings)]
        if not file.state or _RAW.search("\n".join(texts)):
            wrong.append(f"{file.path}: {texts}")
        if file.seen is not None and not file.seen.error and not file.seen.count:
            wrong.append(f"{file.path}: neither bars nor a reason")
    return wrong


def change(dialog: ImportDialog, rng: random.Random, plain: Path) -> None:
    """Change an option or a column of each file but one, as a person tries what helps."""
    for number in range(len(dialog.files)):
        if dialog.files[number].path == plain:
            continue
        item = dialog.list.topLevelItem(number)
        assert item is not None
        dialog.list.setCurrentItem(item)
        if rng.random() < 0.5 and dialog.raw.columnCount():
            dialog.raw.picked.emit(rng.randrange(dialog.raw.columnCount()), rng.choice(_ROLES))
        name = rng.choice(list(_CHOICES))
        dialog.files[number].draft.set((name,), rng.choice(_CHOICES[name]))
        dialog.forms.currentWidget().changed.emit()  # type: ignore[attr-defined]
        if rng.random() < 0.3:
            dialog.view.repair_asked.emit()


def peak_bytes(engine: Engine) -> int:
    assert engine.pid is not None
    try:
        status = Path(f"/proc/{engine.pid}/status").read_text(encoding="ascii")
    except OSError:
        return int(psutil.Process(engine.pid).memory_info().rss)
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.timeout(limit_s(of=36_000))
def test_mutated_files_are_shown_and_imported_or_refused(qtbot: QtBot, tmp_path: Path, engine: Engine) -> None:
    make_application("light")
    ended: list[str] = []
    engine.broke.connect(ended.append)
    rng = random.Random(seed("import dialog"))  # noqa: S311 - cases of a test, no secrets
    catalog = load_registry()
    paths = [path for path, _mutant in write_data_mutants(tmp_path, COUNT, seed("import dialog"))]
    plain = write_unchanged(tmp_path / "unchanged")[0][0]
    faults: list[str] = []
    taken = refused = 0
    for start in range(0, len(paths), BATCH):
        dialog = ImportDialog([*paths[start : start + BATCH], plain], catalog, engine)
        with shown(qtbot, dialog):
            read(qtbot, engine, dialog)
            faults += faults_of(dialog)
            change(dialog, rng, plain)
            read(qtbot, engine, dialog)
            faults += faults_of(dialog)
            request = dialog.request
        files = tuple(replace(file, symbols=file.symbols[:MOST_SYMBOLS]) for file in request.files)
        done: list[ImportDone] = []
        job = engine.submit(replace(request, files=files))
        job.finished.connect(done.extend)
        series = [(file.path, symbol) for file in files for symbol in file.symbols]
        wait(qtbot, engine, lambda job=job: job.is_over, series)  # type: ignore[misc]
        faults += [f"{each.path}: {each.error}" for each in done if _RAW.search(each.error)]
        mutants = [each for each in done if each.path != str(plain)]
        taken += sum(not each.error for each in mutants)
        refused += sum(bool(each.error) for each in mutants)
        assert [each.error for each in done if each.path == str(plain)] == [""]
    assert not faults, f"{len(faults)} of {COUNT}:\n" + "\n".join(faults[:5])
    assert not ended
    assert taken or not is_long()
    most = peak_bytes(engine)
    assert most < MOST_BYTES
    headings = ("files", "series to import", "imported", "refused", "most memory")
    figures = (COUNT, taken + refused, taken, refused, f"{most / 1e6:.0f} MB")
    record("import dialog", headings, [figures], with_seed=True)
