"""Sends a bundle to the API of another computer."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.message import Message

TIMEOUT_S = 60.0
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_LONGEST_ANSWER = 1_000_000


def push(bundle: Mapping[str, Any], url: str, token: str) -> dict[str, Any]:
    """Send a bundle to `URL/store/push`, and return the answer.

    Raises:
        RunError: the address is wrong or not encrypted, the server can't be reached, or it refuses; it says why.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise RunError(
            Message(
                "The address of a server begins with https://, was '{scheme}://{host}'. Without TLS, only this "
                "computer can be reached (http://127.0.0.1:PORT).",
                scheme=parts.scheme,
                host=parts.hostname or "",
            )
        )
    place = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}/store/push"
    request = urllib.request.Request(  # noqa: S310 - checked above
        place,
        data=json.dumps(bundle).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        method="POST",
    )
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=TIMEOUT_S) as response:
            answer = json.loads(response.read(_LONGEST_ANSWER))
    except urllib.error.HTTPError as error:
        with error:
            raise RunError(
                Message(
                    "'{place}' refuses the strategy: {reason}",
                    place=place,
                    reason=_reason(error.code, error.read(_LONGEST_ANSWER)),
                )
            ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise RunError(
            Message("'{place}' can't be reached: {error}. Is the server running?", place=place, error=str(reason))
        ) from error
    return answer if isinstance(answer, dict) else {}


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the token is for the server that was named."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _reason(code: int, body: bytes) -> str:
    try:
        told = json.loads(body)
        text = str(told.get("error") or told.get("detail") or told)
    except (ValueError, AttributeError):
        text = body.decode("utf-8", "replace")[:200]
    return f"{code} {text}".strip()
