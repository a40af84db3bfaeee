"""The gate: what every request has to pass before anything of the API sees it.

1. It names this server (`Host`): a page of another name that leads here is refused.
2. It does not come from a page of another origin; `null`, a page opened from disk, may only read a log by its address.
3. It says who it is of, but for the few free paths. Until then every path is answered alike.
4. A change by a browser's session brings the page's token; a change needs the role for it.
5. Its body is at most 2 MB.

Each request is logged, without tokens, and each change is in the audit log.
"""

from __future__ import annotations

import json
import logging
import re
import time
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from quantcrafter.engine.api import QuantCrafterError
from quantcrafter.engine.server.access import Access, Caller
from quantcrafter.engine.server.audit import note_change
from quantcrafter.engine.server.settings import ApiSettings

log = logging.getLogger("quantcrafter.api")

MOST_BYTES = 2_000_000
"""How large the body of a request may be."""
FORM_HEADER = "x-csrf-token"
_SAFE = ("GET", "HEAD", "OPTIONS")
_FREE = ("/health", "/login")
_SCHEMA = ("/docs", "/openapi.json", "/assets/page.css", "/assets/page.js")
_TOKEN = re.compile(r"(?<=token=)[^&\s]+")
_LOCAL = ("127.0.0.1", "localhost", "[::1]")
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),  # with no-referrer, browsers send forms from the origin "null"
    (b"cross-origin-resource-policy", b"same-origin"),
    (
        b"content-security-policy",
        (
            b"default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
            b"frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
        ),
    ),
)


class RefusedRequest(Exception):  # noqa: N818 - it is an answer
    """The answer to a request that does not pass."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class ApiGate:
    """Lets requests pass to an application, or refuses them.

    Args:
        app: the application. It finds the caller in `request.state.caller`, None on a free path.
        access: recognises callers.
        settings: under which names it is reached.
    """

    def __init__(self, app: ASGIApp, access: Access, settings: ApiSettings) -> None:
        self._app, self._access, self._settings = app, access, settings
        self._own = tuple(re.sub(r":\d+$", "", each) if each.count(":") == 1 else each for each in settings.names)
        self._own += tuple(f"[{each}]" for each in self._own if ":" in each and not each.startswith("["))
        self._free = (*_FREE, *_SCHEMA) if settings.open_schema else _FREE

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        passage = _Passage(scope, receive, send)
        try:
            await run_in_threadpool(self._check, scope, passage)
        except RefusedRequest as refusal:
            await passage.refuse(refusal)
        except QuantCrafterError as error:
            await passage.refuse(RefusedRequest(503, str(error)))
        else:
            await self._app(scope, passage.receive, passage.send)
        finally:
            await passage.finish()

    def _check(self, scope: Scope, passage: _Passage) -> None:
        """Find the caller.

        Raises:
            RefusedRequest: the request does not pass.
            RunError: the users can't be read.
        """
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        method, path = scope.get("method", "WEBSOCKET"), scope["path"]
        reader = None
        if method == "WEBSOCKET":
            raw = scope.get("raw_path") or path.encode()
            reader = self._access.log_reader(raw.decode("latin-1"), scope["query_string"].decode("latin-1"))
        self._check_host(headers)
        self._check_origin(headers, from_disk=reader is not None)
        caller = reader or self._access.caller(headers)
        passage.caller = caller
        scope.setdefault("state", {})["caller"] = caller
        scope["state"]["secure"] = self._settings.is_secure
        if caller is None and path not in self._free:
            raise RefusedRequest(401, "Log in, or send the token as 'Authorization: Bearer TOKEN'.")
        if caller is not None and method not in (*_SAFE, "WEBSOCKET") and path not in self._free:
            _check_change(caller, headers, path)
        if _is_large(headers.get("content-length", "0")):
            raise RefusedRequest(413, f"The body may have up to {MOST_BYTES:,} bytes.")

    def _check_host(self, headers: dict[str, str]) -> None:
        host = headers.get("host", "").lower()
        name = re.sub(r":\d+$", "", host)
        if name not in (
            *_LOCAL,
            self._settings.host.lower(),
            f"[{self._settings.host.lower()}]",
            *self._names(),
            *self._own,
        ):
            raise RefusedRequest(421, "This server is not reached under this name.")

    def _names(self) -> tuple[str, ...]:
        return tuple(re.sub(r":\d+$", "", each) for each in self._settings.proxies)

    def _check_origin(self, headers: dict[str, str], *, from_disk: bool) -> None:
        origin = headers.get("origin")
        if origin is None or (origin == "null" and from_disk):
            return
        host = headers.get("host", "").lower()
        by_proxy = re.sub(r":\d+$", "", host) in self._names()
        scheme = "https" if by_proxy or self._settings.certificate is not None else "http"
        if origin.lower() != f"{scheme}://{host}":
            raise RefusedRequest(403, "Requests of pages of another origin are refused.")


def _check_change(caller: Caller, headers: dict[str, str], path: str) -> None:
    if caller.by == "session" and not caller.is_own_form(headers.get(FORM_HEADER, "")):
        raise RefusedRequest(403, f"A change by a browser needs the header {FORM_HEADER} of its page.")
    if not caller.user.may_act and path != "/logout":
        raise RefusedRequest(403, "Your role is viewer, which changes nothing.")


def _is_large(text: str) -> bool:
    return not text.isascii() or not text.isdigit() or int(text) > MOST_BYTES


class _Passage:
    """One request: counts its body, adds headers to its answer, and logs it."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._begin_s = time.monotonic()
        self._size = 0
        self._status = 0
        self.caller: Caller | None = None

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._size += len(message.get("body", b""))
            if self._size > MOST_BYTES:
                raise HTTPException(413, f"The body may have up to {MOST_BYTES:,} bytes.")
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            given = {name.lower() for name, _ in message["headers"]}
            headers = [*message["headers"], *(each for each in _HEADERS if each[0] not in given)]
            if b"cache-control" not in given:
                headers.append((b"cache-control", b"no-store"))
            message = {**message, "headers": headers}
        elif message["type"] == "websocket.accept":
            self._status = 101
        elif message["type"] == "websocket.close" and not self._status:
            self._status = 403
        await self._send(message)

    async def refuse(self, refusal: RefusedRequest) -> None:
        """Answer with an error; a browser that asks for a page is sent to the login."""
        self._status = refusal.status
        body = json.dumps({"error": str(refusal)}).encode()
        headers = [(b"content-type", b"application/json"), (b"connection", b"close"), (b"cache-control", b"no-store")]
        if refusal.status == 401:  # noqa: PLR2004 - Unauthorized
            headers.append((b"www-authenticate", b"Bearer"))
            if self._wants_page():
                self._status = 303
                headers.append((b"location", b"/login"))
        kind = "http" if self._scope["type"] == "http" else "websocket.http"
        if kind == "websocket.http" and "websocket.http.response" not in self._scope.get("extensions", {}):
            await self._send({"type": "websocket.close", "code": 1008, "reason": str(refusal)})
            return
        headers.append((b"content-length", str(len(body)).encode()))
        await self._send({"type": f"{kind}.response.start", "status": self._status, "headers": headers})
        await self._send({"type": f"{kind}.response.body", "body": body})

    def _wants_page(self) -> bool:
        accepted = dict(self._scope["headers"]).get(b"accept", b"")
        return self._scope.get("method") == "GET" and b"text/html" in accepted

    async def finish(self) -> None:
        """Log the request, and a change in the audit log too."""
        query = _TOKEN.sub("***", self._scope["query_string"].decode("latin-1"))
        address = f"{self._scope['path']}?{query}" if query else self._scope["path"]
        method = self._scope.get("method", "WEBSOCKET")
        user = "-" if self.caller is None else self.caller.user.shown_name
        client = (self._scope.get("client") or ("-",))[0]
        log.info(
            "%s %s %s by %s from %s in %.0f ms",
            method,
            address,
            self._status,
            user,
            client,
            1000 * (time.monotonic() - self._begin_s),
        )
        if method in (*_SAFE, "WEBSOCKET") or self._scope["path"] == "/login":
            return
        entry: dict[str, Any] = {
            "user": user,
            "role": None if self.caller is None else str(self.caller.user.role),
            "address": client,
            "method": method,
            "path": self._scope["path"],
            "status": self._status,
            **self._scope.get("state", {}).get("audit", {}),
        }
        await run_in_threadpool(note_change, entry)
