"""The text after the colon of `--feed NAME:TEXT` and `--broker NAME:TEXT`: a place, then options as `,name=value`."""

from __future__ import annotations

import re
from pathlib import Path

_OPTION = re.compile(r",(?=[a-z_]+=)")


def place_and_options(text: str) -> tuple[str, dict[str, str]]:
    """Return the place, and the options by name, such as `60x` and `{"seed": "7"}` for `60x,seed=7`."""
    place, *rest = _OPTION.split(text) if not re.match(r"[a-z_]+=", text) else ("", *_OPTION.split(text))
    pairs = (each.partition("=") for each in rest)
    return place, {name: value for name, _, value in pairs}


def settings_from_folder(text: str, folder: Path) -> str:
    """Return a text such as `vnpy:vnpy_ctp.CtpGateway,settings=ctp.json` with its file of settings in a folder.

    A file with an absolute path, and a text without such an option, stay as they are.
    """
    name, colon, rest = text.partition(":")
    place, options = place_and_options(rest)
    if not options.get("settings"):
        return text
    options["settings"] = str(Path(folder, Path(options["settings"]).expanduser()))
    return f"{name}{colon}{place}" + "".join(f",{option}={value}" for option, value in options.items())
