"""Settings of the demo project. It has no SQL database: everything lives in DynamoDB."""

import os
from typing import Any

ON_LAMBDA = "AWS_LAMBDA_FUNCTION_NAME" in os.environ
DEBUG = not ON_LAMBDA
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ON_LAMBDA
SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY", "")
if not SECRET_KEY and not ON_LAMBDA:
    SECRET_KEY = "local-development-only-not-a-secret"  # noqa: S105 - on Lambda an empty key stops Django
LOCAL_HOSTS = "" if ON_LAMBDA else "localhost,127.0.0.1"
ALLOWED_HOSTS = [host for host in os.environ.get("ALLOWED_HOSTS", LOCAL_HOSTS).split(",") if host]
if ON_LAMBDA and "WS_LAMBDA_HTTP_HOST" in os.environ:
    ALLOWED_HOSTS.append(os.environ["WS_LAMBDA_HTTP_HOST"])  # the HTTP API's own, told by the deploy hook
CSRF_TRUSTED_ORIGINS = [origin for origin in os.environ.get("CSRF_TRUSTED_ORIGINS", "").split(",") if origin]

INSTALLED_APPS = [
    "ws_lambda.admin.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "ws_lambda",
    "ws_lambda.users",
    "project.chat",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "project.csp.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES: dict[str, dict[str, str]] = {}
SESSION_ENGINE = "ws_lambda.session_store"
AUTH_USER_MODEL = "ws_lambda_users.User"
AUTHENTICATION_BACKENDS = ["ws_lambda.users.backends.DynamoDBBackend"]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "rooms"
LOGOUT_REDIRECT_URL = "login"

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"

# Only `manage.py ws_local` reads these.
WS_LOCAL_ACCOUNTS: dict[str, dict[str, Any]] = {
    "red": {"password": "red-demo"},
    "blue": {"password": "blue-demo"},
    "staff": {
        "password": "staff-demo",
        "is_staff": True,
        "permission_names": [
            "ws_lambda.view_apigateway",
            "ws_lambda.view_channelpermission",
            "ws_lambda.view_websocketsession",
            "ws_lambda.change_websocketsession",
        ],
    },
    "admin": {"password": "admin-demo", "is_staff": True, "is_superuser": True},
}

WS_LAMBDA = {
    "TABLE_PREFIX": os.environ.get("TABLE_PREFIX", "demo_"),
    "ROUTE_PATHS": {"overview": "/ws_lambda/overview"},
    # Once a gateway is registered, only registered ones are listened to, and the local one never is.
    "GATEWAY_IDS": [] if ON_LAMBDA else ["local"],
    "HISTORY": {"*": (50, 7 * 86_400)},
    "UNLISTED_CHANNELS": "authenticated",  # rooms are made by entering them
    "FANOUT_QUEUE_URL": os.environ.get("FANOUT_QUEUE_URL", ""),
    "WEBSOCKET_URL": os.environ.get("WEBSOCKET_URL", ""),
}
