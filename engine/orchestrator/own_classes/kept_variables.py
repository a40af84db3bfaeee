"""Position and variables of a strategy object, kept in a file of its worker's folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from quantcrafter.engine.adapters.classes.stepping import own_variables
from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.wording import shown_path
from quantcrafter.engine.stats.whole_files import write_whole

VARIABLES = "variables.json"
_OWN_TO_VNPY = ("inited", "trading")


def keep_variables(folder: Path, strategy: object) -> None:
    """Write the plain variables of a strategy, all or nothing.

    Raises:
        RunError: the file can't be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(own_variables(strategy), indent=2) + "\n"
    write_whole(folder / VARIABLES, text.encode(), Message("The variables of the strategy"))


def restore_variables(folder: Path, strategy: object) -> None:
    """Set the variables that were kept, if there are any.

    Raises:
        RunError: the file is damaged; the strategy is as it was.
    """
    path = folder / VARIABLES
    try:
        kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        values = {str(name): value for name, value in kept.items() if name not in _OWN_TO_VNPY}
    except FileNotFoundError:
        return
    except (OSError, ValueError, AttributeError) as error:
        raise RunError(
            Message(
                "The kept variables of the strategy, '{path}', can't be read: {error}. Check what it holds, and "
                "repair or remove the file.",
                path=shown_path(path),
                error=error,
            )
        ) from error
    for name, value in values.items():
        setattr(strategy, name, value)
