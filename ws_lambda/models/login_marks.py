"""Marks about logins and users, kept in the table of tokens, so that a connect's transaction can ask for them."""

from collections.abc import Iterable
from datetime import timedelta

from pynamodb.attributes import TTLAttribute, UnicodeAttribute, UnicodeSetAttribute
from pynamodb.expressions.condition import Condition

from ws_lambda import clock
from ws_lambda.models.base import Table, TableMeta
from ws_lambda.models.tokens import connections_are_over, digest

CONNECT_SECONDS = 60
"""Longer than a connect can take between reading its user and its transaction: 29 seconds, and a margin for clocks.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
"""


class EndedLogin(Table):
    """A Django login that has ended."""

    class Meta(metaclass=TableMeta):
        name = "tokens"

    token_hash = UnicodeAttribute(hash_key=True)
    expires_at = TTLAttribute()

    @staticmethod
    def key(login_id: str) -> str:
        """The key that a login's end is stored under; no hash of a token looks like it."""
        return f"ended#{login_id}"

    @classmethod
    def record(cls, login_id: str) -> None:
        """Makes the tokens of a login worthless, and lets its connections be found out at revalidation."""
        cls(cls.key(login_id), expires_at=connections_are_over()).save()

    @classmethod
    def among(cls, login_ids: Iterable[str]) -> set[str]:
        """Which of those logins have ended, as far as DynamoDB tells without a consistent read."""
        logins = {cls.key(one): one for one in login_ids}
        return {logins[row.token_hash] for row in cls.batch_get(list(logins))}


class ChangedUser(Table):
    """What a login must have been made with to open a connection, just after its user was saved.

    A connect reads its user before its transaction. Without the mark it would get in by what it has read, although
    the user was deactivated, or has a new password, since.
    """

    class Meta(metaclass=TableMeta):
        name = "tokens"

    token_hash = UnicodeAttribute(hash_key=True)
    accepted = UnicodeSetAttribute(null=True)
    """Digests of the session auth hashes that hold; None for a user who may not log in at all."""

    expires_at = TTLAttribute()

    @staticmethod
    def key(user_id: str) -> str:
        """The key of a user's mark; no hash of a token looks like it."""
        return f"user#{user_id}"

    @classmethod
    def record(cls, user_id: str, auth_hashes: Iterable[str]) -> None:
        """Leaves the mark; it is in force for CONNECT_SECONDS."""
        ends = clock.utcnow() + timedelta(seconds=CONNECT_SECONDS)
        accepted = {digest(one) for one in auth_hashes} or None
        cls(cls.key(user_id), accepted=accepted, expires_at=ends).save()

    @classmethod
    def admits(cls, auth_hash: str) -> Condition:
        """The condition under which a login with that session auth hash may open a connection."""
        forgotten = cls.token_hash.does_not_exist() | (cls.expires_at <= clock.utcnow())
        admitted: Condition = forgotten | cls.accepted.contains(digest(auth_hash))
        return admitted
