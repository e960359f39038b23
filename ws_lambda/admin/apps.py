"""The admin without SQL: `"ws_lambda.admin.apps.AdminConfig"` in place of `"django.contrib.admin"`."""

from django.contrib.admin import apps


class AdminConfig(apps.AdminConfig):
    """Django's admin, with a site that keeps its log of actions in DynamoDB."""

    default_site = "ws_lambda.admin.site.DynamoDBAdminSite"

    def ready(self) -> None:
        super().ready()
        # Importing this module has already imported the package, so autodiscovery does not run it again.
        from ws_lambda.admin import register_all

        register_all()
