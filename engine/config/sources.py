"""Where settings come from: the environment, before `config/.env`, before `config/production.json`, before defaults.

1. The folder is the one that is named, else `config` in the working folder, else that in the data folder.
2. Each source gives values by path. Values of the environment are text, and lists and mappings are JSON in it.
3. All are checked together: a file that is broken is named, with the line, and nothing of it is used.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_settings import EnvSettingsSource, SettingsError

from quantcrafter.engine.api.home import home
from quantcrafter.engine.api.message import Message, joined
from quantcrafter.engine.api.os_errors import fault
from quantcrafter.engine.api.place import MASK, shown_address, shown_text
from quantcrafter.engine.api.wording import did_you_mean, shown_path
from quantcrafter.engine.config.errors import ConfigError
from quantcrafter.engine.config.secrets import kept_in_keyring
from quantcrafter.engine.config.settings import DELIMITER, FIRST_NAMES, PLACES, PREFIX, SECRETS, ServerSettings

VARIABLE = "QUANTCRAFTER_CONFIG"
"""Names the folder, as --config does, for processes that are started."""
FILE, ENVIRONMENT_FILE = "production.json", ".env"
DEFAULT = "default"
_KEYRING = "keyring:"
_OTHER_USES = ("HOME", "CONFIG", "ALLOW_FOLDERS", "USUAL_UMASK", "DATA_LIMIT", "WAITS_FOR_WORKERS", "API")


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings, the folder that they are from, and for each path where its value comes from.

    `unused` are names in files of ours that set nothing.
    """

    settings: ServerSettings
    folder: Path
    origins: Mapping[str, str]
    unused: tuple[str, ...] = ()

    def values(self) -> dict[str, Any]:
        """Return the settings by path, with passwords masked."""
        return {path: masked(path, value) for path, value in flat(self.settings.model_dump(mode="json")).items()}

    def store_place(self) -> str:
        """Return where strategies are kept, for `open_store`."""
        return self.settings.mongo_uri or self.settings.store or str(home() / "strategies.db")


def config_folder(named: Path | None = None) -> Path:
    """Return the folder of the configuration, which need not exist.

    Raises:
        ConfigError: it is named, and doesn't exist.
    """
    given = named or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    if given is not None:
        folder = given.parent if given.is_file() else given
        if not folder.is_dir():
            raise ConfigError(
                Message("There is no folder '{folder}'. Make it, or name another.", folder=shown_path(given))
            )
        return folder.absolute()
    here = Path("config")
    if any((here / name).is_file() for name in (FILE, ENVIRONMENT_FILE)):
        return here.absolute()
    return home() / "config"


def load_configuration(named: Path | None = None) -> Configuration:
    """Return the configuration.

    Args:
        named: the folder, or the JSON file in it; None for where it usually is.

    Raises:
        ConfigError: a file can't be read, or something in it is wrong; it says all that is.
    """
    folder = config_folder(named)
    file = named if named is not None and named.is_file() else folder / FILE
    environment_file = folder / ENVIRONMENT_FILE
    texts = _read_environment_file(environment_file)
    sources = {
        "environment": _of_variables(os.environ, "environment"),
        str(environment_file): _of_variables(texts, shown_path(environment_file)),
        str(file): flat(_read_json(file)),
    }
    merged: dict[str, Any] = {}
    origins = dict.fromkeys(paths(), DEFAULT)
    for name, values in reversed(sources.items()):
        for path, value in values.items():
            merged[path] = value
            origins[path] = name
    settings = _checked(merged, origins)
    unused = tuple(_unused(texts))
    wrong = [name for name in unused if name.upper().startswith(PREFIX)]
    if wrong:
        raise ConfigError(joined([_no_setting(shown_path(environment_file), name, _variables()) for name in wrong]))
    return Configuration(settings, folder, origins, unused)


# ------------------------------------------------------------------------------------------------------------- reading


class _Variables(EnvSettingsSource):
    """What variables set, of the environment or of a file."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        known = {name.lower(): value for name, value in variables.items()}
        first = {
            variable_of(path).lower(): known[name.lower()]
            for name, path in FIRST_NAMES.items()
            if name.lower() in known
        }
        self._given = first | {name: value for name, value in known.items() if name.startswith(PREFIX.lower())}
        super().__init__(ServerSettings)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return self._given


def _of_variables(variables: Mapping[str, str], place: str) -> dict[str, Any]:
    """Return what variables set, by path; our own names go before those of the first generation."""
    try:
        return flat(_Variables(variables)())
    except SettingsError as error:
        text = Message("{place}: {error}. Lists and mappings are JSON.", place=place, error=str(error))
        raise ConfigError(text) from None  # the cause has the value


def _read_environment_file(path: Path) -> dict[str, str]:
    from dotenv.parser import parse_stream

    found: dict[str, str] = {}
    try:
        with path.open(encoding="utf-8-sig") as stream:
            for each in parse_stream(stream):
                if each.error or (each.key is not None and each.value is None):
                    raise ConfigError(
                        Message(
                            "{file}:{line}: a line must be NAME=VALUE. Correct it, or put '#' before it.",
                            file=shown_path(path),
                            line=each.original.line,
                        )
                    )
                if each.key is not None and each.value is not None:
                    found[each.key] = each.value
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from error
    return found


def _read_json(path: Path) -> dict[str, Any]:
    try:
        read = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=_once)
    except FileNotFoundError:
        return {}
    except json.JSONDecodeError as error:
        raise ConfigError(
            Message(
                "{file}:{line}:{column}: it is not JSON: {error}. Correct it.",
                file=shown_path(path),
                line=error.lineno,
                column=error.colno,
                error=error.msg,
            )
        ) from error
    except (OSError, UnicodeDecodeError, RecursionError) as error:
        raise _unreadable(path, error) from error
    except _TwiceError as error:
        raise ConfigError(
            Message(
                "{file}: the name '{name}' is there twice. Remove one of them.", file=shown_path(path), name=str(error)
            )
        ) from None
    if not isinstance(read, dict):
        raise ConfigError(
            Message("{file}: it must be a JSON object, with the settings by name.", file=shown_path(path))
        )
    return read


class _TwiceError(Exception):
    """A name is there twice in an object of JSON."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _TwiceError(name)
        found[name] = value
    return found


def _unreadable(path: Path, error: Exception) -> ConfigError:
    if isinstance(error, OSError):
        cause, remedy = fault(error)
    else:
        cause, remedy = str(Message("it is not text in UTF-8")), str(Message("Save it as UTF-8."))
    return ConfigError(
        Message(
            "The configuration '{file}' can't be read: {cause}. {remedy}",
            file=shown_path(path),
            cause=cause,
            remedy=remedy,
        )
    )


# ------------------------------------------------------------------------------------------------------------ checking


def _checked(merged: Mapping[str, Any], origins: Mapping[str, str]) -> ServerSettings:
    """Return the settings of values by path, with what the keyring keeps put in.

    Raises:
        ConfigError: something is wrong; it says all that is, and shows no secret.
    """
    whole: dict[str, Any] = {}
    for path, value in merged.items():
        *parents, name = path.split(".")
        place = whole
        for each in parents:
            place = place.setdefault(each, {})
        place[name] = _from_keyring(path, value)
    try:
        return ServerSettings.model_validate(whole)
    except ValidationError as error:
        raise ConfigError(joined([_sentence(each, origins) for each in error.errors()])) from None  # it has values


def _from_keyring(path: str, value: Any) -> Any:
    if path not in SECRETS or not isinstance(value, str) or not value.startswith(_KEYRING):
        return value
    if path.startswith("notices."):
        return value  # read when notices are sent; the environment may have them too
    found = kept_in_keyring(value.removeprefix(_KEYRING))
    if found is None:
        raise ConfigError(
            Message(
                "The setting '{path}' is '{value}', which the keyring doesn't have under the service 'quantcrafter'.",
                path=path,
                value=value,
            )
        )
    return found


def _no_setting(place: str, path: str, known: Iterable[str]) -> Message:
    remedy = did_you_mean(path, known) or Message("'quantcrafter config' lists all.")
    return Message("{place}: there is no setting '{path}'. {remedy}", place=place, path=path, remedy=remedy)


def wrong_place(found: Configuration, path: str, value: str, why: str) -> ConfigError:
    """Return the error of a setting that names a feed or broker which can't be used."""
    origin = found.origins[path]
    return ConfigError(
        Message(
            "{place}: the setting '{path}' was {value}: {text}.",
            place=origin if origin in ("environment", DEFAULT) else shown_path(origin),
            path=path,
            value=_shown_input(path, value),
            text=why,
        )
    )


def _shown_input(path: str, value: object) -> str:
    if path in PLACES and isinstance(value, str):
        return repr(shown_text(value))
    if isinstance(value, (int, float)):
        return repr(value)
    is_secret = any(path == each or path.startswith(f"{each}.") for each in (*SECRETS, *PLACES))
    return MASK if is_secret else repr(value)


def _sentence(error: Any, origins: Mapping[str, str]) -> Message:
    path = ".".join(map(str, error["loc"]))
    origin = next((name for known, name in origins.items() if known == path or path.startswith(f"{known}.")), "")
    origin = origin or next((name for known, name in origins.items() if known.startswith(f"{path}.")), "")
    place = shown_path(origin) if origin and origin != "environment" else "environment"
    if error["type"] == "extra_forbidden":
        return _no_setting(place, path, paths())
    text = error["msg"].removeprefix("Value error, ")
    return Message(
        "{place}: the setting '{path}' was {value}: {text}.",
        place=place,
        path=path,
        value=_shown_input(path, error["input"]),
        text=text[:1].lower() + text[1:],
    )


# ------------------------------------------------------------------------------------------------------------- details


def paths() -> tuple[str, ...]:
    """Return the path of every setting."""
    return tuple(_paths_of(ServerSettings))


def _paths_of(model: type[BaseModel], before: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _paths_of(field.annotation, f"{before}{name}.")
        else:
            yield f"{before}{name}"


def variable_of(path: str) -> str:
    """Return the variable of a setting."""
    return PREFIX + path.replace(".", DELIMITER).upper()


def flat(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Return nested values by path; what a strategy key means stays in one piece."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        path = f"{before}{name}"
        if isinstance(value, Mapping) and path != "strategies":
            found |= flat(value, f"{path}.")
        else:
            found[path] = value
    return found


def masked(path: str, value: Any) -> Any:
    """Return a value as it may be shown: without a login in it; of channels only the scheme."""
    if path == "notices.channels" and isinstance(value, list):
        return [_without_address(each) for each in value]
    if path == "notices.heartbeat_url" and value:
        return _without_address(value)
    if path in PLACES:
        return shown_text(value) if isinstance(value, str) else [shown_text(str(each)) for each in value]
    if path not in SECRETS or not isinstance(value, str) or "://" not in value:
        return value
    return shown_address(value)


def _without_address(text: str) -> str:
    """Return an entry without what may be secret in its address: the scheme, or the name of the secret, stays."""
    *before, address = text.split(None, 2)
    scheme, between, _ = address.partition("://")
    shown = f"{scheme}://***" if between else address if address.startswith(_KEYRING) else "***"
    return " ".join((*before, shown))


def _unused(variables: Mapping[str, str]) -> Iterator[str]:
    known = _variables()
    yield from (name for name in variables if name.upper() not in known)


def _variables() -> set[str]:
    return {*FIRST_NAMES, *(variable_of(path) for path in paths()), *(f"{PREFIX}{each}" for each in _OTHER_USES)}
