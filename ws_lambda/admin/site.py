"""The admin site of a project without SQL, with its log of actions in DynamoDB."""

from typing import Any

from django.contrib.admin import AdminSite
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models.base import ModelBase
from django.http import HttpRequest

from ws_lambda.admin import log


class DynamoDBAdminSite(AdminSite):
    """Django's admin site. Without SQL, pages that need SQL are left out."""

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Registers pages. Without SQL, it skips those of SQL tables, such as Django's page of groups."""
        listed: list[Any] = [model_or_iterable] if isinstance(model_or_iterable, ModelBase) else list(model_or_iterable)
        without_sql = connections[DEFAULT_DB_ALIAS].settings_dict["ENGINE"] == log.NO_ENGINE
        usable = [model for model in listed if not (without_sql and model._meta.managed)]
        super().register(usable, admin_class, **options)

    def get_log_entries(self, request: HttpRequest) -> Any:
        return super().get_log_entries(request) if log.kept_in_sql() else log.RecentActions()
