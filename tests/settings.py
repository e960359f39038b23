"""Settings of the test run: no SQL database, everything in DynamoDB."""

SECRET_KEY = "only-for-tests-and-never-a-secret"
ALLOWED_HOSTS = ["testserver"]
USE_TZ = True
TIME_ZONE = "UTC"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
]
DATABASES: dict[str, dict[str, str]] = {}
SESSION_ENGINE = "ws_lambda.session_store"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
