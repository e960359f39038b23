"""Single-use WebSocket tokens, kept as hashes only."""

import hashlib
import secrets
from datetime import datetime, timedelta

from pynamodb.attributes import TTLAttribute, UnicodeAttribute

from ws_lambda import clock
from ws_lambda.conf import conf
from ws_lambda.models.base import Table, TableMeta

TOKEN_BYTES = 32

LONGER_THAN_A_CONNECTION = timedelta(hours=3)
"""API Gateway keeps a connection for two hours at most."""


def digest(secret: str) -> str:
    """The hash under which a token or a session key is stored."""
    return hashlib.sha256(secret.encode()).hexdigest()


def connections_are_over() -> datetime:
    """When every connection that a token of this moment can open has ended."""
    return clock.utcnow() + timedelta(seconds=conf.TOKEN_SECONDS) + LONGER_THAN_A_CONNECTION


class LoginOfKey(Table):
    """Which login a session key belonged to: a login that is replaced by another takes its session with it."""

    class Meta(metaclass=TableMeta):
        name = "tokens"

    token_hash = UnicodeAttribute(hash_key=True)
    login_id = UnicodeAttribute()
    expires_at = TTLAttribute()

    @classmethod
    def of(cls, session_hash: str, login_id: str) -> "LoginOfKey":
        """The row of a session key, of which only the hash is known; not stored."""
        return cls(f"key#{session_hash}", login_id=login_id, expires_at=connections_are_over())

    @classmethod
    def find(cls, session_key: str) -> str:
        """The login's id; "" where no connection can be open that was made with that key."""
        try:
            return cls.get(f"key#{digest(session_key)}", consistent_read=True).login_id
        except cls.DoesNotExist:
            return ""


class WebSocketToken(Table):
    """The right to open one connection as one user, for a short time."""

    class Meta(metaclass=TableMeta):
        name = "tokens"

    token_hash = UnicodeAttribute(hash_key=True)
    user_id = UnicodeAttribute()
    auth_backend = UnicodeAttribute()
    auth_hash = UnicodeAttribute()
    """What the login's session auth hash was: a changed password makes the token worthless."""

    login_id = UnicodeAttribute(attr_name="session_key_hash")
    """The Django login that the token was minted in."""

    login_proof = UnicodeAttribute(null=True)
    """What finds the login's Django session again; the connection keeps it."""

    session_hash = UnicodeAttribute(null=True)
    """The digest of the session key of that moment."""

    channel = UnicodeAttribute(null=True)
    """The only channel that a connect with the token may ask for, if it was minted for one."""

    expires_at = TTLAttribute()

    @classmethod
    def mint(
        cls, *, user_id: str, auth_backend: str, auth_hash: str, session_key: str, login_id: str = "",
        login_proof: str | None = None, channel: str = "",
    ) -> str:  # fmt: skip
        """Stores a new token and returns it: 64 hexadecimal characters, 256 random bits.

        Args:
            login_id: the login that the token is for; by default the session key names it.
        """
        token, session_hash = secrets.token_hex(TOKEN_BYTES), digest(session_key)
        minted = cls(
            digest(token),
            user_id=user_id,
            auth_backend=auth_backend,
            auth_hash=auth_hash,
            login_id=login_id or session_hash,
            login_proof=login_proof,
            session_hash=session_hash,
            channel=channel or None,
            expires_at=clock.utcnow() + timedelta(seconds=conf.TOKEN_SECONDS),
        )
        with cls.batch_write() as batch:
            batch.save(minted)
            batch.save(LoginOfKey.of(session_hash, minted.login_id))
        return token
