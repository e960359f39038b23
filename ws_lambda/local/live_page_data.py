"""What the live page shows of the project, from the project's tables."""

from collections.abc import Mapping, Sequence
from typing import Any

from ws_lambda.local.accounts import configured
from ws_lambda.local.live_page import Project


def project(site: str, environment: Mapping[str, str]) -> Project:
    """The project that is loaded in this process."""
    accounts = tuple(configured())
    return Project(site=site, accounts=accounts, sessions=sessions, token=token, environment=environment)


def sessions(ids: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
    """The user and channels of each connection that has a session."""
    from ws_lambda.models import WebSocketSession

    return {
        row.connection_id: {"user": row.user_id or "", "channels": sorted(row.channels or ())}
        for row in WebSocketSession.batch_get(list(ids))
    }


def token(username: str) -> str:
    """A token for a new login of an account."""
    from django.contrib.auth import get_user_model

    from ws_lambda.local.login import Login

    manager: Any = get_user_model()._default_manager
    return Login.new(manager.get_by_natural_key(username)).mint()
