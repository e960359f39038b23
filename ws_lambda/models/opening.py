"""Opening a connection: one transaction, all or nothing."""

from datetime import timedelta

from ws_lambda import clock
from ws_lambda.conf import conf
from ws_lambda.events import GatewayEvent
from ws_lambda.exceptions import DuplicateConnection, RateLimited, TokenRefused, TooManyOpen
from ws_lambda.models import open_connections
from ws_lambda.models.session import WebSocketSession
from ws_lambda.models.transactions import Collided, DecidingWrite
from ws_lambda.retrying import Retry
from ws_lambda.tables.attributes import from_milliseconds
from ws_lambda.tables.memberships import ChannelMembership
from ws_lambda.tables.rate_limits import RateLimit
from ws_lambda.tables.sessions import MAX_DURATION, live_shard
from ws_lambda.tables.tokens import ChangedUser, EndedLogin, LoginOfKey, TokenRow

MAX_USER_AGENT = 512
"""How many characters of the User-Agent header are kept."""

_RETRY = Retry(base=0.02, attempts=6)
"""A transaction that collides with another is tried again; colliding this often is a rate limit of its own."""


def new_session(event: GatewayEvent, *, endpoint_url: str, channel_name: str = "") -> WebSocketSession:
    """The session of a connection that is about to open; not stored."""
    now = clock.utcnow()
    began = from_milliseconds(event.connected_at) if event.connected_at else now
    return WebSocketSession(
        event.connection_id,
        api_id=event.api_id,
        endpoint_url=endpoint_url,
        channel_name=channel_name,
        channels={channel_name} if channel_name else None,
        connected_at=began,
        last_seen_at=began,
        source_ip=event.source_ip,
        user_agent=event.user_agent[:MAX_USER_AGENT],
        live_shard=live_shard(event.connection_id),
        expires_at=began + MAX_DURATION + timedelta(seconds=conf.SESSION_RETENTION_SECONDS),
    )


def open_session(
    session: WebSocketSession,
    *,
    token: TokenRow | None = None,
    login_of_key: LoginOfKey | None = None,
    connects_per_minute: int | None = None,
    connections_per_user: int | None = None,
) -> None:
    """Consumes the token, counts the connect for its user, stores the session and joins its channel.

    Args:
        login_of_key: the row of the client's session key. Minting a token has stored it already.
        connects_per_minute: how many connects the user may make in a minute; None for no limit.
        connections_per_user: how many connections the user may have open; None for no limit.

    Raises:
        TokenRefused: in the meantime the token was used or has expired, its login has ended, or its user was
            deactivated or has got a new password.
        DuplicateConnection: there is a session with this connection id.
        RateLimited: the user has made too many connects, or has too many connections open.
    """
    healed, attempts = False, _RETRY.begin()
    while True:
        try:
            _commit(session, token, login_of_key, connects_per_minute, connections_per_user)
        except TooManyOpen:
            if healed or not open_connections.heal(session.user_id or ""):
                raise
            healed = True
        except Collided:
            if not attempts.wait():
                raise RateLimited("Too many connects at once: try again") from None
        else:
            return


def _commit(
    session: WebSocketSession,
    token: TokenRow | None,
    login_of_key: LoginOfKey | None,
    connects_per_minute: int | None,
    connections_per_user: int | None,
) -> None:
    with DecidingWrite() as transaction:
        if session.login_id:
            ended = EndedLogin.key(session.login_id)
            goes_on = EndedLogin.token_hash.does_not_exist()
            transaction.condition_check(EndedLogin, ended, condition=goes_on, means=TokenRefused)
        if session.user_id:
            changed, unchanged = ChangedUser.key(session.user_id), ChangedUser.admits(session.auth_hash or "")
            transaction.condition_check(ChangedUser, changed, condition=unchanged, means=TokenRefused)
        if token is not None:
            transaction.delete(token, TokenRow.expires_at > clock.utcnow(), means=TokenRefused)
        if login_of_key is not None:
            transaction.save(login_of_key)
        unknown = WebSocketSession.connection_id.does_not_exist()
        transaction.save(session, unknown, means=DuplicateConnection)
        if session.channel_name:
            transaction.save(ChannelMembership.of(session, session.channel_name))
        if session.user_id and connects_per_minute is not None:
            _count_connect(transaction, session.user_id, connects_per_minute)
        if session.user_id and connections_per_user is not None:
            open_connections.add(transaction, session.user_id, session.connection_id, connections_per_user)


def _count_connect(transaction: DecidingWrite, user_id: str, connects_per_minute: int) -> None:
    counter = RateLimit.of(f"connect#{user_id}")
    below_limit = RateLimit.hits < connects_per_minute
    if connects_per_minute > 0:
        below_limit |= RateLimit.hits.does_not_exist()
    counted = [RateLimit.hits.add(1), RateLimit.expires_at.set(counter.expires_at)]
    transaction.update(counter, counted, below_limit, means=RateLimited)
