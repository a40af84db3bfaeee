"""The process that compiles ahead: one at a time, and none where the machine code is there already."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from quantcrafter.engine.api.locks import try_lock
from quantcrafter.engine.simulation import ahead

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a lock of this process doesn't keep itself out there")


def test_processes_that_start_at_once_wait_for_the_one_that_compiles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = tmp_path / "native.ready"
    monkeypatch.setattr(ahead, "_marker", lambda **_: marker)
    monkeypatch.setattr(os, "nice", lambda _: 0)
    compiled: list[str] = []

    def compile_ahead(*, with_rare: bool) -> None:
        assert not with_rare
        compiled.append("again")
        marker.touch()

    monkeypatch.setattr(ahead, "compile_ahead", compile_ahead)
    ahead.main(with_rare=False)
    ahead.main(with_rare=False)
    assert compiled == ["again"]

    marker.unlink()
    with marker.with_suffix(".lock").open("ab") as stream:
        assert try_lock(stream)

        def see(seconds: float) -> None:
            assert seconds == ahead.LOOK_S
            marker.touch()  # the other one is done
            stream.close()

        monkeypatch.setattr(time, "sleep", see)
        ahead.main(with_rare=False)
    assert compiled == ["again"]


def test_a_second_process_on_a_cold_machine_uses_no_processor_while_the_first_compiles(tmp_path: Path) -> None:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    ask = "from quantcrafter.engine.simulation import ahead; print(ahead._marker(with_rare=False).with_suffix('.lock'))"
    asked = subprocess.run(
        [sys.executable, "-c", ask], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    lock = Path(asked.stdout.strip())
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("ab") as stream:
        assert try_lock(stream)
        process = subprocess.Popen([sys.executable, "-m", "quantcrafter.engine.simulation.ahead"], env=environment)
        try:
            time.sleep(5.0)
            assert process.poll() is None
            loaded = Path(f"/proc/{process.pid}/maps")
            if loaded.exists():
                assert "llvmlite" not in loaded.read_text()
        finally:
            process.kill()
            process.wait()
