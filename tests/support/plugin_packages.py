"""Installed plugin packages for tests: a module and its dist-info in a folder that is put on the path."""

from __future__ import annotations

import textwrap
from pathlib import Path
from types import ModuleType

API = """
from engine.api import *
from engine.api import hookimpl
"""

INDICATOR = '''
class Demo(Indicator):
    """Pass the input on."""
    name = "{name}"
    input: SeriesInput = port("Any series.")

    def compute(self, input):
        return input
'''


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
