"""The addresses of an exchange at another server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit


def moved_urls(urls: Any, server: str, hostname: str | None) -> Any:
    """Return the addresses of an exchange at another host, those of streams as streams."""
    if isinstance(urls, Mapping):
        return {name: moved_urls(each, server, hostname) for name, each in urls.items()}
    there, old = urlsplit(server), urlsplit(str(urls).replace("{hostname}", hostname or ""))
    secure = there.scheme == "https"
    scheme = there.scheme if not old.scheme.startswith("ws") else "wss" if secure else "ws"
    return urlunsplit((scheme, there.netloc, there.path.rstrip("/") + old.path, "", ""))
