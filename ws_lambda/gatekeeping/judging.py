"""Judging open connections again without a message of theirs: for the schedule, and when a user's rights change.

A connection that speaks judges itself (`revocation.revalidate`).
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from ws_lambda.gatekeeping.gates import gate_of
from ws_lambda.gatekeeping.remembering import Memory
from ws_lambda.gatekeeping.verdicts import PUT_OUT, Verdict, take_away, verdict
from ws_lambda.models.batch_leaving import Departure, leave_together
from ws_lambda.models.channel_permissions import refresh
from ws_lambda.models.disconnecting import disconnect_all
from ws_lambda.models.login_marks import ended_among
from ws_lambda.models.owners import login_holds
from ws_lambda.models.session import WebSocketSession
from ws_lambda.models.sockets import close_sockets

_THREADS = 8


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


def judge(sessions: Sequence[WebSocketSession], memory: Memory | None = None) -> Judged:
    """Closes connections whose user or login has ended, and takes away channels that the user may no longer be in.

    Args:
        sessions: as they are now, whole rows; closed and anonymous ones are passed over.
        memory: of this run. Each user is read once in a run, and each login asked for once.

    Raises:
        whatever the auth backend raises, but for data of one user that it cannot read; nobody has been judged then.
    """
    memory = memory or Memory()
    owned = [one for one in sessions if one.connected and one.user_id]
    memory.read_together(owned)
    readable = [one for one in owned if memory.can_read_user(one)]
    judged = Judged(unjudged=len(owned) - len(readable))
    if not readable:
        return judged
    if not memory.permissions_read:
        refresh()
        memory.permissions_read = True
    for session in readable:
        memory.login_goes_on(session)
    # A logout takes the login out of its session engine, too: marks are for those that were not found there.
    ended = ended_among({one.login_id for one in readable if one.login_id} - memory.seen.keys())
    verdicts: list[tuple[WebSocketSession, Verdict]] = []
    for session in readable:
        answers = _ask(session, memory, ended)
        if any(answers) and memory.read_properly(session):
            answers = _ask(session, memory, ended)
        judged.unjudged += None in answers
        verdicts.append((session, next((one for one in answers if one), Verdict())))
    _carry_out(verdicts, judged)
    return judged


def _ask(session: WebSocketSession, memory: Memory, ended: set[str]) -> Sequence[Verdict | None]:
    """What becomes of a connection, by everyone who has a say in it; None from who failed."""
    user = memory.user(session)
    session.user = user
    if session.login_id in ended or not login_holds(user, session.auth_hash or ""):
        return [PUT_OUT]
    goes_on = memory.login_goes_on(session)
    of_login = None if goes_on is None else Verdict() if goes_on else PUT_OUT
    return [of_login, _of_view(session, user, memory)]


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
    try:  # nobody keeps a channel because closing somebody else has failed
        judged.put_out += disconnect_all([session.recipient for session, found in verdicts if not found.may_stay])
    finally:
        losing = [Departure(session, found.lost) for session, found in verdicts if found.may_stay and found.lost]
        if losing:
            _take_channels(losing, judged)


def _take_channels(losing: Sequence[Departure], judged: Judged) -> None:
    departed = leave_together(losing)
    closed = [one.session.recipient for one in departed.done if not one.session.connected]
    judged.put_out += len(closed)
    judged.removed += sum(len(one.lost) for one in departed.done)
    try:
        _one_by_one([*departed.changed, *departed.undone], judged)
    finally:
        close_sockets(closed)


def _one_by_one(departures: Sequence[Departure], judged: Judged) -> None:
    """Takes channels from those who were changing theirs meanwhile."""
    if not departures:
        return
    with ThreadPoolExecutor(min(_THREADS, len(departures)), "ws-judge") as pool:
        stays = list(pool.map(take_away, (one.session for one in departures), (one.lost for one in departures)))
    judged.removed += sum(len(one.lost) for one in departures)
    left = [one.session.recipient for one, may_stay in zip(departures, stays, strict=True) if not may_stay]
    judged.put_out += disconnect_all(left)
