"""The Django app."""

from django.apps import AppConfig


class WsLambdaConfig(AppConfig):
    """Registers the checks and listens for logins that end."""

    name = "ws_lambda"
    label = "ws_lambda"
    verbose_name = "WebSockets"

    def ready(self) -> None:
        from ws_lambda import checks  # noqa: F401 - registers them
        from ws_lambda.gatekeeping.signals import connect_signals

        connect_signals()
