"""The configuration of the app."""

from typing import Any

from ws_lambda.models import all_tables
from ws_lambda.users.user_row import UserRow


def test_the_table_is_made_where_the_app_is_installed(settings: Any) -> None:
    assert list(all_tables()).count(UserRow) == 1
    settings.AUTH_USER_MODEL = "auth.User"
    settings.INSTALLED_APPS = [name for name in settings.INSTALLED_APPS if name != "ws_lambda.users"]
    assert UserRow not in all_tables()
