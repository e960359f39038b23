"""One PynamoDB table per file, and the session queryset."""

from collections.abc import Iterator

from django.apps import apps

from ws_lambda.models.admin_log import AdminAction
from ws_lambda.models.base import Table
from ws_lambda.models.channel_permissions import ChannelPermission
from ws_lambda.models.django_sessions import DjangoSession
from ws_lambda.models.fanout_jobs import FanoutJob
from ws_lambda.models.gateways import ApiGateway
from ws_lambda.models.memberships import ChannelMembership
from ws_lambda.models.messages import ChannelMessage
from ws_lambda.models.queryset import SessionQuerySet
from ws_lambda.models.rate_limits import RateLimit
from ws_lambda.models.sessions import WebSocketSession
from ws_lambda.models.stats import Stats
from ws_lambda.models.tokens import WebSocketToken

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
"""The tables that the library itself needs."""


def all_tables() -> Iterator[type[Table]]:
    """The library's tables, then those that installed apps name in `AppConfig.dynamodb_tables`."""
    yield from ALL_TABLES
    for config in apps.get_app_configs():
        yield from getattr(config, "dynamodb_tables", ())
