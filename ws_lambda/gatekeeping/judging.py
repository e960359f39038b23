"""Judging open connections again without a message of theirs: for the schedule, and when a user's rights change.

A connection that speaks judges itself (`revocation.revalidate`).
"""

import logging
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from ws_lambda.gatekeeping.gates import gate_of
from ws_lambda.gatekeeping.logins import goes_on
from ws_lambda.gatekeeping.verdicts import PUT_OUT, Verdict, owner_of, set_user, take_away, verdict
from ws_lambda.models.channel_permissions import refresh
from ws_lambda.models.closing import put_out
from ws_lambda.models.dropping import drop
from ws_lambda.models.leaving import Departure, leave_together
from ws_lambda.models.login_marks import EndedLogin
from ws_lambda.models.owners import load_user, load_users, login_holds
from ws_lambda.models.sessions import WebSocketSession

MAX_REMEMBERED = 10_000
"""Users and logins that one run remembers, so that a walk over many connections does not keep all of them."""

_THREADS = 8

_log = logging.getLogger("ws_lambda")


@dataclass(kw_only=True)
class Judged:
    """What became of connections."""

    put_out: int = 0
    """Connections closed: user or login have ended, or may no longer use the view, or are in no channel any more."""

    removed: int = 0
    """Channels taken away from connections, those that were then closed among them."""

    unjudged: int = 0
    """Connections that stay because something that was to be asked failed; it has been logged."""

    def __add__(self, other: "Judged") -> "Judged":
        return Judged(
            put_out=self.put_out + other.put_out,
            removed=self.removed + other.removed,
            unjudged=self.unjudged + other.unjudged,
        )


@dataclass
class Memory:
    """What one run has found out already. Pass the same to every call of the run."""

    users: dict[tuple[str, str], Any] = field(default_factory=dict)
    logins: dict[str, bool | None] = field(default_factory=dict)
    failures: set[str] = field(default_factory=set)
    """What has failed and has been logged."""

    engine_failed: bool = False
    permissions_read: bool = False

    def user(self, owner: tuple[str, str]) -> Any:
        """The user, read once; None for one who is gone or deactivated."""
        if owner not in self.users:
            _make_room(self.users)
            self.users[owner] = load_user(*owner)
        return self.users[owner]

    def read(self, owners: Iterable[tuple[str, str]]) -> None:
        """Reads users whom it does not know yet, many at once."""
        for owner, user in load_users(set(owners) - self.users.keys()).items():
            _make_room(self.users)
            self.users[owner] = user

    def fail(self, what: str, error: Exception, session: WebSocketSession) -> None:
        """Logs a failure, the same one once in a run."""
        if what not in self.failures:
            self.failures.add(what)
            said = "%s (connection %s): what cannot be asked about stays as it is"
            _log.error(said, what, session.connection_id, exc_info=error)


def judge(sessions: Sequence[WebSocketSession], memory: Memory | None = None) -> Judged:
    """Closes connections whose user or login has ended, and takes away channels that the user may no longer be in.

    Args:
        sessions: as they are now, whole rows; closed and anonymous ones are passed over.
        memory: of this run. Each user is read once in a run, and each login asked for once.

    Raises:
        whatever the auth backend raises; nobody has been judged then.
    """
    memory = memory or Memory()
    owned = [one for one in sessions if one.connected and one.user_id]
    if not owned:
        return Judged()
    memory.read(map(owner_of, owned))
    if not memory.permissions_read:
        refresh()
        memory.permissions_read = True
    judged = Judged()
    ended = EndedLogin.among({one.login_id for one in owned if one.login_id})
    verdicts: list[tuple[WebSocketSession, Verdict]] = []
    for session in owned:
        user = memory.user(owner_of(session))
        set_user(session, user)
        if session.login_id in ended or not login_holds(user, session.auth_hash or ""):
            verdicts.append((session, PUT_OUT))
            continue
        answers = (_of_login(session, memory), _of_view(session, user, memory))
        judged.unjudged += None in answers
        verdicts.append((session, next((one for one in answers if one), Verdict())))
    _carry_out(verdicts, judged)
    return judged


def _of_login(session: WebSocketSession, memory: Memory) -> Verdict | None:
    """What becomes of a connection by what the session engine says of its login; None where it failed."""
    login = (session.login_id or "") if session.login_proof else ""
    if login not in memory.logins:
        _make_room(memory.logins)
        memory.logins[login] = _ask_engine(session, memory)
    goes_on = memory.logins[login]
    return None if goes_on is None else Verdict() if goes_on else PUT_OUT


def _ask_engine(session: WebSocketSession, memory: Memory) -> bool | None:
    if memory.engine_failed:  # an engine that is down would take its time for every login
        return None
    try:
        return goes_on(session)
    except Exception as error:
        memory.engine_failed = True
        memory.fail(f"The session engine raised {type(error).__name__}", error, session)
        return None


def _of_view(session: WebSocketSession, user: Any, memory: Memory) -> Verdict | None:
    """What becomes of a connection by what its view says; None where that failed."""
    if session.connect_path is None:  # opened before connections remembered their path
        return Verdict()
    try:
        return verdict(session, *gate_of(session, user))
    except Exception as error:
        memory.fail(f"Judging connections of {session.connect_path} raised {type(error).__name__}", error, session)
        return None


def _carry_out(verdicts: Sequence[tuple[WebSocketSession, Verdict]], judged: Judged) -> None:
    # First, so that nobody stays because taking a channel from somebody else has failed.
    judged.put_out += put_out([session.recipient for session, found in verdicts if not found.may_stay])
    losing = [Departure(session, found.lost) for session, found in verdicts if found.may_stay and found.lost]
    if not losing:
        return
    departed = leave_together(losing)
    closed = [one.session.recipient for one in departed.done if not one.session.connected]
    judged.put_out += len(closed)
    judged.removed += sum(len(one.lost) for one in departed.done)
    try:
        _one_by_one([*departed.changed, *departed.undone], judged)
    finally:
        drop(closed)


def _one_by_one(departures: Sequence[Departure], judged: Judged) -> None:
    """Takes channels from those who were changing theirs meanwhile."""
    if not departures:
        return
    with ThreadPoolExecutor(min(_THREADS, len(departures)), "ws-judge") as pool:
        stays = list(pool.map(take_away, (one.session for one in departures), (one.lost for one in departures)))
    judged.removed += sum(len(one.lost) for one in departures)
    left = [one.session.recipient for one, may_stay in zip(departures, stays, strict=True) if not may_stay]
    judged.put_out += put_out(left)


def _make_room(known: dict[Any, Any]) -> None:
    if len(known) >= MAX_REMEMBERED:
        del known[next(iter(known))]
