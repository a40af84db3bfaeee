"""Where the API of a data folder is reached, its token, and the addresses at which logs are streamed.

1. `api.json` has the address while the API runs. `api-token` has the token of the user, and `api-secret` a key to sign
   with; both are made once, and only the user can read them.
2. The address of a log has a token of its own, which expires and reads that one log, so that it can be given to a
   program that shows logs.
"""

from __future__ import annotations

import json
import os
import secrets
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, urlsplit

from quantcrafter.engine.api.home import home
from quantcrafter.engine.api.locks import try_lock

STREAM_S = 12 * 3600.0
"""For how many seconds the address of a log can be used to connect."""
_LOG_STREAM = "log stream"


def api_folder() -> Path:
    """Return the folder of the API's files; it need not exist."""
    return home() / "orchestrator"


def api_token_file() -> Path:
    """Return the file with the user's token for the API; it need not exist."""
    return api_folder() / "api-token"


def address_file() -> Path:
    """Return the file that says where the API is reached; there is none while it doesn't run."""
    return api_folder() / "api.json"


def kept_secret(path: Path) -> str:
    """Return the random text of a file that only the user can read; it is made if there is none.

    Raises:
        OSError: it can't be read or made.
    """
    with suppress(FileNotFoundError):
        return path.read_text(encoding="utf-8").strip()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        write_private(path, secrets.token_urlsafe(32), only_new=True)
    return path.read_text(encoding="utf-8").strip()


def api_token() -> str:
    """Return the user's token for the API.

    Raises:
        OSError: it can't be read or made.
    """
    return kept_secret(api_token_file())


def signing_key() -> str:
    """Return the key that signs sessions and addresses of logs.

    Raises:
        OSError: it can't be read or made.
    """
    return kept_secret(api_folder() / "api-secret")


def write_private(path: Path, text: str, *, only_new: bool = False) -> None:
    """Write a file that only the user can read; others see all of it or the old one.

    Args:
        path: the file.
        text: its content.
        only_new: leave a file that exists as it is.

    Raises:
        FileExistsError: there is one, and `only_new` is given.
        OSError: it can't be written.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as stream:  # noqa: PTH123 - a descriptor
        stream.write(text)
    if not only_new:
        beside.replace(path)
        return
    try:
        path.hardlink_to(beside)
    finally:
        beside.unlink()


def lock_file() -> Path:
    """Return the file that is locked while the API runs; it need not exist."""
    return api_folder() / "api-lock"


def base_url() -> str | None:
    """Return the address of the API, such as `http://127.0.0.1:8000`; None while it doesn't run."""
    try:
        with lock_file().open("rb") as lock:
            if try_lock(lock):
                return None  # it was killed
        return str(json.loads(address_file().read_text(encoding="utf-8"))["base_url"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def log_stream_url(key: str, *, base: str | None = None, reader: str = "") -> str | None:
    """Return the address of a worker's log for a WebSocket, with a token; None while the API doesn't run.

    Args:
        key: the worker.
        base: the address of the API as its reader knows it; as it says itself if left out.
        reader: the user of the API to whom it is given; '' for the one whose data folder it is.
    """
    found = base_url() if base is None else base
    if found is None:
        return None
    try:
        token = sign(_LOG_STREAM, key, reader)
    except OSError:
        return None
    scheme, host = urlsplit(found)[:2]
    return f"{'wss' if scheme == 'https' else 'ws'}://{host}/workers/{quote(key, safe='')}/logs?token={token}"


def log_reader(token: str, key: str, *, lasts_s: float = STREAM_S) -> str | None:
    """Return whom the address of a worker's log was given to; None if it is of another log, too old, or not ours."""
    found = signed(_LOG_STREAM, token, lasts_s)
    return found[1] if found is not None and len(found) == 2 and found[0] == key else None  # noqa: PLR2004 - both


def sign(use: str, *values: str) -> str:
    """Return values as a text that nobody else can make; it has the time in it.

    Raises:
        OSError: the key can't be read.
    """
    from itsdangerous import URLSafeTimedSerializer

    return str(URLSafeTimedSerializer(signing_key(), salt=use).dumps(list(values)))


def signed(use: str, text: str, lasts_s: float) -> list[str] | None:
    """Return the values of such a text; None if it is not ours, of another use, or older than `lasts_s`.

    Raises:
        OSError: the key can't be read.
    """
    from itsdangerous import BadData, URLSafeTimedSerializer

    try:
        found = URLSafeTimedSerializer(signing_key(), salt=use).loads(text, max_age=int(lasts_s))
    except BadData:
        return None
    return [str(each) for each in found] if isinstance(found, list) else None
