"""A new plugin's folder, made from one of the two that come with the program, which are plugins that work."""

from __future__ import annotations

import keyword
import re
import shutil
import tempfile
from importlib import resources
from pathlib import Path

from quantcrafter.engine.api import PluginError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.os_errors import os_error_text
from quantcrafter.engine.api.wording import shown_path

SMALL, COMPLETE = "mine", "demo"
"""The plugin that a new one is made from: an indicator and a filter, or one of each kind with a data provider."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_TAKEN = frozenset({"bars", "ta", "quantcrafter"})


def create_plugin(name: str, parent: Path, *, complete: bool = False) -> Path:
    """Write the folder `quantcrafter_NAME` of a plugin with tests into `parent`, and return it.

    The folder is there as a whole or not at all.

    Raises:
        PluginError: the name can't be that of a plugin, the folder is there already, or it can't be written.
    """
    if not _NAME.fullmatch(name) or keyword.iskeyword(name) or name in _TAKEN:
        raise PluginError(
            Message(
                "A plugin's name has 1 to 40 small letters, digits and underscores, begins with a letter and is "
                "not a reserved word of Python or QuantCrafter, was '{name}'. Choose another, such as 'momentum'.",
                name=name,
            )
        )
    if not parent.is_dir():
        raise PluginError(
            Message("'{parent}' is not a folder. Make it first, or choose another.", parent=shown_path(parent))
        )
    target = parent / f"quantcrafter_{name}"
    if target.exists() or target.is_symlink():
        raise PluginError(
            Message(
                "'{target}' already exists. Choose another name or folder, or delete it.", target=shown_path(target)
            )
        )
    try:
        with tempfile.TemporaryDirectory(dir=parent, prefix=f".quantcrafter_{name}-") as folder:
            made = Path(folder) / "made"
            _write(COMPLETE if complete else SMALL, name, made)
            shutil.move(made, target)
    except OSError as error:
        raise PluginError(os_error_text(error)) from error
    return target


def _write(template: str, name: str, made: Path) -> None:
    word = re.compile(rf"(?<![A-Za-z]){template}(?![A-Za-z])")
    source = Path(str(resources.files("quantcrafter.resources").joinpath("plugins", f"quantcrafter_{template}")))
    for path in sorted(source.rglob("*")):
        if path.suffix not in (".py", ".toml", ".md"):
            continue
        place = made / word.sub(name, path.relative_to(source).as_posix())
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(word.sub(name, path.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
