"""Settings of the test run: no SQL database, everything in DynamoDB."""

SECRET_KEY = "only-for-tests-and-never-a-secret"
ALLOWED_HOSTS = ["testserver", "www.example.com"]
USE_TZ = True
TIME_ZONE = "UTC"

INSTALLED_APPS = [
    "ws_lambda.admin.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "ws_lambda",
    "ws_lambda.users",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
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
ROOT_URLCONF = "tests.urls"
DATABASES: dict[str, dict[str, str]] = {}
AUTH_USER_MODEL = "ws_lambda_users.User"
AUTHENTICATION_BACKENDS = ["ws_lambda.users.backends.DynamoDBBackend"]
SESSION_ENGINE = "ws_lambda.session_store"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STATIC_URL = "static/"
MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}  # asked for by Django 6.1 and later
