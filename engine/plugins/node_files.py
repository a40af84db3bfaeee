"""Nodes in one file: each `.py` file in the folder `nodes` of the user's directory is a plugin once it is allowed.

A file with hooks is read by them, as an installed plugin is. A file without any brings the component classes that it
defines. Files whose name begins with `_` or `.` are left alone.
"""

from __future__ import annotations

import importlib.util
import inspect
import re
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from quantcrafter.engine.api import Component, Role, hookimpl, hookspecs
from quantcrafter.engine.api.foreign import text_of
from quantcrafter.engine.api.home import node_folder
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.plugins.checks import COMPONENT_HOOKS
from quantcrafter.engine.plugins.info import PluginRefusedError

_PREFIX = "quantcrafter_node_files."


NODE_FILE_LIMIT_S = 20.0
"""Maximum time for running a node file once: the desktop does so at each save."""
_QUOTED = re.compile(r"""["']([A-Za-z_]\w*(?:\.\w+)*)["']""")


def node_files() -> tuple[Path, ...]:
    """Return the node files, allowed or not, by name."""
    folder = node_folder()
    try:
        found = [path for path in folder.iterdir() if path.suffix == ".py" and path.name[0] not in "._"]
    except OSError:
        return ()
    return tuple(sorted(path for path in found if path.is_file()))


def names_in(path: Path) -> frozenset[str]:
    """Return what is quoted in a node file and may be a component's name, without running it; nothing if unreadable."""
    try:
        return frozenset(_QUOTED.findall(path.read_text(encoding="utf-8", errors="replace")))
    except OSError:
        return frozenset()


def load_node_file(path: Path) -> object:
    """Run a node file and return what registers its components: the module itself if it has hooks.

    Raises:
        PluginRefusedError: it defines no component and no hook, or it raised; the message names the line.
    """
    name = _PREFIX + path.stem
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise PluginRefusedError(Message("'{path}' can't be read as a Python file.", path=path))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # pydantic looks annotations up there
    try:
        source = path.read_bytes()  # not through the loader: a file saved twice within a second is compiled again
        exec(compile(source, str(path), "exec", dont_inherit=True), module.__dict__)  # noqa: S102 - the user allowed it
    except Exception as error:
        raise PluginRefusedError(
            Message(
                "{file}, line {line}: {type}: {text}",
                file=path.name,
                line=_line_of(error, path),
                type=type(error).__name__,
                text=error.msg if isinstance(error, SyntaxError) else text_of(error),
            ),
            traceback=traceback.format_exc(),
        ) from error
    if any(hasattr(member, f"{hookspecs.PROJECT}_impl") for member in vars(module).values()):
        return module
    return _hooks_for(module, path)


def _line_of(error: Exception, path: Path) -> int:
    """Return the last line of the file that was running, or the one that can't be read as Python."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return error.lineno or 0
    lines = [frame.lineno or 0 for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return lines[-1] if lines else 0


def _hooks_for(module: ModuleType, path: Path) -> object:
    """Return an object with a hook for each role of which the module defines component classes."""
    defined = [
        member
        for member in vars(module).values()
        if inspect.isclass(member)
        and issubclass(member, Component)
        and member.__module__ == module.__name__
        and not member.__name__.startswith("_")
    ]
    if not defined:
        raise PluginRefusedError(
            Message(
                "'{file}' defines no component: derive a class from Indicator, Logic, Advisor, Filter, RiskManager, "
                "MoneyManager or ExecutionLogic.",
                file=path.name,
            )
        )
    made = ModuleType(module.__name__)
    for hook, roles in COMPONENT_HOOKS.items():
        classes = [each for each in defined if _role_of(each) in roles]
        if classes:
            setattr(made, hook, _hook(classes))
    return made


def _role_of(cls: type[Component]) -> Role | None:
    return getattr(cls, "role", None)


def _hook(classes: list[type[Component]]) -> Any:
    @hookimpl
    def register() -> list[type[Component]]:
        return classes

    return register
