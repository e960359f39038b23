"""Which logins have ended and which users have changed, for the transactions of connects that are under way."""

from collections.abc import Iterable
from datetime import timedelta

from ws_lambda import clock
from ws_lambda.tables.tokens import ChangedUser, EndedLogin, LoginOfKey, connections_are_over, digest

CONNECT_SECONDS = 60
"""Longer than a connect can take between reading its user and its transaction: 29 seconds, and a margin for clocks.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
"""


def record_ended_login(login_id: str) -> None:
    """Makes the tokens of a login worthless, and lets its connections be found out at revalidation."""
    EndedLogin(EndedLogin.key(login_id), expires_at=connections_are_over()).save()


def ended_among(login_ids: Iterable[str]) -> set[str]:
    """Which of those logins have ended, as far as DynamoDB tells without a consistent read."""
    logins = {EndedLogin.key(one): one for one in login_ids}
    return {logins[row.token_hash] for row in EndedLogin.batch_get(list(logins))}


def record_changed_user(user_id: str, auth_hashes: Iterable[str]) -> None:
    """Leaves the mark of a user who was saved; it is in force for CONNECT_SECONDS."""
    ends = clock.utcnow() + timedelta(seconds=CONNECT_SECONDS)
    accepted = {digest(one) for one in auth_hashes} or None
    ChangedUser(ChangedUser.key(user_id), accepted=accepted, expires_at=ends).save()


def login_of_session_key(session_key: str) -> str:
    """The id of the login that a session key belonged to; "" where no connection can be open that was made with it."""
    try:
        return LoginOfKey.get(LoginOfKey.key(digest(session_key)), consistent_read=True).login_id
    except LoginOfKey.DoesNotExist:
        return ""
