"""Which gateway of vnpy is meant, and its settings: what feed and broker of `vnpy` have in common."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.wording import shown_path
from quantcrafter.engine.brokers.credentials import secrets_of

SIMULATED = "simulated"
"""The gateway that comes with the program."""

INSTALL = "pip install 'quantcrafter[vnpy]'"

_CLASS = re.compile(r"vnpy_[a-z0-9_]+(\.[A-Za-z0-9_]+)*\.[A-Z][A-Za-z0-9]*")
_SECRET = re.compile(r"pass|secret|token|key|密码|授权|密钥", re.IGNORECASE)
_REFERENCE = re.compile(r"(env|keyring):([A-Za-z0-9_]+)")


def checked_gateway(text: str) -> str:
    """Return the name of a gateway if it can be one.

    Raises:
        ValueError: it is neither `simulated` nor a class of a package of vnpy.
    """
    if text != SIMULATED and _CLASS.fullmatch(text) is None:
        raise ValueError(
            Message(
                "a gateway is '{simulated}' or a class in a package of vnpy such as vnpy_ctp.CtpGateway, was '{text}'",
                simulated=SIMULATED,
                text=text,
            )
        )
    return text


def settings_beside(path: str, folder: str) -> str:
    """Return the path of the settings, taken from a folder if it is relative; '' for none."""
    return str(Path(folder, Path(path).expanduser()).absolute()) if path else ""


def settings_from(path: str, gateway: str) -> Mapping[str, Any]:
    """Return the settings in a JSON file, such as vnpy keeps them; '' for none.

    A value `env:NAME` is taken from the environment, or from the keyring. Secrets are only allowed so.

    Raises:
        RunError: the file can't be read, a secret stands in it, or one that it names is missing.
    """
    if not path:
        return {}
    try:
        read = json.loads(Path(path).expanduser().read_text(encoding="utf-8"))
        given = dict(read)
    except (OSError, ValueError, TypeError) as error:
        raise RunError(
            Message(
                "{path}: the settings of '{gateway}' can't be read: {error}. Give a JSON object.",
                path=shown_path(path),
                gateway=gateway,
                error=str(error),
            )
        ) from error
    for name, value in given.items():
        found = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
        if found is not None:
            given[name] = os.environ.get(found[2]) or secrets_of("", "", [found[2]])[found[2]]
        elif _SECRET.search(name) and value:
            raise RunError(
                Message(
                    "{path}: '{name}' is a secret, which doesn't belong in a file. Write 'env:NAME', and set NAME in "
                    "the environment.",
                    path=shown_path(path),
                    name=name,
                )
            )
    return given
