"""The text after the colon of `--feed NAME:TEXT` and `--broker NAME:TEXT`: a place, then options as `,name=value`."""

from __future__ import annotations

import re
from pathlib import Path

_OPTION = re.compile(r",(?=[a-z_]+=)")
_ANY_OPTION = re.compile(r"([,?&;]|^)(\s*)([^,=?&;:/@]+)=")
_SHOWN_OPTIONS = frozenset(
    (
        "account",
        "bars",
        "begin",
        "columns",
        "decimal",
        "end",
        "price",
        "sandbox",
        "seed",
        "separator",
        "session",
        "settings",
        "silence_s",
        "source_timeframe",
        "speed",
        "stamp",
        "stream",
        "symbols",
        "tick",
        "time_format",
        "timeframe",
        "timezone",
        "volatility",
    )
)
"""Options whose values are no secrets. What another option holds, of a plugin or misspelt, may be one."""
_ADDRESS = "://"
MASK = "***"


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


def shown_text(text: str) -> str:
    """Return a text such as `ccxt:binance,secret=x,url=https://u:p@h/` as it may be shown and logged.

    The login and the query of an address, and the values of options that are not known to be harmless, are `***`.
    """
    name, colon, rest = text.partition(":")
    if rest.startswith("//"):  # an address without a name before it
        return shown_address(text)
    marks = [*_ANY_OPTION.finditer(rest)]
    place = rest[: marks[0].start()] if marks else rest
    parts = [_shown(place, rest[len(place) :])]
    for mark, following in zip(marks, [*marks[1:], None], strict=False):
        value = rest[mark.end() : following.start() if following is not None else len(rest)]
        option = mark[3].strip()
        is_shown = option in _SHOWN_OPTIONS or (option == "url" and _ADDRESS in value)
        shown = _shown(value, rest[mark.end() + len(value) :]) if is_shown and mark[1] in ("", ",") else MASK
        parts.append(f"{mark[0]}{shown}")
    return f"{name}{colon}{''.join(parts)}"


def _shown(value: str, after: str) -> str:
    """Return a place or a value; of an address whose login is cut by what looks like an option only the scheme."""
    if _ADDRESS in value and "@" in after and "@" not in value:
        return f"{value.partition(_ADDRESS)[0]}{_ADDRESS}{MASK}"
    return shown_address(value)


def shown_address(address: str) -> str:
    """Return an address without its login, query and fragment; a text that is none stays."""
    scheme, between, rest = address.partition(_ADDRESS)
    if not between:
        login, at, host = address.rpartition("@")
        return f"{MASK}@{host}" if at and ":" in login else address
    place, slash, after = rest.partition("/")
    if "@" in rest:
        place, slash, after = rest.rpartition("@")[2].partition("/")
        place = f"{MASK}@{place}"
    return f"{scheme}{between}{place}{slash}{re.split('[?#]', after)[0]}"
