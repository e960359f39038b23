"""The admin models and the classes that show them."""

from ws_lambda.admin import models as admin_models
from ws_lambda.admin.channel_permissions import ChannelPermissionAdmin
from ws_lambda.admin.gateways import ApiGatewayAdmin
from ws_lambda.admin.overview import LiveOverviewAdmin
from ws_lambda.admin.rate_limits import RateLimitAdmin
from ws_lambda.admin.sessions import WebSocketSessionAdmin
from ws_lambda.admin.tokens import WebSocketTokenAdmin
from ws_lambda.admin.typed import ModelAdmin

PAGES: dict[type[admin_models.AdminModel], type[ModelAdmin]] = {
    admin_models.ApiGateway: ApiGatewayAdmin,
    admin_models.WebSocketSession: WebSocketSessionAdmin,
    admin_models.ChannelPermission: ChannelPermissionAdmin,
    admin_models.RateLimit: RateLimitAdmin,
    admin_models.WebSocketToken: WebSocketTokenAdmin,
    admin_models.LiveOverview: LiveOverviewAdmin,
}
