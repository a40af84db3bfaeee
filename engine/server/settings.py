"""Where the API listens, and who may reach it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from quantcrafter.engine.api import RunError

DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 8720
_HIGHEST_PORT = 65_535
PREFIX = "QUANTCRAFTER_API_"


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """The settings of the API.

    Args:
        host: the address on which it listens.
        port: the port; None for `DEFAULT_PORT`, or any free one if that is taken.
        certificate: the file of the certificate for TLS, and `key` that of its key.
        key: see `certificate`.
        proxies: the names under which a proxy with TLS is reached, which hands requests over.
        open_schema: show the API page and the schema without a token.
    """

    host: str = DEFAULT_HOST
    port: int | None = None
    certificate: Path | None = None
    key: Path | None = None
    proxies: tuple[str, ...] = ()
    open_schema: bool = False

    @classmethod
    def of_environment(cls, environment: Mapping[str, str] | None = None) -> ApiSettings:
        """Return the settings that variables of the environment give; `docs/api.md` lists them.

        Raises:
            RunError: one is wrong, or others could listen in.
        """
        given = os.environ if environment is None else environment

        def text(name: str) -> str:
            return given.get(PREFIX + name, "").strip()

        port = text("PORT") or given.get("API_PORT", "").strip()  # the latter as the first generation names it
        certificate, key = text("CERTIFICATE"), text("KEY")
        made = cls(
            host=text("HOST") or DEFAULT_HOST,
            port=_port(port) if port else None,
            certificate=Path(certificate) if certificate else None,
            key=Path(key) if key else None,
            proxies=tuple(each.strip().lower() for each in text("PROXY").split(",") if each.strip()),
            open_schema=text("OPEN_SCHEMA").lower() in ("1", "true", "yes"),
        )
        made.check()
        return made

    def check(self) -> None:
        """Refuse to listen where others could read the token.

        Raises:
            RunError: it listens beyond loopback, without TLS or a proxy; or a file of TLS is missing.
        """
        for name, path, other in (("CERTIFICATE", self.certificate, self.key), ("KEY", self.key, self.certificate)):
            if path is not None and not path.is_file():
                raise RunError(f"{PREFIX + name} names a file, was '{path}', which doesn't exist.")
            if path is None and other is not None:
                raise RunError(f"TLS needs a certificate and its key. Set {PREFIX + name}.")
        if not is_loopback(self.host) and self.certificate is None and not self.proxies:
            raise RunError(
                f"The API listens beyond this computer only with TLS or behind a proxy, and '{self.host}' "
                f"is beyond it. Set {PREFIX}CERTIFICATE and {PREFIX}KEY, or {PREFIX}PROXY to the name under "
                "which the proxy is reached."
            )

    @property
    def is_secure(self) -> bool:
        """Whether browsers reach it by HTTPS."""
        return self.certificate is not None or bool(self.proxies)

    def base_url(self, port: int) -> str:
        """Return its address, with the port on which it listens."""
        scheme = "https" if self.certificate is not None else "http"
        host = "127.0.0.1" if self.host in ("", "0.0.0.0", "::") else self.host  # noqa: S104 - how it is reached here
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def is_loopback(host: str) -> bool:
    """Return whether only programs of this computer reach an address."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > _HIGHEST_PORT:
        raise RunError(f"{PREFIX + 'PORT'} is a port from 0 to {_HIGHEST_PORT}, was '{text}'. Take 0 for any free one.")
    return int(text)
