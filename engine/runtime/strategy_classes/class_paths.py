"""From where strategy classes may be imported: `engine-classes.json` in the user's directory; nowhere by default.

A strategy class is code, and importing it runs it. So a path must be allowed by the user once, by a command; no
strategy file can do it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.home import home
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.os_errors import fault
from quantcrafter.engine.api.wording import did_you_mean, shown_path
from quantcrafter.engine.stats.whole_files import write_whole

_MODULE = re.compile(r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$")


@dataclass(frozen=True, slots=True)
class AllowedPath:
    """A module or package from which classes may be imported, with all that is below it.

    `folder` is where it is searched for when it is not installed; '' for installed packages only.
    """

    module: str
    folder: str = ""

    def covers(self, path: str) -> bool:
        """Return whether the class `package.module.Class` is in it."""
        module = path.rpartition(".")[0]
        return module == self.module or module.startswith(f"{self.module}.")


def class_paths_file() -> Path:
    """Return the file that lists the allowed paths."""
    return home() / "engine-classes.json"


def allowed_paths() -> tuple[AllowedPath, ...]:
    """Return the allowed paths, in the order in which they were allowed.

    Raises:
        RunError: the file cannot be read; nothing is allowed then.
    """
    path = class_paths_file()
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))["allowed"]
        return tuple(AllowedPath(str(each["module"]), str(each.get("folder", ""))) for each in listed)
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        why = (
            fault(error, "read").cause if isinstance(error, OSError) else Message("it is not a JSON list of this kind")
        )
        raise RunError(
            Message(
                "The list of allowed strategy classes, '{path}', can't be read: {why}. Repair or delete it; "
                "until then no class is imported.",
                path=shown_path(path),
                why=why,
            )
        ) from error


def allow(module: str, folder: str | Path = "") -> AllowedPath:
    """Allow classes of a module or package, and return it as it is listed now.

    Raises:
        RunError: that is no module's name, there is no such folder, or the list cannot be read or written.
    """
    if not _MODULE.match(module):
        raise RunError(
            Message(
                "A module is names with dots between, such as my_strategies or package.module, was '{module}'.",
                module=module,
            )
        )
    where = Path(folder).expanduser().absolute() if str(folder) else None
    if where is not None and not where.is_dir():
        raise RunError(
            Message("The folder of '{module}' must exist, but '{folder}' doesn't.", module=module, folder=where)
        )
    made = AllowedPath(module, "" if where is None else str(where))
    _write([*(each for each in allowed_paths() if each.module != module), made])
    return made


def disallow(module: str) -> None:
    """Take a module or package off the list.

    Raises:
        RunError: it is not on the list, or the list cannot be read or written.
    """
    listed = allowed_paths()
    names = [each.module for each in listed]
    if module not in names:
        remedy = did_you_mean(module, names) or (
            Message("Allowed: {names}.", names=", ".join(names)) if names else Message("Nothing is allowed.")
        )
        raise RunError(
            Message("'{module}' is not on the list of allowed strategy classes. {remedy}", module=module, remedy=remedy)
        )
    _write([each for each in listed if each.module != module])


def check_allowed(path: str) -> AllowedPath:
    """Return the entry that allows a class, the longest one if several do.

    Raises:
        RunError: the path is no class path, or none allows it.
    """
    if path.count(".") == 0 or not _MODULE.match(path):
        raise RunError(Message("A strategy class is named as package.module.Class, was '{path}'.", path=path))
    covering = sorted((each for each in allowed_paths() if each.covers(path)), key=lambda each: len(each.module))
    if not covering:
        module = path.rpartition(".")[0]
        raise RunError(
            Message(
                "Importing '{path}' is not allowed: a class is code that runs with your rights. If you trust it, "
                "allow it once by: quantcrafter engines allow {module} --folder FOLDER (the folder that holds it; "
                "none if it is installed).",
                path=path,
                module=module,
            )
        )
    return covering[-1]


def modules_in(folder: str) -> tuple[str, ...]:
    """Return the top-level modules that are allowed in a folder; none in ''."""
    found = (each.module.partition(".")[0] for each in allowed_paths() if folder and each.folder == folder)
    return tuple(dict.fromkeys(found))


def _write(paths: Sequence[AllowedPath]) -> None:
    text = json.dumps({"allowed": [asdict(each) for each in paths]}, indent=2) + "\n"
    write_whole(class_paths_file(), text.encode(), Message("The list of allowed strategy classes"))
