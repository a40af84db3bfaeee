"""A new node file of the user's folder, from a small indicator that works."""

from __future__ import annotations

import keyword
import re
from pathlib import Path

from quantcrafter.engine.api import PluginError
from quantcrafter.engine.api.home import node_folder
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.os_errors import os_error_text
from quantcrafter.engine.api.wording import shown_path

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_TEMPLATE = '''\
"""Node file of QuantCrafter. Save it, and the desktop loads it again."""

from quantcrafter import FloatColumn, Indicator, SeriesInput, param, port


class {cls}(Indicator):
    """Give the distance of a line from its own value some bars ago. Known at the bar's close."""

    name = "my.{name}"
    line: SeriesInput = port("The line.", default="bars.close")
    bars: int = param("How many bars ago.", default=10, ge=1)

    def compute(self, line: FloatColumn) -> FloatColumn:
        distance = line.copy()
        distance[: self.bars] = float("nan")
        distance[self.bars :] = line[self.bars :] - line[: -self.bars]
        return distance
'''


def create_node_file(name: str) -> Path:
    """Write a node file with a small indicator `my.NAME` into the user's folder, and return its path.

    Raises:
        PluginError: the name can't be that of a node file, the file is there already, or it can't be written.
    """
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise PluginError(
            Message(
                "A node file's name has 1 to 40 small letters, digits and underscores, begins with a letter and is not "
                "a reserved word of Python, was '{name}'. Choose another, such as 'momentum'.",
                name=name,
            )
        )
    path = node_folder() / f"{name}.py"
    text = _TEMPLATE.format(name=name, cls="".join(part.title() for part in name.split("_")))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise PluginError(
            Message("'{target}' already exists. Choose another name, or delete it.", target=shown_path(path))
        ) from None
    except OSError as error:
        raise PluginError(os_error_text(error)) from error
    return path
