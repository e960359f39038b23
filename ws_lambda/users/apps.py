"""The app: `"ws_lambda.users"` in INSTALLED_APPS, `AUTH_USER_MODEL = "ws_lambda_users.User"`."""

from typing import TYPE_CHECKING

from django.apps import AppConfig
from django.core import checks

if TYPE_CHECKING:
    from ws_lambda.tables.table import Table


class UsersConfig(AppConfig):
    """Users in DynamoDB."""

    name = "ws_lambda.users"
    label = "ws_lambda_users"
    verbose_name = "Users"

    @property
    def dynamodb_tables(self) -> tuple[type["Table"], ...]:
        """The tables that `ws_tables` and the local gateway create for this app."""
        from ws_lambda.users.user_row import UserRow

        return (UserRow,)

    def ready(self) -> None:
        from ws_lambda.users.checks import check_backend

        checks.register(check_backend, checks.Tags.security)
