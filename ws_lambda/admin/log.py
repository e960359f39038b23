"""The log of actions: Django's own table if there is SQL, otherwise a DynamoDB table."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.db import DEFAULT_DB_ALIAS, connections, models

from ws_lambda.tables.admin_log import AdminAction

NO_ENGINE = "django.db.backends.dummy"
"""The engine that Django uses if DATABASES has no default."""


def kept_in_sql() -> bool:
    """Whether Django's own log can be used: there is an SQL database, and it holds the users."""
    engine = connections[DEFAULT_DB_ALIAS].settings_dict["ENGINE"]
    return engine != NO_ENGINE and get_user_model()._meta.managed


def subject(model: type[models.Model], object_id: str) -> str:
    """The key of the log of one object."""
    return f"{model._meta.label_lower}#{object_id}"


def write(user: Any, objects: Iterable[models.Model], flag: int, message: Any = "") -> None:
    """Writes one entry for each object."""
    text = message if isinstance(message, str) else json.dumps(message)
    with AdminAction.batch_write() as batch:
        for one in objects:
            batch.save(
                AdminAction(
                    subject(type(one), str(one.pk)),
                    AdminAction.new_moment(),
                    user_id=str(user.pk),
                    username=user.get_username(),
                    object_repr=str(one)[:200],
                    action_flag=flag,
                    change_message=text,
                    expires_at=AdminAction.expiry(),
                )
            )


def history(model: type[models.Model], object_id: str, limit: int = 500) -> list[LogEntry]:
    """The last `limit` actions on one object, oldest first."""
    found = AdminAction.query(subject(model, object_id), scan_index_forward=False, limit=limit)
    return [_entry(action) for action in found][::-1]


class RecentActions:
    """The part of a queryset that the index page uses: `.filter(user__pk=…)[:10]`."""

    def __init__(self, user_id: str | None = None) -> None:
        self._user_id = user_id

    def filter(self, *, user__pk: object) -> "RecentActions":
        """The actions of one user."""
        return RecentActions(str(user__pk))

    def __getitem__(self, wanted: slice) -> Sequence[LogEntry]:
        if self._user_id is None:
            return []  # there is no index over all users, and the index page does not need one
        found = AdminAction.by_actor.query(self._user_id, scan_index_forward=False, limit=wanted.stop)
        return [_entry(action) for action in islice(found, wanted.start or 0, wanted.stop)]


def _entry(action: AdminAction) -> LogEntry:
    """One action as the `LogEntry` that Django's templates take. It is not in a database."""
    label, _, object_id = action.subject.partition("#")
    app_label, _, model_name = label.partition(".")
    model = apps.get_model(app_label, model_name)
    user_model = get_user_model()
    return LogEntry(
        action_time=datetime.fromisoformat(action.moment.partition("#")[0]),
        user=user_model(**{"pk": action.user_id, user_model.USERNAME_FIELD: action.username}),
        content_type=ContentType(app_label=app_label, model=model._meta.model_name or ""),
        object_id=object_id,
        object_repr=action.object_repr,
        action_flag=int(action.action_flag),
        change_message=action.change_message,
    )
