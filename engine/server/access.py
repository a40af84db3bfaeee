"""Who calls: by a token in the header, by the cookie of a session, or by the token in the address of a log."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Literal
from urllib.parse import parse_qs, unquote

from quantcrafter.engine.live.api_files import log_reader, sign, signed
from quantcrafter.engine.server.users import ApiUser, UserBook

SESSION_S = 30 * 24 * 3600.0
"""For how many seconds a browser stays logged in."""
COOKIE = "quantcrafter_session"
_LOG_PATH = re.compile(r"/workers/(?P<key>[^/]+)/logs")
_SESSION, _FORM = "session", "form"


@dataclass(frozen=True, slots=True)
class Caller:
    """A user, and how they said who they are; `session` is the id of a browser's session."""

    user: ApiUser
    by: Literal["token", "session", "stream"]
    session: str = ""

    @property
    def form_token(self) -> str:
        """What forms and scripts of a page send with each change, against forged requests of other pages."""
        return sign(_FORM, self.session)

    def is_own_form(self, given: str) -> bool:
        """Return whether a change comes from a page of this session."""
        return signed(_FORM, given, SESSION_S) == [self.session]


class Access:
    """Recognises callers."""

    def __init__(self) -> None:
        self._users = UserBook()
        self._over: set[str] = set()

    def begin(self, token: str) -> tuple[ApiUser, str] | None:
        """Return the user of a token with the cookie of a new session; None if it is nobody's.

        Raises:
            RunError: the users can't be read.
        """
        user = self._users.of_token(token)
        if user is None:
            return None
        return user, sign(_SESSION, user.name, user.digest, secrets.token_urlsafe(16))

    def end(self, caller: Caller) -> None:
        """End a session."""
        self._over.add(caller.session)

    def caller(self, headers: Mapping[str, str]) -> Caller | None:
        """Return who sends a request with these headers (with lower-case names); None if it is nobody.

        Raises:
            RunError: the users can't be read.
        """
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind:
            user = self._users.of_token(token.strip()) if kind.lower() == "bearer" else None
            return None if user is None else Caller(user, "token")
        cookie = _cookies(headers.get("cookie", "")).get(COOKIE)
        return None if cookie is None else self._in_session(cookie)

    def log_reader(self, path: str, query: str) -> Caller | None:
        """Return to whom the address of a log was given; None if it has no token for that log."""
        found = _LOG_PATH.fullmatch(path)
        tokens = parse_qs(query).get("token", [])
        if found is None or len(tokens) != 1:
            return None
        name = log_reader(tokens[0], unquote(found["key"]))
        user = None if name is None else self._users.named(name)
        return None if user is None else Caller(user, "stream")

    def _in_session(self, cookie: str) -> Caller | None:
        found = signed(_SESSION, cookie, SESSION_S)
        if found is None or len(found) != 3 or found[2] in self._over:  # noqa: PLR2004 - what `begin` signs
            return None
        name, digest, session = found
        user = self._users.named(name)
        return Caller(user, "session", session) if user is not None and user.digest == digest else None


def _cookies(text: str) -> dict[str, str]:
    try:
        return {name: each.value for name, each in SimpleCookie(text).items()}
    except CookieError:
        return {}
