"""Minting single-use WebSocket tokens, of which only the hash is stored."""

import secrets
from datetime import timedelta

from ws_lambda import clock
from ws_lambda.conf import conf
from ws_lambda.tables.tokens import LoginOfKey, TokenRow, digest

TOKEN_BYTES = 32


class WebSocketToken(TokenRow):
    """The right to open one connection as one user, for a short time."""

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
