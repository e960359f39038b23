"""Marks of logins that have ended and of users who have changed, which the transaction of a connect checks."""

from collections.abc import Iterable
from datetime import timedelta

from ws_lambda import clock
from ws_lambda.tables.tokens import ChangedUser, EndedLogin, LoginOfKey, connections_are_over, digest

CONNECT_SECONDS = 60
"""Longer than a connect can take from reading its user to its transaction: 29 seconds, and a margin for clocks.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
"""


def record_ended_login(login_id: str) -> None:
    """Makes the tokens of a login invalid. Revalidation closes its connections by this mark."""
    EndedLogin(EndedLogin.key(login_id), expires_at=connections_are_over()).save()


def ended_among(login_ids: Iterable[str]) -> set[str]:
    """Which of those logins have ended, by an eventually consistent read."""
    logins = {EndedLogin.key(one): one for one in login_ids}
    return {logins[row.token_hash] for row in EndedLogin.batch_get(list(logins))}


def record_changed_user(user_id: str, auth_hashes: Iterable[str]) -> None:
    """Stores the mark of a user who was saved. It holds for CONNECT_SECONDS."""
    ends = clock.utcnow() + timedelta(seconds=CONNECT_SECONDS)
    accepted = {digest(one) for one in auth_hashes} or None
    ChangedUser(ChangedUser.key(user_id), accepted=accepted, expires_at=ends).save()


def login_of_session_key(session_key: str) -> str:
    """The id of the login that a session key belonged to; "" if no connection of the key can be open."""
    try:
        return LoginOfKey.get(LoginOfKey.key(digest(session_key)), consistent_read=True).login_id
    except LoginOfKey.DoesNotExist:
        return ""
