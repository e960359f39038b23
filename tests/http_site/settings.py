"""Settings of the project. Its WSGI application is wrapped in middleware of its own."""

from tests.settings import *  # noqa: F403

ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "tests.http_site.urls"
WSGI_APPLICATION = "tests.http_site.wsgi.application"
MIDDLEWARE = ["django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware"]
