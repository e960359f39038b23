"""The app: `"ws_lambda.users"` in INSTALLED_APPS, `AUTH_USER_MODEL = "ws_lambda_users.User"`."""

from django.apps import AppConfig
from django.core import checks


class UsersConfig(AppConfig):
    """Users in DynamoDB."""

    name = "ws_lambda.users"
    label = "ws_lambda_users"
    verbose_name = "Users"

    def ready(self) -> None:
        from ws_lambda.users.checks import check_backend

        checks.register(check_backend, checks.Tags.security)
