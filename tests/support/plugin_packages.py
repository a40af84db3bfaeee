"""Installed plugin packages for tests: a module and its dist-info in a folder that is put on the path."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest

from quantcrafter.engine.plugins import forget_registry

API = """
from quantcrafter.engine.api import *
from quantcrafter.engine.api import hookimpl
"""

INDICATOR = '''
class Demo(Indicator):
    """Pass the input on."""
    name = "{name}"
    input: SeriesInput = port("Any series.")

    def compute(self, input):
        return input
'''


@contextmanager
def plugin_site(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a folder on the import path for plugin packages; its modules are forgotten afterwards."""
    monkeypatch.setenv("QUANTCRAFTER_HOME", str(folder / "home"))
    site = folder / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    before = set(sys.modules)
    forget_registry()
    yield site
    for name in set(sys.modules) - before:
        if str(site) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]
    forget_registry()


def install(folder: Path, name: str, body: str, *, version: str = "1.2.3", entry_point: str = "") -> None:
    """Write a package `name` with one module of that name and an entry point for it into `folder`."""
    folder.mkdir(exist_ok=True, parents=True)
    module = name.replace("-", "_")
    (folder / f"{module}.py").write_text(API + textwrap.dedent(body), encoding="utf-8")
    info = folder / f"{module}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(
        f"[quantcrafter.plugins]\n{entry_point or name} = {module}\n", encoding="utf-8"
    )


def indicator(name: str) -> str:
    """Return the source of a complete indicator class `Demo` of that name."""
    return INDICATOR.format(name=name)


def module(name: str, body: str) -> ModuleType:
    """Return a module made of `body`, with all of the api's names in it."""
    made = ModuleType(name)
    exec(compile(API + textwrap.dedent(body), f"{name}.py", "exec", dont_inherit=True), vars(made))  # noqa: S102 - a module without a file
    return made
