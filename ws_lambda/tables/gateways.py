"""The record of an API Gateway WebSocket API: its configuration, and what AWS answered when it was created."""

from enum import StrEnum
from urllib.parse import urlsplit

from pynamodb.attributes import (
    BooleanAttribute,
    JSONAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UTCDateTimeAttribute,
    VersionAttribute,
)
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from ws_lambda import clock
from ws_lambda.tables.table import Table, TableMeta


class Status(StrEnum):
    """Which steps in AWS are done, in the order of the steps. Each is stored as soon as it succeeds."""

    PENDING = "pending"
    CREATING = "creating"
    API_CREATED = "api_created"
    ROUTES_CREATED = "routes_created"
    DEPLOYED = "deployed"
    DOMAIN_CREATED = "domain_created"
    MAPPED = "mapped"


class Integration(StrEnum):
    """Who answers an event: the Lambda function itself, or a Django server at a public URL."""

    LAMBDA = "lambda"
    HTTP = "http"


class AdditionalRoute(MapAttribute[str, str]):
    """One custom route: messages whose route selection value is `route_key` go to `target`."""

    name = UnicodeAttribute()
    """What people call it."""

    route_key = UnicodeAttribute()
    """The value that selects it, unique in its gateway."""

    target = UnicodeAttribute(default="")
    """A URL path (`/ws/chat/`) or https URL. Empty: the base endpoint with the key's slug appended."""

    @property
    def path(self) -> str:
        """The URL path of the target; "" where the default applies."""
        return urlsplit(self.target).path


class ByApiId(GlobalSecondaryIndex["ApiGateway"]):  # type: ignore[no-untyped-call]
    """Finds the record of an API id."""

    class Meta:
        index_name = "by_api_id"
        projection = KeysOnlyProjection()

    api_id = UnicodeAttribute(hash_key=True)


class ApiGateway(Table):
    """One WebSocket API. Saving uses optimistic locking: it fails if the record has changed since it was read."""

    class Meta(metaclass=TableMeta):
        name = "gateways"

    api_name = UnicodeAttribute(hash_key=True)
    api_description = UnicodeAttribute(default="")
    default_channel_name = UnicodeAttribute(default="")
    """The channel of clients that do not name one."""

    integration = UnicodeAttribute(default=Integration.LAMBDA.value)
    target_base_endpoint = UnicodeAttribute(default="")
    """HTTP proxy: the public URL that `connect`, `disconnect`, … are appended to, with its closing slash."""

    lambda_function_arn = UnicodeAttribute(default="")
    """Lambda proxy: the function, or one of its versions or aliases."""

    domain_name = UnicodeAttribute(default="")
    certificate_arn = UnicodeAttribute(default="")
    """ACM certificate of the domain, in the region of the API: WebSocket domains are regional only."""

    hosted_zone_id = UnicodeAttribute(default="")
    """Route 53 zone that gets the alias. Empty: the DNS record is made by someone else."""

    api_key_selection_expression = UnicodeAttribute(default="$request.header.x-api-key")
    route_selection_expression = UnicodeAttribute(default="$request.body.action")
    route_key = UnicodeAttribute(default="$default")
    """The key of the route that is created besides `$connect` and `$disconnect`."""

    stage_name = UnicodeAttribute(default="production")
    stage_description = UnicodeAttribute(default="")
    throttling_rate = NumberAttribute(null=True)
    """Requests per second that the stage lets through. None: the account's quota."""

    throttling_burst = NumberAttribute(null=True)
    access_log_arn = UnicodeAttribute(default="")
    """CloudWatch log group or Firehose stream of the stage's access log."""

    tags: JSONAttribute = JSONAttribute(default=dict)
    additional_routes: ListAttribute[AdditionalRoute] = ListAttribute(of=AdditionalRoute, default=list)

    api_id = UnicodeAttribute(null=True)
    api_endpoint = UnicodeAttribute(default="")
    """`wss://<api id>.execute-api.<region>.amazonaws.com`, without the stage."""

    api_gateway_domain_name = UnicodeAttribute(default="")
    """What the custom domain's DNS record points at."""

    api_mapping_id = UnicodeAttribute(default="")
    deployment_id = UnicodeAttribute(default="")
    adopted = BooleanAttribute(default=False)
    """Whether the API was created by, and belongs to, something else, such as Zappa's CloudFormation stack."""

    status = UnicodeAttribute(default=Status.PENDING.value)
    last_error = UnicodeAttribute(default="")
    lease_owner = UnicodeAttribute(null=True)
    lease_until = NumberAttribute(null=True)
    """Until when only `lease_owner` may change this gateway in AWS, in seconds since the epoch."""

    created_at = UTCDateTimeAttribute(default_for_new=lambda: clock.utcnow())
    version = VersionAttribute()
    by_api_id = ByApiId()

    def __str__(self) -> str:
        return self.api_name

    def reached(self, status: Status) -> bool:
        """Whether the steps up to `status` are done."""
        order = list(Status)
        return order.index(Status(self.status)) >= order.index(status)

    @property
    def endpoint_url(self) -> str:
        """The URL of this API's `@connections`, with its stage; "" before the API exists.

        It is the generated address even with a custom domain, because it does not depend on DNS.
        """
        return self._address("http")

    @property
    def websocket_url(self) -> str:
        """The URL for clients: the custom domain once it is mapped, else the generated address."""
        return f"wss://{self.domain_name}" if self.reached(Status.MAPPED) else self._address("ws")

    def _address(self, scheme: str) -> str:
        # AWS answers wss://; an emulator without TLS answers http://.
        said, _, rest = self.api_endpoint.partition("://")
        return f"{scheme}{'s' * said.endswith('s')}://{rest}/{self.stage_name}" if rest else ""

    @property
    def route_paths(self) -> dict[str, str]:
        """Custom route key → URL path, for the routes whose target names one."""
        return {route.route_key: route.path for route in self.additional_routes if route.path}
