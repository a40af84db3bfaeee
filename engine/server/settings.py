"""Where the API listens, and who may reach it."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from quantcrafter.engine.api import RunError
from quantcrafter.engine.config.settings import ServerSettings
from quantcrafter.engine.config.sources import DEFAULT, Configuration

DEFAULT_PORT = ServerSettings.model_fields["api_port"].default
DEFAULT_HOST = ServerSettings.model_fields["api_host"].default


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """The settings of the API.

    Args:
        host: the address on which it listens.
        port: the port; None for `DEFAULT_PORT`, or any free one if that is taken.
        certificate: the file of the certificate for TLS, and `key` that of its key.
        key: see `certificate`.
        names: the names and addresses under which it is reached itself, beside `host` and those of this computer.
        proxies: the names under which a proxy with TLS is reached, which hands requests over.
        open_schema: show the API page and the schema without a token.
        figures: give figures to Prometheus.
        figures_port: a port of this computer at which they need no token; None for the port of the API, with a token.
    """

    host: str = DEFAULT_HOST
    port: int | None = None
    certificate: Path | None = None
    key: Path | None = None
    names: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    open_schema: bool = False
    figures: bool = True
    figures_port: int | None = None

    @classmethod
    def of(cls, configuration: Configuration) -> ApiSettings:
        """Return the settings of a configuration; a port that is not given is a wish.

        Raises:
            RunError: others could listen in, or a file of TLS is missing.
        """
        given = configuration.settings
        made = cls(
            host=given.api_host,
            port=None if configuration.origins["api_port"] == DEFAULT else given.api_port,
            certificate=Path(given.api_certificate) if given.api_certificate else None,
            key=Path(given.api_certificate_key) if given.api_certificate_key else None,
            names=tuple(each.lower() for each in given.api_names),
            proxies=tuple(each.lower() for each in given.api_proxy),
            open_schema=given.api_open_schema,
            figures=given.monitoring.enabled,
            figures_port=given.monitoring.prometheus_port,
        )
        made.check()
        return made

    def check(self) -> None:
        """Refuse to listen where others could read the token.

        Raises:
            RunError: it listens beyond loopback, without TLS or a proxy; or a file of TLS is missing.
        """
        for name, path, other in (
            ("api_certificate", self.certificate, self.key),
            ("api_certificate_key", self.key, self.certificate),
        ):
            if path is not None and not path.is_file():
                raise RunError(f"'{name}' names a file, was '{path}', which doesn't exist.")
            if path is None and other is not None:
                raise RunError(f"TLS needs a certificate and its key. Set '{name}'.")
        if not is_loopback(self.host) and self.certificate is None and not self.proxies:
            raise RunError(
                f"The API listens beyond this computer only with TLS or behind a proxy, and '{self.host}' "
                f"is beyond it. Set 'api_certificate' and 'api_certificate_key', or 'api_proxy' to the name under "
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
