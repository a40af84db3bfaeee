"""Users of the API: what they may see and do.

1. The user of the data folder has its token, sees all workers and may do everything.
2. Further users are in `api-users.json`, made on the command line. Each has a role and a token, of which only the hash
   is kept: tokens are random and long. A user sees the workers whose `user_id` is their name, and those named for them.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from quantcrafter.engine.api import RunError
from quantcrafter.engine.api.locks import writing
from quantcrafter.engine.api.os_errors import fault
from quantcrafter.engine.api.wording import did_you_mean, shown_path
from quantcrafter.engine.live.api_files import api_folder, api_token, write_private

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
OWNER = ""
"""The name, in sessions, of the user of the data folder."""


class UserRole(StrEnum):
    """What a user may do with the workers that they see."""

    VIEWER = "viewer"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class ApiUser:
    """A user of the API. `digest` is the SHA-256 of the token; `workers` are keys of workers beside their own."""

    name: str
    role: UserRole
    digest: str
    workers: tuple[str, ...] = ()

    @property
    def is_owner(self) -> bool:
        """Whether it is the user of the data folder."""
        return self.name == OWNER

    @property
    def shown_name(self) -> str:
        """The name for people."""
        return self.name or "owner"

    @property
    def may_act(self) -> bool:
        """Whether the user may change something."""
        return self.role is UserRole.OPERATOR

    def may_see(self, key: str, user_id: str | None) -> bool:
        """Return whether the user sees a worker, of a user `user_id`."""
        return self.is_owner or user_id == self.name or key in self.workers


def digest_of(token: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


class UserBook:
    """All users of the API of the data folder; changes are seen at once."""

    def owner(self) -> ApiUser:
        """Return the user of the data folder.

        Raises:
            OSError: the token can't be read.
        """
        return ApiUser(OWNER, UserRole.OPERATOR, digest_of(api_token()))

    def all(self) -> dict[str, ApiUser]:
        """Return the users that were made, by name.

        Raises:
            RunError: the file can't be read.
        """
        path = _file()
        try:
            read = json.loads(path.read_text(encoding="utf-8"))
            users = (
                ApiUser(**{**each, "role": UserRole(each["role"]), "workers": tuple(each["workers"])}) for each in read
            )
            return {each.name: each for each in users}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, KeyError) as error:
            why = fault(error, "read").cause if isinstance(error, OSError) else "it is not a list of users"
            raise RunError(
                f"The users of the API in '{shown_path(path)}' can't be read: {why}. Restore the file, or remove it "
                "to have none."
            ) from error

    def of_token(self, token: str) -> ApiUser | None:
        """Return whose token it is; None if it is nobody's.

        Raises:
            RunError: the users can't be read.
        """
        digest = digest_of(token)
        owner = self.owner()
        if hmac.compare_digest(owner.digest, digest):
            return owner  # whatever has happened to the file of the others
        return next((each for each in self.all().values() if hmac.compare_digest(each.digest, digest)), None)

    def named(self, name: str) -> ApiUser | None:
        """Return the user of a name; None if there is none (any more).

        Raises:
            RunError: the users can't be read.
        """
        return self.owner() if name == OWNER else self.all().get(name)

    def add(self, name: str, role: UserRole, workers: tuple[str, ...] = ()) -> str:
        """Make a user, or give them a new token, role and workers; return the token, which is not kept.

        Raises:
            RunError: the name is not allowed, a worker is unknown, or the file can't be read or written.
        """
        if _NAME.fullmatch(name) is None or name == "owner":
            raise RunError(
                "A user's name has up to 64 letters, digits and . _ @ -, begins with a letter or digit, "
                f"and is not 'owner'; was '{name}'."
            )
        token = secrets.token_urlsafe(32)
        self._change(lambda users: users.update({name: ApiUser(name, role, digest_of(token), workers)}))
        return token

    def remove(self, name: str) -> None:
        """Remove a user; their sessions end.

        Raises:
            RunError: there is none, or the file can't be read or written.
        """

        def take(users: dict[str, ApiUser]) -> None:
            if users.pop(name, None) is None:
                remedy = did_you_mean(name, list(users)) or "'quantcrafter users list' lists them."
                raise RunError(f"There is no user '{name}'. {remedy}")

        self._change(take)

    def _change(self, change: Callable[[dict[str, ApiUser]], object]) -> None:
        path = _file()
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with writing(path):
                users = self.all()
                change(users)
                write_private(path, json.dumps([asdict(each) for each in users.values()], indent=1))
        except OSError as error:
            cause, remedy = fault(error, "home")
            raise RunError(f"'{shown_path(path)}' can't be written: {cause}. {remedy}") from error


def _file() -> Path:
    return api_folder() / "api-users.json"
