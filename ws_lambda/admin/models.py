"""The admin models: Django models without a table, from which the admin makes forms, lists and permissions.

Each describes the rows of a PynamoDB model to Django. None is ever read from or written to SQL: a `RowSource` does
both, for the `ModelAdmin` that has it. Django's `makemigrations` and `migrate` leave them alone, since the app has no
migrations and they are not managed. Projects with SQL users find their permissions (`ws_lambda.change_apigateway`, …)
in Django's tables like those of any model.
"""

from collections.abc import Collection
from typing import Any, NoReturn, Self

from django.core.validators import MaxLengthValidator
from django.db import models

from ws_lambda import models as public
from ws_lambda.provisioning import gateway_fields
from ws_lambda.provisioning.record_field import RecordField
from ws_lambda.tables.channel_permissions import ACCESS_LEVELS
from ws_lambda.tables.table import Table


class NoSqlManager(models.Manager[Any]):
    """Refuses every query: the rows are in DynamoDB."""

    use_in_migrations = False

    def get_queryset(self) -> NoReturn:
        """Raises TypeError."""
        name = self.model.__name__
        raise TypeError(f"{name} is only the admin's view of a row in DynamoDB. Query ws_lambda.models instead.")


class AdminModel(models.Model):
    """A row of a DynamoDB table, as the admin sees it."""

    item: Table | None = None
    """The PynamoDB item that the row shows; None for a row that is being added."""

    objects = NoSqlManager()

    class Meta:
        abstract = True
        managed = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # Interactive shells import every Django model, by the names of its module and its class. With this module
        # they find the class that projects work with, and not the admin's view of it.
        if cls.__name__ in public.__all__:
            cls.__module__ = public.__name__

    def save(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Raises TypeError: the `ModelAdmin` saves through its `RowSource`."""
        raise TypeError("The admin saves DynamoDB rows through their RowSource.")

    def delete(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Raises TypeError: the `ModelAdmin` deletes through its `RowSource`."""
        raise TypeError("The admin deletes DynamoDB rows through their RowSource.")

    @classmethod
    def of(cls, item: Table, **more: Any) -> Self:
        """The row of an item: each field that the item has, and the fields in `more`."""
        names = [f.attname for f in cls._meta.concrete_fields if f.attname not in more and hasattr(item, f.attname)]
        row = cls(**{name: getattr(item, name) for name in names}, **more)
        row._state.adding = False
        row.item = item
        return row

    def validate_unique(self, exclude: Collection[str] | None = None) -> None:
        """Left to DynamoDB's conditional write: the answer to a question beforehand may be out of date by then."""

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        """There are none."""


def model_field(field: RecordField) -> "models.Field[Any, Any]":
    """A field of the gateway's record as a field of a Django model."""
    is_key = field.name == "api_name"
    said: dict[str, Any] = {
        "verbose_name": field.label,
        "help_text": field.help,
        "primary_key": is_key,
        "null": field.default is None and not is_key,
        "blank": not (field.default or field.kind is bool or is_key),
    }
    if field.default is not None:
        said["default"] = dict if field.kind is dict else field.default
    if field.multiline:
        return models.TextField(validators=[MaxLengthValidator(field.max_length)] if field.max_length else [], **said)
    if field.kind is str:
        return models.CharField(max_length=field.max_length, choices=field.choices or None, **said)
    return _CLASSES[field.kind](**said)


_CLASSES: dict[type, type["models.Field[Any, Any]"]] = {
    bool: models.BooleanField,
    dict: models.JSONField,
    float: models.FloatField,
    int: models.IntegerField,
}


class ApiGateway(AdminModel):
    """The API Gateway record, with the fields that its table of fields puts into the form."""

    # In the body of a class, locals() is the namespace of the class: this declares each field under its name.
    locals().update({field.name: model_field(field) for field in gateway_fields.FIELDS if field.section is not None})

    class Meta:
        app_label = "ws_lambda"
        managed = False
        verbose_name = "API gateway"

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def websocket_url(self) -> str:
        """What clients connect to."""
        return getattr(self.item, "websocket_url", "")


class AdditionalRoute(AdminModel):
    """An additional route of a gateway, stored in the gateway's record."""

    key = models.CharField(max_length=128, primary_key=True, editable=False)
    gateway = models.ForeignKey(ApiGateway, models.CASCADE, related_name="+")
    name = models.CharField(max_length=128)
    route_key = models.CharField(max_length=128, help_text="The value that selects the route.")
    target = models.CharField(
        max_length=2048,
        blank=True,
        help_text="A URL path or an https URL. Empty: the route key, appended to the base endpoint.",
    )

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
        "channel", max_length=128, primary_key=True, help_text="The name of a channel, or a prefix that ends in *."
    )
    access = models.CharField(
        max_length=20,
        choices=[(level, level.replace("_", " ")) for level in ACCESS_LEVELS],
        help_text="Who may join. Saving removes members who are not admitted.",
    )
    rules = models.JSONField(default=list, blank=True)
    description = models.TextField(blank=True)

    class Meta:
        app_label = "ws_lambda"
        managed = False
        verbose_name = "channel permission"

    def __str__(self) -> str:
        return self.channel_name


class RateLimit(AdminModel):
    """The count of one minute."""

    key = models.CharField(max_length=512, primary_key=True)
    scope = models.CharField(max_length=256)
    window = models.CharField("minute (UTC)", max_length=16)
    hits = models.IntegerField()
    expires_at = models.DateTimeField()

    class Meta:
        app_label = "ws_lambda"
        managed = False
        default_permissions = ("view",)
        verbose_name = "rate-limit counter"

    def __str__(self) -> str:
        return f"{self.scope} {self.window}"


class WebSocketToken(AdminModel):
    """A token that was not used yet. Only its hash is stored, and only the beginning of the hash is shown."""

    token_hash = models.CharField(max_length=64, primary_key=True)
    user_id = models.CharField("user", max_length=256)
    channel = models.CharField(max_length=128, blank=True)
    expires_at = models.DateTimeField()

    class Meta:
        app_label = "ws_lambda"
        managed = False
        default_permissions = ("view",)
        verbose_name = "WebSocket token"

    def __str__(self) -> str:
        return f"{self.token_hash[:8]}…"


class LiveOverview(AdminModel):
    """A model without rows, for the page of the live overview."""

    key = models.CharField(max_length=1, primary_key=True)

    class Meta:
        app_label = "ws_lambda"
        managed = False
        default_permissions = ()
        verbose_name = verbose_name_plural = "live overview"

    def __str__(self) -> str:
        return "live overview"
