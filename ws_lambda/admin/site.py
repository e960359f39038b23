"""The admin site of a project without SQL: what people did lately is in DynamoDB."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest

from ws_lambda.admin import log


class DynamoDBAdminSite(AdminSite):
    """Django's admin site; its log of actions is Django's own only where that has a table."""

    def get_log_entries(self, request: HttpRequest) -> Any:
        return super().get_log_entries(request) if log.kept_in_sql() else log.RecentActions()
