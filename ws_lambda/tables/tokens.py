"""Single-use WebSocket tokens, and marks about logins and users that the transaction of a connect checks."""

import hashlib
from datetime import datetime, timedelta

from pynamodb.attributes import TTLAttribute, UnicodeAttribute, UnicodeSetAttribute
from pynamodb.expressions.condition import Condition

from ws_lambda import clock
from ws_lambda.conf import conf
from ws_lambda.tables.table import Table, TableMeta

LONGER_THAN_A_CONNECTION = timedelta(hours=3)
"""API Gateway keeps a connection for two hours at most."""


def digest(secret: str) -> str:
    """The hash under which a token or a session key is stored."""
    return hashlib.sha256(secret.encode()).hexdigest()


def connections_are_over() -> datetime:
    """When every connection has ended that a token minted now can open."""
    return clock.utcnow() + timedelta(seconds=conf.TOKEN_SECONDS) + LONGER_THAN_A_CONNECTION


class LoginOfKey(Table):
    """The login that a session key belonged to. When a login replaces another, the other's session is gone."""

    class Meta(metaclass=TableMeta):
        name = "tokens"

    token_hash = UnicodeAttribute(hash_key=True)
    login_id = UnicodeAttribute()
    expires_at = TTLAttribute()

    @staticmethod
    def key(session_hash: str) -> str:
        """The key of a session key's row. No hash of a token has this form."""
        return f"key#{session_hash}"

    @classmethod
    def of(cls, session_hash: str, login_id: str) -> "LoginOfKey":
        """The row of a session key, by the hash of the key; not stored."""
        return cls(cls.key(session_hash), login_id=login_id, expires_at=connections_are_over())


class TokenRow(Table):
    """The right to open one connection as one user, for a short time."""

    class Meta(metaclass=TableMeta):
        name = "tokens"

    token_hash = UnicodeAttribute(hash_key=True)
    user_id = UnicodeAttribute()
    auth_backend = UnicodeAttribute()
    auth_hash = UnicodeAttribute()
    """The session auth hash of the login. A changed password makes the token invalid."""

    login_id = UnicodeAttribute(attr_name="session_key_hash")
    """The Django login that the token was minted in."""

    login_proof = UnicodeAttribute(null=True)
    """The key of the login's Django session, encrypted. The connection keeps it."""

    session_hash = UnicodeAttribute(null=True)
    """The digest of the session key at the time of minting."""

    channel = UnicodeAttribute(null=True)
    """The only channel that the token allows, if it was minted for one."""

    expires_at = TTLAttribute()


class EndedLogin(Table):
    """A Django login that has ended."""

    class Meta(metaclass=TableMeta):
        name = "tokens"

    token_hash = UnicodeAttribute(hash_key=True)
    expires_at = TTLAttribute()

    @staticmethod
    def key(login_id: str) -> str:
        """The key of the mark of a login that has ended. No hash of a token has this form."""
        return f"ended#{login_id}"


class ChangedUser(Table):
    """The session auth hashes that are valid for connects just after a user was saved.

    A connect reads its user before its transaction. Without this mark it would succeed even if the user was deactivated
    or got a new password in between.
    """

    class Meta(metaclass=TableMeta):
        name = "tokens"

    token_hash = UnicodeAttribute(hash_key=True)
    accepted = UnicodeSetAttribute(null=True)
    """Digests of the valid session auth hashes; None for a user who may not log in at all."""

    expires_at = TTLAttribute()

    @staticmethod
    def key(user_id: str) -> str:
        """The key of a user's mark. No hash of a token has this form."""
        return f"user#{user_id}"

    @classmethod
    def admits(cls, auth_hash: str) -> Condition:
        """The condition under which a login with that session auth hash may open a connection."""
        forgotten = cls.token_hash.does_not_exist() | (cls.expires_at <= clock.utcnow())
        admitted: Condition = forgotten | cls.accepted.contains(digest(auth_hash))
        return admitted
