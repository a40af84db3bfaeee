"""A server with MongoDB's real protocol, in a process of its own, that can be killed and started again."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.support.supervised import wait_until


class MongoServer:
    """A server of the package nx-27017; `start` and `stop` may be called again and again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]

    @property
    def uri(self) -> str:
        """Where it is."""
        return f"mongodb://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        self.folder.mkdir(exist_ok=True)
        program = str(Path(sys.executable).parent / "nx-27017")
        options = ["--data-dir", str(self.folder / "data"), "-p", str(self.port)]
        options += ["--log-file", str(self.folder / "server.log"), "--pid-file", str(self.folder / "pid")]
        with (self.folder / "output.log").open("ab") as output:
            self._process = subprocess.Popen([program, *options], cwd=self.folder, stdout=output, stderr=output)
        wait_until(self._answers)

    def stop(self) -> None:
        """Kill it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def forget(self) -> None:
        """Remove its data, as a restore that failed does."""
        shutil.rmtree(self.folder / "data")

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "output.log").read_text()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 0.5):
            return True
        return False


@contextlib.contextmanager
def mongo_server(folder: Path) -> Iterator[MongoServer]:
    """Give a server that runs, and is killed in the end."""
    server = MongoServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
