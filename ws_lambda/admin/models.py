"""Django models without a table: what the admin needs to make forms, lists and permissions for DynamoDB's items.

Each is the face of a PynamoDB model. None is ever read from or written to SQL; Django's `makemigrations` and
`migrate` leave them alone, since the app has no migrations and they are not managed. Projects with SQL users find
their permissions (`ws_lambda.change_apigateway`, …) in Django's tables as those of any model.
"""

from collections.abc import Collection
from typing import Any, ClassVar, Self

from django.core.validators import MaxLengthValidator
from django.db import models

from ws_lambda.admin.row_set import RowSet, RowSource
from ws_lambda.tables.channel_permissions import ACCESS_LEVELS
from ws_lambda.tables.gateways import Integration, Status
from ws_lambda.tables.table import Table


class AdminModel(models.Model):
    """A row of a DynamoDB table, as the admin sees it."""

    source: ClassVar[RowSource]
    """Set by the source itself."""

    item: Table | None = None
    """The PynamoDB item that the row was made of; None while it is being added."""

    class Meta:
        abstract = True
        managed = False

    def save(self, *_args: Any, **_kwargs: Any) -> None:
        """Stores the row through its source."""
        self.source.save(self, change=not self._state.adding)

    def delete(self, *_args: Any, **_kwargs: Any) -> tuple[int, dict[str, int]]:
        """Deletes the row through its source."""
        self.source.delete(self)
        return 1, {self._meta.label: 1}

    @classmethod
    def of(cls, item: Table, **more: Any) -> Self:
        """The face of an item: each field that the item has, and what `more` says."""
        names = [f.attname for f in cls._meta.concrete_fields if f.attname not in more and hasattr(item, f.attname)]
        face = cls(**{name: getattr(item, name) for name in names}, **more)
        face._state.adding = False
        face.item = item
        return face

    def validate_unique(self, exclude: Collection[str] | None = None) -> None:
        """Left to DynamoDB's conditional write: a question beforehand would be answered too early."""

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        """There are none."""


class RowManager(models.Manager[Any]):
    """The manager of faces: the admin and its widgets ask it for rows."""

    use_in_migrations = False

    def get_queryset(self) -> Any:
        """Rows of the model's source."""
        return RowSet(self.model.source)


class ApiGateway(AdminModel):
    """The API Gateway record."""

    api_name = models.CharField("API name", max_length=128, primary_key=True)
    api_description = models.TextField("description", blank=True, validators=[MaxLengthValidator(1024)])
    default_channel_name = models.CharField(
        "default channel", max_length=128, blank=True, help_text="The channel of clients that name none."
    )
    integration = models.CharField(
        max_length=10,
        choices=[(Integration.LAMBDA.value, "Lambda function"), (Integration.HTTP.value, "HTTP proxy")],
        default=Integration.LAMBDA.value,
        help_text="Who answers: a Lambda function, or this Django site at its public URL.",
    )
    lambda_function_arn = models.CharField("Lambda function ARN", max_length=256, blank=True)
    target_base_endpoint = models.CharField(
        max_length=2048,
        blank=True,
        help_text="HTTP proxy: the URL that connect, disconnect and default are appended to, "
        "such as https://www.example.com/ws/",
    )
    domain_name = models.CharField("custom domain", max_length=253, blank=True, help_text="Such as ws.example.com.")
    certificate_arn = models.CharField(
        "certificate ARN", max_length=256, blank=True, help_text="ACM certificate in the region of the API."
    )
    hosted_zone_id = models.CharField(
        "hosted zone id", max_length=32, blank=True, help_text="Empty: the DNS record is made elsewhere."
    )
    route_selection_expression = models.CharField(max_length=256, default="$request.body.action")
    api_key_selection_expression = models.CharField(
        "API key selection expression", max_length=256, default="$request.header.x-api-key"
    )
    route_key = models.CharField(
        max_length=128, default="$default", help_text="The route of messages that select no other."
    )
    stage_name = models.CharField(max_length=128, default="production")
    stage_description = models.TextField(blank=True, validators=[MaxLengthValidator(1024)])
    throttling_rate = models.FloatField(
        null=True, blank=True, help_text="Requests per second. Empty: the account's quota."
    )
    throttling_burst = models.IntegerField(null=True, blank=True)
    access_log_arn = models.CharField(
        "access log ARN", max_length=512, blank=True, help_text="CloudWatch log group or Firehose stream."
    )
    tags = models.JSONField(default=dict, blank=True, help_text='Such as {"team": "web"}.')
    status = models.CharField(
        max_length=20, choices=[(s.value, s.value.replace("_", " ")) for s in Status], default=Status.PENDING.value
    )
    last_error = models.TextField(blank=True)
    api_id = models.CharField("API id", max_length=64, blank=True, null=True)  # noqa: DJ001 - None keeps it off the index
    api_endpoint = models.CharField("API endpoint", max_length=256, blank=True)
    api_gateway_domain_name = models.CharField("API Gateway domain name", max_length=256, blank=True)
    api_mapping_id = models.CharField("API mapping id", max_length=64, blank=True)
    deployment_id = models.CharField("deployment id", max_length=64, blank=True)
    adopted = models.BooleanField(default=False, help_text="Made by something else, such as zappa deploy.")
    version = models.IntegerField(null=True, blank=True, editable=False)

    objects = RowManager()

    class Meta:
        app_label = "ws_lambda"
        managed = False
        verbose_name = "API gateway"

    def __str__(self) -> str:
        return self.api_name

    @property
    def websocket_url(self) -> str:
        """What clients connect to."""
        return getattr(self.item, "websocket_url", "")


class AdditionalRoute(AdminModel):
    """A route of a gateway; it lives inside its gateway's record."""

    key = models.CharField(max_length=128, primary_key=True, editable=False)
    gateway = models.ForeignKey(ApiGateway, models.CASCADE, related_name="+")
    name = models.CharField(max_length=128)
    route_key = models.CharField(max_length=128, help_text="The value that selects it.")
    target = models.CharField(
        max_length=2048, blank=True, help_text="A URL path or https URL. Empty: the route key at the base endpoint."
    )

    objects = RowManager()

    class Meta:
        app_label = "ws_lambda"
        managed = False
        default_permissions = ()

    def __str__(self) -> str:
        return self.route_key


class WebSocketSession(AdminModel):
    """A connection."""

    connection_id = models.CharField("connection id", max_length=128, primary_key=True)
    user_id = models.CharField("user", max_length=256, null=True)  # noqa: DJ001 - as the item has it
    channel_name = models.CharField("channel", max_length=128)
    all_channels = models.JSONField("channels", default=list)
    connected = models.BooleanField()
    request_count = models.IntegerField("messages")
    connected_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    disconnected_at = models.DateTimeField(null=True)
    api_id = models.CharField("API id", max_length=64)
    endpoint_url = models.CharField("endpoint", max_length=512)
    source_ip = models.CharField("source address", max_length=64)
    user_agent = models.TextField()

    objects = RowManager()

    class Meta:
        app_label = "ws_lambda"
        managed = False
        default_permissions = ("view", "change")
        verbose_name = "WebSocket session"

    def __str__(self) -> str:
        return self.connection_id


class ChannelPermission(AdminModel):
    """Who may be in a channel."""

    channel_name = models.CharField(
        "channel", max_length=128, primary_key=True, help_text="A channel's name, or a prefix ending in *."
    )
    access = models.CharField(
        max_length=20,
        choices=[(level, level.replace("_", " ")) for level in ACCESS_LEVELS],
        help_text="Asked when somebody joins. Saving puts out the members whom it does not admit.",
    )
    rules = models.JSONField(default=list, blank=True)
    description = models.TextField(blank=True)

    objects = RowManager()

    class Meta:
        app_label = "ws_lambda"
        managed = False
        verbose_name = "channel permission"

    def __str__(self) -> str:
        return self.channel_name


class RateLimit(AdminModel):
    """A counter of one minute."""

    key = models.CharField(max_length=512, primary_key=True)
    scope = models.CharField(max_length=256)
    window = models.CharField("minute (UTC)", max_length=16)
    hits = models.IntegerField()
    expires_at = models.DateTimeField()

    objects = RowManager()

    class Meta:
        app_label = "ws_lambda"
        managed = False
        default_permissions = ("view",)
        verbose_name = "rate-limit counter"

    def __str__(self) -> str:
        return f"{self.scope} {self.window}"


class WebSocketToken(AdminModel):
    """A token that has not been used. Only its hash was ever stored, and not even that is shown whole."""

    token_hash = models.CharField(max_length=64, primary_key=True)
    user_id = models.CharField("user", max_length=256)
    channel = models.CharField(max_length=128, blank=True)
    expires_at = models.DateTimeField()

    objects = RowManager()

    class Meta:
        app_label = "ws_lambda"
        managed = False
        default_permissions = ("view",)
        verbose_name = "WebSocket token"

    def __str__(self) -> str:
        return f"{self.token_hash[:8]}…"


class LiveOverview(AdminModel):
    """No table: it gives the live overview its place among the pages."""

    key = models.CharField(max_length=1, primary_key=True)

    objects = RowManager()

    class Meta:
        app_label = "ws_lambda"
        managed = False
        default_permissions = ()
        verbose_name = verbose_name_plural = "live overview"

    def __str__(self) -> str:
        return "live overview"
