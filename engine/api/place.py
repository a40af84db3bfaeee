"""The text after the colon of `--feed NAME:TEXT` and `--broker NAME:TEXT`: a place, then options as `,name=value`."""

from __future__ import annotations

import re

_OPTION = re.compile(r",(?=[a-z_]+=)")


def place_and_options(text: str) -> tuple[str, dict[str, str]]:
    """Return the place, and the options by name, such as `60x` and `{"seed": "7"}` for `60x,seed=7`."""
    place, *rest = _OPTION.split(text) if not re.match(r"[a-z_]+=", text) else ("", *_OPTION.split(text))
    pairs = (each.partition("=") for each in rest)
    return place, {name: value for name, _, value in pairs}
