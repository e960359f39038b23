"""Connections, channels, tokens and gateways: their behaviour. Projects import the names in `__all__`."""

from collections.abc import Iterator

from django.apps import apps

from ws_lambda.models.channel_permissions import ChannelPermission, may_join
from ws_lambda.models.fanout_jobs import FanoutJob
from ws_lambda.models.messages import ChannelMessage
from ws_lambda.models.session import SessionQuerySet, WebSocketSession
from ws_lambda.models.tokens import WebSocketToken
from ws_lambda.session_store import DjangoSession
from ws_lambda.tables.admin_log import AdminAction
from ws_lambda.tables.gateways import ApiGateway
from ws_lambda.tables.memberships import ChannelMembership
from ws_lambda.tables.rate_limits import RateLimit
from ws_lambda.tables.stats import Stats
from ws_lambda.tables.table import Table

__all__ = [
    "ALL_TABLES",
    "ApiGateway",
    "ChannelMembership",
    "ChannelMessage",
    "ChannelPermission",
    "DjangoSession",
    "FanoutJob",
    "RateLimit",
    "SessionQuerySet",
    "WebSocketSession",
    "WebSocketToken",
    "all_tables",
    "may_join",
]

ALL_TABLES: tuple[type[Table], ...] = (
    WebSocketSession,
    ChannelMembership,
    WebSocketToken,
    RateLimit,
    ChannelPermission,
    ChannelMessage,
    FanoutJob,
    ApiGateway,
    DjangoSession,
    AdminAction,
    Stats,
)
"""The tables that the library needs."""


def all_tables() -> Iterator[type[Table]]:
    """The library's tables, then those that installed apps declare in `AppConfig.dynamodb_tables`."""
    yield from ALL_TABLES
    for config in apps.get_app_configs():
        yield from getattr(config, "dynamodb_tables", ())
