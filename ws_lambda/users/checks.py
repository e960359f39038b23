"""System checks of the app.

ws_lambda_users.E001: the user model is this app's, and no authentication backend can read its permissions.
"""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.utils.module_loading import import_string


def check_backend(app_configs: Any, **_kwargs: Any) -> list[CheckMessage]:
    """Checks that a DynamoDBBackend is configured. Django's ModelBackend reads permissions from SQL and would fail."""
    from ws_lambda.users.backends import DynamoDBBackend

    if settings.AUTH_USER_MODEL != "ws_lambda_users.User":
        return []
    backends = [import_string(path) for path in settings.AUTHENTICATION_BACKENDS]
    if any(isinstance(backend, type) and issubclass(backend, DynamoDBBackend) for backend in backends):
        return []
    return [
        Error(
            "AUTH_USER_MODEL is ws_lambda_users.User, but no authentication backend can read its permissions.",
            hint='Add "ws_lambda.users.backends.DynamoDBBackend" to AUTHENTICATION_BACKENDS.',
            id="ws_lambda_users.E001",
        )
    ]
