"""Users and logins that one run has looked up: each once, and many together where that is possible."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ws_lambda.gatekeeping.decisions import owner_of
from ws_lambda.gatekeeping.logins import found_together, goes_on
from ws_lambda.models.owners import BAD_ID, Owner, load_user, load_users
from ws_lambda.models.session import WebSocketSession

MAX_CACHED = 10_000
"""How many users, and how many logins, one run keeps, however many connections it goes through."""

_log = logging.getLogger("ws_lambda")


@dataclass
class LookupCache:
    """What one run has looked up. Pass the same cache to every call of the run."""

    allow_stale: bool = False
    """Whether an eventually consistent read is good enough to keep access. Many users are read together then, at half
    the price. A user is read again, consistently, before anything is taken away from them."""

    checks_logins: bool = True
    """Whether logins are looked up in their session engine, which is useless if only permissions have changed."""

    users: dict[Owner, Any] = field(default_factory=dict)
    """Users; None for those who are gone or deactivated."""

    logins: dict[str, bool | None] = field(default_factory=dict)
    """Whether logins are still valid; None if their session engine failed."""

    stale_users: set[Owner] = field(default_factory=set)
    """The users that were read with eventual consistency."""

    seen: dict[str, bool] = field(default_factory=dict)
    """The logins that were found in their session engine: a dict, because it is ordered."""

    failures: set[str] = field(default_factory=set)
    """Errors that have been logged."""

    engine_failed: bool = False
    permissions_read: bool = False

    def prefetch(self, sessions: Sequence[WebSocketSession]) -> None:
        """Reads the users of connections and, with `allow_stale`, their logins, as far as one request can read many.

        Raises:
            whatever the users' database raises.
        """
        owners = {owner_of(one) for one in sessions} - self.users.keys()
        try:
            users = load_users(owners, consistently=not self.allow_stale)
        except BAD_ID:  # one id is impossible; reading each user will tell which
            users = {}
        for owner, user in users.items():
            _make_room(self.users)
            self.users[owner] = user
        if self.allow_stale:
            self.stale_users.update(users)
            self._look_for_logins([one for one in sessions if one.login_id not in self.logins])

    def _look_for_logins(self, sessions: Sequence[WebSocketSession]) -> None:
        if not sessions or self.engine_failed:
            return
        try:
            found = found_together(sessions)
        except Exception as error:  # whatever a session engine raises
            self._engine_fails(error, sessions[0])
            return
        for login in found:
            for known in (self.logins, self.seen):
                _make_room(known)
                known[login] = True

    def user(self, session: WebSocketSession) -> Any:
        """The user of a connection. Each is read once."""
        owner = owner_of(session)
        if owner not in self.users:
            _make_room(self.users)
            self.users[owner] = load_user(*owner)
        return self.users[owner]

    def can_read_user(self, session: WebSocketSession) -> bool:
        """Reads the user of a connection. Returns False, and logs an error, if the data of this user cannot be read.

        Raises:
            whatever the users' database raises when it is down.
        """
        try:
            self.user(session)
        except BAD_ID as error:
            self.fail(f"Reading user {session.user_id!r} raised {type(error).__name__}", error, session)
            return False
        return True

    def reread_user(self, session: WebSocketSession) -> bool:
        """Reads the user of a connection consistently. Returns False if that was done before."""
        owner = owner_of(session)
        if owner not in self.stale_users:
            return False
        self.stale_users.discard(owner)
        self.users[owner] = load_user(*owner)
        return True

    def login_goes_on(self, session: WebSocketSession) -> bool | None:
        """Whether a connection's login is still valid, by its session engine; None if the engine failed.

        A login that cannot be looked up there counts as valid, and is not in `seen`.
        """
        if not self.checks_logins:
            return True
        login = (session.login_id or "") if session.login_proof else ""
        if login not in self.logins:
            _make_room(self.logins)
            self.logins[login] = self._ask_engine(session)
        return self.logins[login]

    def _ask_engine(self, session: WebSocketSession) -> bool | None:
        if self.engine_failed:  # a session engine that is down would time out for every login
            return None
        try:
            found = goes_on(session)
        except Exception as error:
            self._engine_fails(error, session)
            return None
        if found:
            _make_room(self.seen)
            self.seen[session.login_id or ""] = True
        return found is not False

    def _engine_fails(self, error: Exception, session: WebSocketSession) -> None:
        self.engine_failed = True
        self.fail(f"The session engine raised {type(error).__name__}", error, session)

    def fail(self, what: str, error: Exception, session: WebSocketSession) -> None:
        """Logs an error, once in a run."""
        if what not in self.failures:
            self.failures.add(what)
            said = "%s (connection %s). Connections that cannot be checked stay open."
            _log.error(said, what, session.connection_id, exc_info=error)


def _make_room(known: dict[Any, Any]) -> None:
    if len(known) >= MAX_CACHED:
        del known[next(iter(known))]
