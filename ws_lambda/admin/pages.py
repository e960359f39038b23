"""Which page shows which table."""

from ws_lambda.admin import faces
from ws_lambda.admin.channel_permissions import ChannelPermissionAdmin
from ws_lambda.admin.counters import RateLimitAdmin
from ws_lambda.admin.gateways import ApiGatewayAdmin
from ws_lambda.admin.overview import LiveOverviewAdmin
from ws_lambda.admin.sessions import WebSocketSessionAdmin
from ws_lambda.admin.tokens import WebSocketTokenAdmin
from ws_lambda.admin.typed import ModelAdmin

PAGES: dict[type[faces.Face], type[ModelAdmin]] = {
    faces.ApiGateway: ApiGatewayAdmin,
    faces.WebSocketSession: WebSocketSessionAdmin,
    faces.ChannelPermission: ChannelPermissionAdmin,
    faces.RateLimit: RateLimitAdmin,
    faces.WebSocketToken: WebSocketTokenAdmin,
    faces.LiveOverview: LiveOverviewAdmin,
}
