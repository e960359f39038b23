"""Tokens for tests, without HTTP and without a login."""

from typing import Any

from ws_lambda.local.login import backend_of


def mint_token(user: Any, *, session_key: str = "", channel: str = "") -> str:
    """Stores a new WebSocket token for a user and returns it.

    No Django session is created, and nobody is logged in. TOKENS_PER_MINUTE does not count the token; use the token
    view to test that limit.

    Args:
        user: the user to connect as.
        session_key: the Django session that the token belongs to. A logout of that session closes the connection.
            Default: one for each user.
        channel: the only channel that the token is valid for; "" for any.

    Raises:
        ValueError: the user is not saved.
        InvalidChannel: it is not a valid channel name.
    """
    from ws_lambda import channels
    from ws_lambda.models import WebSocketToken

    if user.pk is None:
        raise ValueError("The user is not saved: a token names its user by primary key. Save it first.")
    if channel:
        channels.check_name(channel)
    return WebSocketToken.mint(
        user_id=str(user.pk),
        auth_backend=backend_of(user),
        auth_hash=user.get_session_auth_hash(),
        session_key=session_key or f"login-of-user-{user.pk}",
        channel=channel,
    )
