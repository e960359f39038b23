"""Single-use WebSocket tokens, kept as hashes only."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import timedelta

from pynamodb.attributes import TTLAttribute, UnicodeAttribute

from ws_lambda import clock
from ws_lambda.conf import conf
from ws_lambda.models.base import Table, TableMeta

TOKEN_BYTES = 32


def digest(secret: str) -> str:
    """The hash under which a token or a session key is stored."""
    return hashlib.sha256(secret.encode()).hexdigest()


class EndedLogin(Table):
    """A Django login that has ended. It lives in the table of tokens, so that one transaction can ask for it."""

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
        remembered = clock.utcnow() + timedelta(seconds=conf.TOKEN_SECONDS) + timedelta(hours=3)
        cls(cls.key(login_id), expires_at=remembered).save()

    @classmethod
    def happened(cls, login_id: str) -> bool:
        """Whether a login has ended, as far as a connection of it could still be open."""
        try:
            cls.get(cls.key(login_id), consistent_read=True)
        except cls.DoesNotExist:
            return False
        return True

    @classmethod
    def among(cls, login_ids: Iterable[str]) -> set[str]:
        """Which of those logins have ended, as far as DynamoDB tells without a consistent read."""
        logins = {cls.key(one): one for one in login_ids}
        return {logins[row.token_hash] for row in cls.batch_get(list(logins))}


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

    channel = UnicodeAttribute(null=True)
    """The only channel that a connect with the token may ask for, if it was minted for one."""

    expires_at = TTLAttribute()

    @classmethod
    def mint(cls, *, user_id: str, auth_backend: str, auth_hash: str, session_key: str, channel: str = "") -> str:
        """Stores a new token and returns it: 64 hexadecimal characters, 256 random bits."""
        token = secrets.token_hex(TOKEN_BYTES)
        cls(
            digest(token),
            user_id=user_id,
            auth_backend=auth_backend,
            auth_hash=auth_hash,
            login_id=digest(session_key),
            channel=channel or None,
            expires_at=clock.utcnow() + timedelta(seconds=conf.TOKEN_SECONDS),
        ).save()
        return token
