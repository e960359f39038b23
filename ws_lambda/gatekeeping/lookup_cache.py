"""What one run has found out about users and logins: each is asked for once, and many together where that can be."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ws_lambda.gatekeeping.decisions import owner_of
from ws_lambda.gatekeeping.logins import found_together, goes_on
from ws_lambda.models.owners import BAD_ID, Owner, load_user, load_users
from ws_lambda.models.session import WebSocketSession

MAX_CACHED = 10_000
"""Users and logins that one run remembers, so that a walk over many connections does not keep all of them."""

_log = logging.getLogger("ws_lambda")


@dataclass
class LookupCache:
    """What one run has found out already. Pass the same to every call of the run."""

    allow_stale: bool = False
    """Whether a user or a login that was as it should be a moment ago may be taken to be so still: many are read
    together then, at half the price. Nothing is taken from anybody for what is a moment old."""

    checks_logins: bool = True
    """Whether logins are looked for in their session engine: of no use where only rights have changed."""

    users: dict[Owner, Any] = field(default_factory=dict)
    """Users; None for one who is gone or deactivated."""

    logins: dict[str, bool | None] = field(default_factory=dict)
    """Whether logins go on; None where their engine has failed."""

    stale_users: set[Owner] = field(default_factory=set)
    """Of the users, those that may be a moment old."""

    seen: dict[str, bool] = field(default_factory=dict)
    """Of the logins, those that were found in their session engine: a dict, which keeps the order."""

    failures: set[str] = field(default_factory=set)
    """What has failed and has been logged."""

    engine_failed: bool = False
    permissions_read: bool = False

    def prefetch(self, sessions: Sequence[WebSocketSession]) -> None:
        """Reads users of these connections, and when allow_stale their logins, as far as one request for many can.

        Raises:
            whatever the users' database raises.
        """
        owners = {owner_of(one) for one in sessions} - self.users.keys()
        try:
            users = load_users(owners, consistently=not self.allow_stale)
        except BAD_ID:  # of one of them, which is found when each is read
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
        """The user of a connection, read once."""
        owner = owner_of(session)
        if owner not in self.users:
            _make_room(self.users)
            self.users[owner] = load_user(*owner)
        return self.users[owner]

    def can_read_user(self, session: WebSocketSession) -> bool:
        """Reads the user of a connection. One whose data cannot be read is logged, and holds up nobody else.

        Raises:
            whatever the users' database raises where it is down.
        """
        try:
            self.user(session)
        except BAD_ID as error:
            self.fail(f"Reading user {session.user_id!r} raised {type(error).__name__}", error, session)
            return False
        return True

    def reread_user(self, session: WebSocketSession) -> bool:
        """Reads the user of a connection as they are now; False where that has been done already."""
        owner = owner_of(session)
        if owner not in self.stale_users:
            return False
        self.stale_users.discard(owner)
        self.users[owner] = load_user(*owner)
        return True

    def login_goes_on(self, session: WebSocketSession) -> bool | None:
        """What the session engine says of a connection's login, asked once; None where it failed.

        One that cannot be looked for there goes on, as far as the engine can tell; it is not among those `seen`.
        """
        if not self.checks_logins:
            return True
        login = (session.login_id or "") if session.login_proof else ""
        if login not in self.logins:
            _make_room(self.logins)
            self.logins[login] = self._ask_engine(session)
        return self.logins[login]

    def _ask_engine(self, session: WebSocketSession) -> bool | None:
        if self.engine_failed:  # an engine that is down would take its time for every login
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
        """Logs a failure, the same one once in a run."""
        if what not in self.failures:
            self.failures.add(what)
            said = "%s (connection %s): what cannot be asked about stays as it is"
            _log.error(said, what, session.connection_id, exc_info=error)


def _make_room(known: dict[Any, Any]) -> None:
    if len(known) >= MAX_CACHED:
        del known[next(iter(known))]
