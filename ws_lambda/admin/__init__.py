"""The pages of the Django admin for the data that this package keeps in DynamoDB.

Django imports this package as the `admin` module of the app. Its pages are registered with the default site.
"""

from django.apps import apps
from django.contrib import admin


def register_all() -> None:
    """Registers every page with the default admin site, once."""
    from ws_lambda.admin.registration import PAGES

    for model, page in PAGES.items():
        if not admin.site.is_registered(model):
            admin.site.register(model, page)


if apps.models_ready:  # otherwise AdminConfig registers them when it is ready
    register_all()
